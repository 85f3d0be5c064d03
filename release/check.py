"""Looks at the files in dist/ without running them: size, version, ABI, C library, licences, bill of materials."""

from __future__ import annotations

import email
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from build import RUST, STD
from targets import DIST, TARGETS, Target, version

TOOLS = Path(sys.executable).parent
LARGEST = 1_000_000
"""Bytes of a wheel at most. The aim of 500 KB is missed: `docs/development/platforms.md` says why."""
LICENCES = {"LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-LICENSES"}
CRATE = re.compile(rb"/cargo/registry/src/[^/]+/([\w-]+)-(\d+\.\d+\.\d+)/src/")
"""What a message of a panic says about where its crate is."""
IN_THE_SDIST = {
    "Cargo.lock",
    "Cargo.toml",
    "pyproject.toml",
    "README.md",
    "src/lib.rs",
    "python/varscale/__init__.py",
    *LICENCES,
}


def check(condition: bool, complaint: str) -> None:
    """Ends with the complaint unless the condition holds."""
    if not condition:
        sys.exit(complaint)


def tool(*command: str | Path) -> str:
    """What a tool of this environment prints; its failure is the end."""
    done = subprocess.run([TOOLS / command[0], *command[1:]], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_contents(wheel: Path) -> None:
    """Size, version, licences and bill of materials."""
    size = wheel.stat().st_size
    check(size <= LARGEST, f"{wheel.name} has {size:,} bytes, more than {LARGEST:,}")
    with zipfile.ZipFile(wheel) as archive:
        about = f"varscale-{version()}.dist-info"
        metadata = email.message_from_bytes(archive.read(f"{about}/METADATA"))
        check(metadata["Version"] == version(), f"{wheel.name} says it is version {metadata['Version']}")
        names = set(archive.namelist())
        missing = {f"{about}/licenses/{name}" for name in LICENCES} - names
        check(not missing, f"{wheel.name} lacks {missing}")
        bill = json.loads(archive.read(f"{about}/sboms/varscale.cyclonedx.json"))
        crates = {component["name"] for component in bill["components"]}
        check({"numpy", "pyo3", "rayon"} <= crates, f"{wheel.name} has an incomplete bill of materials")
        std = json.loads(archive.read(f"{about}/sboms/{STD}"))["metadata"]["component"]
        check((std["name"], std["version"]) == ("std", RUST), f"{wheel.name} does not name its standard library")
        native = [archive.read(name) for name in names if name.endswith((".so", ".pyd"))]
        check(len(native) == 1, f"{wheel.name} has {len(native)} extensions")
        check(str(Path.home()).encode() + b"/" not in native[0], f"{wheel.name} names a path of this machine")
        licences = archive.read(f"{about}/licenses/THIRD-PARTY-LICENSES").decode()
        inside = {" ".join(part.decode() for part in found) for found in CRATE.findall(native[0])}
        unnamed = {crate for crate in inside if f"\n{crate} (" not in licences}
        check(bool(inside) and not unnamed, f"{wheel.name} holds {unnamed}, whose licences it does not show")
        unwinds = b"libunwind: " in native[0]  # so its messages begin
        check(not unwinds or "\nLLVM's libunwind (" in licences, f"{wheel.name} does not show libunwind's licence")


def check_platform(target: Target, wheel: Path) -> None:
    """The stable ABI and nothing but it; the oldest C library that the name promises."""
    if target.python == "3.10":
        tool("abi3audit", "--strict", wheel)
    if target.compatibility == "manylinux2014":
        shown = tool("auditwheel", "show", wheel)
        architecture = target.triple.split("-", 1)[0]
        check(f'"manylinux_2_17_{architecture}"' in shown, f"{wheel.name} is no manylinux2014 wheel:\n{shown}")


def check_sdist() -> None:
    """The sdist holds what a build needs, and only what is in the repository."""
    sdist = DIST / f"varscale-{version()}.tar.gz"
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    check(names >= IN_THE_SDIST, f"{sdist.name} lacks {IN_THE_SDIST - names}")
    listed = subprocess.run(["git", "ls-files"], cwd=DIST.parent, capture_output=True, text=True, check=True)
    strange = names - set(listed.stdout.splitlines()) - {"PKG-INFO"}
    check(not strange, f"{sdist.name} holds what the repository does not: {strange}")


def main() -> None:
    """Checks every target's wheel, and the sdist, and that there is nothing else to publish."""
    expected = {f"varscale-{version()}-{target.tag}.whl" for target in TARGETS} | {f"varscale-{version()}.tar.gz"}
    strange = {path.name for path in DIST.iterdir() if path.suffix in {".whl", ".gz"}} - expected
    check(not strange, f"dist holds what is no part of a release: {strange}")
    for target in TARGETS:
        wheel = target.wheel()
        if wheel is None:
            sys.exit(f"no wheel for {target.name}: make wheels")
        check_contents(wheel)
        check_platform(target, wheel)
        print(f"{target.name:<38} {wheel.stat().st_size / 1000:4.0f} KB")
    check_sdist()
    print(f"{len(TARGETS)} wheels and the sdist are as they should be")


if __name__ == "__main__":
    main()
