"""A CPython that is linked with musl, and its packages: built here, since Debian has none, nor ml_dtypes a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from roots import PLACE, PYTHON, TEST_NEEDS, debian, debian_source, python_packages, unpack

MULTIARCH = """#!/bin/sh
case "$*" in *--print-multiarch*) echo x86_64-linux-musl ;; *) exec musl-gcc "$@" ;; esac
"""
"""gcc names its own C library where CPython's configure asks for the target's."""


def interpreter() -> list[str | Path]:
    """The command that runs it: musl's own loader, then CPython."""
    root = debian("musl", "amd64", "musl")
    return [root / "usr" / "lib" / "x86_64-linux-musl" / "libc.so", cpython() / "bin" / f"python{PYTHON}"]


def cpython() -> Path:
    """Where CPython is installed, from Debian's source of it."""
    root = PLACE / "musl-python"
    if not (root / "bin" / f"python{PYTHON}").exists():
        source = PLACE / "musl-python-source"
        shutil.rmtree(source, ignore_errors=True)
        debian_source(f"python{PYTHON}", source)
        compiler = source / "musl-multiarch"
        compiler.write_text(MULTIARCH)
        compiler.chmod(0o755)
        options = ["--quiet", f"--prefix={root}", "--disable-test-modules", "--without-ensurepip"]
        options += ["PKG_CONFIG=false", "ac_cv_header_zlib_h=no"]  # other libraries here are not musl's
        logged(["./configure", f"CC={compiler}", "OPT=-O1", *options], source)
        logged(["make", "--silent", f"-j{os.cpu_count()}"], source)
        logged(["make", "--silent", "install"], source)
        shutil.rmtree(source)
    return root


def logged(command: list[str], place: Path) -> None:
    """Runs a command whose output is worth reading only if it fails."""
    done = subprocess.run(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")


def packages(wheel: Path) -> Path:
    """A folder with a wheel, NumPy, ml_dtypes and what tests need."""
    place = PLACE / "musl-packages"
    shutil.rmtree(place, ignore_errors=True)
    platforms = ["musllinux_1_2_x86_64"]
    python_packages(place, platforms, "numpy", *TEST_NEEDS)
    subprocess.run(["cp", "-r", ml_dtypes(place / "numpy" / "_core" / "include"), place / "ml_dtypes"], check=True)
    with tempfile.TemporaryDirectory() as alone:
        python_packages(Path(alone), platforms, "--no-deps", wheel)
        subprocess.run(["cp", "-r", f"{alone}/.", place], check=True)
    return place


def ml_dtypes(numpy_headers: Path) -> Path:
    """The package, with its extension compiled and linked by zig."""
    built = PLACE / "musl-ml_dtypes"
    if not built.exists():
        with tempfile.TemporaryDirectory() as folder:
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "ml_dtypes"]
            subprocess.run([*download, "ml_dtypes"], cwd=folder, check=True)
            source = Path(folder, "source")
            unpack(next(Path(folder).glob("*.tar.gz")), source)
            includes = [
                source,
                source / "third_party" / "eigen",
                cpython() / "include" / f"python{PYTHON}",
                numpy_headers,
            ]
            command = [sys.executable, "-m", "ziglang", "c++", "-target", "x86_64-linux-musl", "-shared", "-fPIC", "-s"]
            command += ["-O1", "-std=c++17", *(f"-I{path}" for path in includes), "-o", "ml_dtypes/_ml_dtypes_ext.so"]
            logged([*command, *map(str, (source / "ml_dtypes" / "_src").glob("*.cc"))], source)
            shutil.copytree(source / "ml_dtypes", built)
    return built
