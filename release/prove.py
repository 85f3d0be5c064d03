"""Runs what `make wheels` built, natively or emulated, a function per proof, and writes docs/development/platforms.md.

`python release/prove.py aarch64 musl` runs only those proofs, again; the table has the other proofs' last reports, if
they were of the same files. What a proof needs and is not on this machine is an error; a CPython that is not is named.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import crate
import musl_python
import roots
import table
import wine
from interpreters import EXPECTED, fresh, install, interpreters, requirements, without_rust
from targets import DIST, ROOT, TARGETS, Target, version

Report = dict[str, Any]
TARGET = {target.name: target for target in TARGETS}
PROOF = ROOT / "release" / "proof.py"
PATH = {"PATH": os.defpath}
"""For emulators: where the system's programs are, and no rustup's."""
LEVELS = ("baseline", "avx2", "avx512")


def wheel(target: Target) -> Path:
    """The built file."""
    found = target.wheel()
    if found is None:
        sys.exit(f"no wheel for {target.name}: make wheels")
    return found


def prove(name: str, how: str, python: Sequence[str | Path], environment: Mapping[str, str], *options: str) -> Report:
    """Runs release/proof.py with an interpreter; its failure is the end."""
    with tempfile.TemporaryDirectory() as place:
        command = [*map(str, python), str(PROOF), *options]
        done = subprocess.run(
            command, env=environment, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"{name}, {how}:\n{done.stdout}{done.stderr}")
    return said({"target": name, "how": how, **json.loads(done.stdout.rsplit("\nproof: ", 1)[1])})


def said(report: Report) -> Report:
    """The report, which has been printed."""
    print(", ".join(f"{key} {value}" for key, value in report.items()), flush=True)
    return report


@contextmanager
def environment_of(python: Path, name: str, *pins: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A fresh environment in which the wheel alone has passed the README's first example, and pytest for the rest."""
    with tempfile.TemporaryDirectory() as place:
        inside = fresh(python, Path(place))
        install(inside, wheel(TARGET[name]), *pins)
        bare = without_rust(inside)
        subprocess.run([inside, PROOF, "--example"], env=bare, cwd=place, check=True)
        install(inside, *roots.TEST_NEEDS)
        yield inside, bare


def pythons() -> Iterator[Report]:
    """Fresh environments of every CPython on the machine, with the oldest and the newest NumPy, without Rust."""
    here = interpreters()
    for major, minor, free_threaded in EXPECTED:
        if (major, minor, free_threaded) not in here:
            print(
                f"Python {major}.{minor}{'t' * free_threaded} is not on this machine: nothing is run in it", flush=True
            )
    for (major, minor, free_threaded), python in here.items():
        name = f"manylinux2014 x86_64{', free-threaded' if free_threaded else ''}"
        if free_threaded and f"cp{major}{minor}t" not in TARGET[name].tag:
            continue
        for pins in requirements((major, minor)):
            with environment_of(python, name, *pins) as (inside, bare):
                yield prove(name, "here", [inside], bare)


def sdist() -> Iterator[Report]:
    """The sdist, built by pip in a fresh environment with Rust."""
    with tempfile.TemporaryDirectory() as place:
        inside = fresh(Path(sys.executable), Path(place))
        install(inside, "numpy", "ml_dtypes", *roots.TEST_NEEDS)
        archive = DIST / f"varscale-{version()}.tar.gz"
        subprocess.run([inside, "-m", "pip", "install", "--quiet", "--no-deps", archive], check=True)
        yield prove("sdist", "built here", [inside], without_rust(inside))


def documents() -> Iterator[Report]:
    """The code of the site, but for what needs a framework."""
    name = "manylinux2014 x86_64"
    with environment_of(Path(sys.executable), name) as (inside, bare):
        install(inside, *roots.DOCUMENTS_NEED)
        yield prove(name, "here, the site's examples", [inside], bare, "--documents")


def levels() -> Iterator[Report]:
    """Each SIMD level of this machine, and an emulated processor that lacks AVX."""
    name = "manylinux2014 x86_64"
    with environment_of(Path(sys.executable), name) as (inside, bare):
        for level in LEVELS:
            yield at(level, prove(name, f"VARSCALE_SIMD={level}", [inside], {**bare, "VARSCALE_SIMD": level}))
        emulated = ["qemu-x86_64", "-cpu", "Nehalem", inside]
        # On AMD's machines NumPy's OpenBLAS takes the kernels of a processor that is not emulated.
        bare |= {**PATH, "OPENBLAS_CORETYPE": "Nehalem"}
        yield at("baseline", prove(name, "qemu-x86_64 -cpu Nehalem", emulated, bare))


def at(level: str, report: Report) -> Report:
    """The report, which is of this SIMD level."""
    if report["level"] != level:
        sys.exit(f"{report['how']} was to run {level}, and ran {report['level']}")
    return report


def aarch64() -> Iterator[Report]:
    """The wheel in Debian's CPython for aarch64, and the crate, both in an emulator."""
    packages = (f"python{roots.PYTHON}-minimal", f"libpython{roots.PYTHON}-stdlib", "libstdc++6")
    root = roots.debian("arm64", "arm64", *packages)
    emulator = ["qemu-aarch64", "-L", root]
    name = "manylinux2014 aarch64"
    platforms = [f"manylinux{version}_aarch64" for version in ("_2_28", "_2_27", "2014")]
    with tempfile.TemporaryDirectory() as place:
        roots.python_packages(Path(place), platforms, wheel(TARGET[name]), *roots.TEST_NEEDS)
        python = [*emulator, root / "usr" / "bin" / f"python{roots.PYTHON}"]
        yield prove(name, "qemu-aarch64", python, {**PATH, "PYTHONPATH": place})
    yield crate_tests(name, "qemu-aarch64", emulator)


def musl() -> Iterator[Report]:
    """The wheels in CPythons that are linked with musl, and the crate."""
    for architecture, emulator in musl_python.EMULATOR.items():
        name, how = f"musllinux_1_2 {architecture}", emulator[0] if emulator else "here"
        packages = musl_python.packages(architecture, wheel(TARGET[name]))
        yield prove(name, how, musl_python.interpreter(architecture), {**PATH, "PYTHONPATH": str(packages)})
        yield crate_tests(name, f"{how}, linked statically", emulator)


def windows() -> Iterator[Report]:
    """The wheel in python.org's CPythons, and the crate, in wine."""
    name, program = "Windows x86_64", wine.program()
    with tempfile.TemporaryDirectory() as place:
        wine.process_prng(Path(place))
        os.environ.update(WINEPREFIX=f"{place}/prefix", WINEPATH=place, WINEDEBUG="-all")
        for version in wine.PYTHONS:
            yield prove(name, "wine", [program, wine.interpreter(version, wheel(TARGET[name]))], os.environ)
        yield crate_tests(name, "wine", [program])


def crate_tests(name: str, how: str, emulator: Sequence[str | Path]) -> Report:
    """The crate's own tests, for a wheel's platform."""
    return said({"target": name, "how": how, "tests": crate.passed(TARGET[name].triple, emulator)})


PROOFS: dict[str, Callable[[], Iterator[Report]]] = {
    proof.__name__: proof for proof in (pythons, sdist, documents, levels, aarch64, musl, windows)
}


def main() -> None:
    """Runs the proofs that are asked for, or all, and writes the table."""
    asked = sys.argv[1:] or list(PROOFS)
    unknown = set(asked) - set(PROOFS)
    if unknown:
        sys.exit(f"no such proof: {', '.join(unknown)}; there are {', '.join(PROOFS)}")
    for name in asked:
        table.keep(name, PROOFS[name]())
    table.write(list(PROOFS))


if __name__ == "__main__":
    main()
