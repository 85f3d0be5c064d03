"""CPythons that are linked with musl, and their packages: built here, since Debian has none, nor ml_dtypes a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from roots import PLACE, PYTHON, TEST_NEEDS, debian, debian_source, python_packages, unpack

DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
EMULATOR = {"x86_64": [], "aarch64": ["qemu-aarch64"]}
ZIG = f"{sys.executable} -m ziglang"
COMPILER = {"x86_64": "musl-gcc", "aarch64": f"{ZIG} cc -target aarch64-linux-musl -fPIC -Wno-date-time"}
AS_COMPILER = """#!/bin/sh
case "$*" in
*--print-multiarch*) echo {architecture}-linux-musl ;;
*platform_triplet.c*) echo PLATFORM_TRIPLET={architecture}-linux-musl ;;
*) exec {compiler} "$@" ;;
esac
"""
"""What CPython's configure takes for a compiler: the real ones do not tell it about musl."""
LEAN = ("--disable-test-modules", "--without-ensurepip", "OPT=-O1", "PKG_CONFIG=false", "ac_cv_header_zlib_h=no")
"""The libraries that are here are not musl's."""


def interpreter(architecture: str) -> list[str | Path]:
    """The command that runs it: an emulator where one is needed, musl's own loader, CPython."""
    root = debian(f"musl-{architecture}", DEBIAN[architecture], "musl")
    loader = root / "usr" / "lib" / f"{architecture}-linux-musl" / "libc.so"
    return [*EMULATOR[architecture], loader, cpython(architecture)]


def cpython(architecture: str) -> Path:
    """Compiled here from Debian's source; a foreign one with the help of the one that runs on this machine."""
    root = PLACE / f"musl-python-{architecture}"
    python = root / "bin" / f"python{PYTHON}"
    if not python.exists():
        source = PLACE / f"musl-python-{architecture}-source"
        shutil.rmtree(source, ignore_errors=True)
        debian_source(f"python{PYTHON}", source)
        options = [f"--prefix={root}", f"CC={script(source / 'compiler', architecture)}", *LEAN]
        link = []
        if architecture != "x86_64":
            (archiver := source / "archiver").write_text(f'#!/bin/sh\nexec {ZIG} ar "$@"\n')
            archiver.chmod(0o755)
            options += [f"--host={architecture}-linux-musl", "--build=x86_64-linux-gnu", f"AR={archiver}"]
            options += [f"--with-build-python={cpython('x86_64')}", "--disable-ipv6", "LDFLAGS=-dynamic"]
            options += ["ac_cv_file__dev_ptmx=no", "ac_cv_file__dev_ptc=no"]
            link = ["LINKFORSHARED=-Wl,-export-dynamic -pie"]
        logged(["./configure", "--quiet", *options], source)
        logged(["make", "--silent", f"-j{os.cpu_count()}", *link], source)
        logged(["make", "--silent", "install", *link], source)
        shutil.rmtree(source)
    return python


def script(place: Path, architecture: str) -> Path:
    """A program that configure takes for a compiler."""
    place.write_text(AS_COMPILER.format(architecture=architecture, compiler=COMPILER[architecture]))
    place.chmod(0o755)
    return place


def logged(command: list[str], place: Path) -> None:
    """Runs a command whose output is worth reading only if it fails."""
    done = subprocess.run(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")


def packages(architecture: str, wheel: Path) -> Path:
    """A folder with a wheel, NumPy, ml_dtypes and what tests need."""
    place = PLACE / f"musl-packages-{architecture}"
    shutil.rmtree(place, ignore_errors=True)
    platforms = [f"musllinux_1_2_{architecture}"]
    python_packages(place, platforms, "numpy", *TEST_NEEDS)
    built = ml_dtypes(architecture, place / "numpy" / "_core" / "include")
    subprocess.run(["cp", "-r", built, place / "ml_dtypes"], check=True)
    with tempfile.TemporaryDirectory() as alone:
        python_packages(Path(alone), platforms, "--no-deps", wheel)
        subprocess.run(["cp", "-r", f"{alone}/.", place], check=True)
    return place


def ml_dtypes(architecture: str, numpy_headers: Path) -> Path:
    """The package, with its extension compiled and linked by zig."""
    built = PLACE / f"musl-ml_dtypes-{architecture}"
    if not built.exists():
        with tempfile.TemporaryDirectory() as folder:
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "ml_dtypes"]
            subprocess.run([*download, "ml_dtypes"], cwd=folder, check=True)
            source = Path(folder, "source")
            unpack(next(Path(folder).glob("*.tar.gz")), source)
            headers = cpython(architecture).parents[1] / "include" / f"python{PYTHON}"
            includes = [source, source / "third_party" / "eigen", headers, numpy_headers]
            command = [*ZIG.split(), "c++", "-target", f"{architecture}-linux-musl", "-shared", "-fPIC", "-s"]
            command += ["-O1", "-std=c++17", *(f"-I{path}" for path in includes), "-o", "ml_dtypes/_ml_dtypes_ext.so"]
            logged([*command, *map(str, (source / "ml_dtypes" / "_src").glob("*.cc"))], source)
            shutil.copytree(source / "ml_dtypes", built)
    return built
