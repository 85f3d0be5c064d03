"""What other systems run Python with: files of Debian's packages and sources, and packages for a foreign platform.

Unpacked, never configured: an interpreter needs no more, and a user who is not root may do it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from targets import ROOT

PLACE = ROOT / "target" / "roots"
SUITE, PYTHON = "trixie", "3.13"
TEST_NEEDS = ("mpmath", "pytest")
"""What release/proof.py runs known answers with."""
DOCUMENTS_NEED = ("hypothesis", "matplotlib", "safetensors", "tqdm")
"""What the code of the site is run with, too."""


def debian(name: str, architecture: str, *packages: str) -> Path:
    """A folder with the files of some packages, and of what they need."""
    root = PLACE / name
    if not (root / "lib").is_symlink():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        options = ["--variant=extract", f"--architectures={architecture}", f"--include={','.join(packages)}", "--quiet"]
        archive = PLACE / f"{name}.tar"
        subprocess.run(["mmdebstrap", *options, SUITE, archive], check=True)
        # All else stays out: qemu would look there for what lies in this machine's folder of that name.
        subprocess.run(["tar", "xf", archive, "--no-same-owner", "-C", root, "./etc", "./usr"], check=True)
        archive.unlink()
        (root / "lib").symlink_to("usr/lib")  # Debian's base-files makes it when it is configured
    return root


def debian_source(package: str, place: Path) -> None:
    """Unpacks a source package's original archive, from where this machine's own Debian packages come from."""
    listing = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    found = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        sources, lists = Path(folder, "sources.list"), Path(folder, "lists")
        mirror = next(uri for uri in found if "security" not in uri)
        sources.write_text(f"deb-src {mirror} {SUITE} main\n")
        (lists / "partial").mkdir(parents=True)
        settings = {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "-", "Dir::State::Lists": lists}
        apt = ["apt-get", "--quiet=2", *(f"-o{key}={value}" for key, value in settings.items())]
        subprocess.run([*apt, "update"], check=True)
        subprocess.run([*apt, "source", "--download-only", "--tar-only", package], cwd=folder, check=True)
        unpack(next(Path(folder).glob("*.orig.tar.*")), place)


def unpack(archive: Path, place: Path) -> None:
    """The contents of an archive's one folder."""
    place.mkdir(parents=True)
    subprocess.run(["tar", "xf", archive, "--strip-components=1", "-C", place], check=True)


def python_packages(place: Path, platforms: Sequence[str], *what: str | Path, version: str = PYTHON) -> Path:
    """A folder with wheels and what they need, as pip installs them on the first of the platforms that has them."""
    foreign = [word for platform in platforms for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(place)]
    command += ["--only-binary", ":all:", "--python-version", version, *foreign, *map(str, what)]
    subprocess.run(command, check=True)
    return place
