"""CPythons of other systems: aarch64 as Debian builds it, and musl as built here from Debian's sources.

Needs what `apt-get install qemu-user mmdebstrap musl-tools` installs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from targets import ROOT

PLACE = ROOT / "target" / "roots"
SUITE, PYTHON = "trixie", "3.13"
TEST_NEEDS = ("mpmath", "pytest")
"""What release/proof.py runs known answers with."""
MULTIARCH = """#!/bin/sh
case "$*" in *--print-multiarch*) echo x86_64-linux-musl ;; *) exec musl-gcc "$@" ;; esac
"""


def debian_arm64() -> Path:
    """A folder with Debian's CPython for aarch64: unpacked, not configured, which is all that an interpreter needs."""
    root = PLACE / "arm64"
    if not (root / "lib").exists():
        shutil.rmtree(root, ignore_errors=True)
        PLACE.mkdir(parents=True, exist_ok=True)
        packages = f"python{PYTHON}-minimal,libpython{PYTHON}-stdlib"
        options = ["--variant=extract", "--architectures=arm64", f"--include={packages}", "--quiet"]
        subprocess.run(["mmdebstrap", *options, SUITE, root], check=True)
        (root / "lib").symlink_to("usr/lib")  # Debian's base-files makes it when it is configured
    return root


def debian_source(package: str, place: Path) -> None:
    """Unpacks a source package's original archive, from where this machine's own Debian packages come from."""
    target = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    mirror = subprocess.run(target, capture_output=True, text=True, check=True).stdout.split()[0]
    with tempfile.TemporaryDirectory() as folder:
        sources, lists = Path(folder, "sources.list"), Path(folder, "lists")
        sources.write_text(f"deb-src {mirror} {SUITE} main\n")
        (lists / "partial").mkdir(parents=True)
        settings = {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "-", "Dir::State::Lists": lists}
        apt = ["apt-get", "--quiet=2", *(f"-o{key}={value}" for key, value in settings.items())]
        subprocess.run([*apt, "update"], check=True)
        subprocess.run([*apt, "source", "--download-only", "--tar-only", package], cwd=folder, check=True)
        archive = next(Path(folder).glob("*.orig.tar.*"))
        place.mkdir(parents=True)
        subprocess.run(["tar", "xf", archive, "--strip-components=1", "-C", place], check=True)


def musl_cpython() -> Path:
    """The interpreter of a CPython linked with musl."""
    root = PLACE / "musl"
    python = root / "bin" / f"python{PYTHON}"
    if not python.exists():
        source = PLACE / "source"
        shutil.rmtree(source, ignore_errors=True)
        debian_source(f"python{PYTHON}", source)
        compiler = source / "musl-multiarch"
        compiler.write_text(MULTIARCH)  # gcc names its own C library where configure asks for the target's
        compiler.chmod(0o755)
        options = ["--quiet", f"--prefix={root}", "--disable-test-modules", "--without-ensurepip"]
        options += ["PKG_CONFIG=false", "ac_cv_header_zlib_h=no"]  # other libraries here are not musl's
        log = PLACE / "musl.log"
        with log.open("w") as output:
            for command in (
                ["./configure", f"CC={compiler}", "OPT=-O1", *options],
                ["make", "--silent", f"-j{os.cpu_count()}"],
                ["make", "--silent", "install"],
            ):
                if subprocess.run(command, cwd=source, stdout=output, stderr=output, check=False).returncode:
                    sys.exit(f"CPython does not build with musl: see {log}")
        shutil.rmtree(source)
    return python


def packages(platform: str, wheel: Path) -> Path:
    """A folder with a wheel, what it needs and pytest, as pip would install them on that platform."""
    place = PLACE / f"packages-{platform}"
    shutil.rmtree(place, ignore_errors=True)
    foreign = ["--only-binary", ":all:", "--python-version", PYTHON, "--platform", platform]
    if platform.startswith("manylinux"):
        foreign += ["--platform", platform.replace("_2_28_", "2014_"), "--platform", platform.replace("_28_", "_27_")]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--target",
        str(place),
        *foreign,
        str(wheel),
        "pytest",
    ]
    subprocess.run(command, check=True)
    return place
