"""Builds every wheel and the sdist into dist/ from a clean clone of the last commit; `--twice` proves the same bits.

The clone's place is fixed, because wheels name it in their bill of materials: builds of one commit with the same Rust,
maturin and zig are the same bytes, wherever the repository is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from targets import DIST, ROOT, TARGETS, Target

CLONE = Path("/tmp/varscale")
RUST = "1.95.0"
"""What compiles a release. A newer one is a change of this line: the wheels are proven anew, with its bits."""
STD = "std.cyclonedx.json"
"""The bill of materials of Rust's standard library, of which maturin's own says nothing."""
IN_A_WHEEL = (
    *("Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md", "src", "python", "LICENSE*", "THIRD-PARTY*"),
    f"release/{STD}",
)
TOOLS = Path(sys.executable).parent


def clone() -> None:
    """The last commit, and nothing that lies about in the work tree."""
    shutil.rmtree(CLONE, ignore_errors=True)
    subprocess.run(
        ["git", "-c", "advice.detachedHead=false", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(CLONE)],
        check=True,
    )


def environment(triple: str) -> dict[str, str]:
    """What makes a build repeatable and small: one Rust, one time in archives, no path of this machine, a lean std."""
    sysroot = printed("rustc", f"+{RUST}", "--print", "sysroot")
    places = {
        str(CLONE): "/varscale",
        os.environ.get("CARGO_HOME", str(Path.home() / ".cargo")): "/cargo",
        f"{sysroot}/lib/rustlib/src/rust": "/rust",
    }
    flags = [f"--remap-path-prefix={place}={name}" for place, name in places.items()]
    if "apple" in triple:
        # The linker makes the library's UUID of the names and times of temporary files too, where it writes them down.
        flags.append("-Clink-arg=-Wl,-S")
    return {
        "RUSTUP_TOOLCHAIN": RUST,
        # Of the last commit that changed them: writing down in docs/ that they were proven must not change them.
        "SOURCE_DATE_EPOCH": printed("git", "-C", str(ROOT), "log", "-1", "--format=%ct", "--", *IN_A_WHEEL),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        # Rust's standard library is compiled with the crate, without what prints backtraces: a fifth of a wheel, and of
        # no use in a library without symbols. Cargo calls this unstable, and asks for the variable.
        "RUSTC_BOOTSTRAP": "1",
        "CARGO_UNSTABLE_BUILD_STD": "std,panic_unwind",
        "CARGO_UNSTABLE_BUILD_STD_FEATURES": "panic-unwind",
    }


def printed(*command: str) -> str:
    """What a command prints, without the end of its line."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run(command: list[str], triple: str = "") -> None:
    """Runs a command in the clone; what it prints is worth reading only if it fails."""
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"  # zig is a module of this environment
    ours = {"PATH": path, "CARGO_TARGET_DIR": str(CLONE / "target"), **environment(triple)}
    done = subprocess.run(
        command, cwd=CLONE, env={**os.environ, **ours}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")


def arguments(target: Target) -> list[str]:
    """Of `maturin build`."""
    found = ["--release", "--locked", "--compression-level", "9", "--interpreter", f"python{target.python}"]
    found += ["--sbom-include", f"release/{STD}"]
    if target.linker == "zig":
        found.append("--zig")
    return [*found, "--compatibility", target.compatibility] if target.compatibility else found


def matrix() -> str:
    """The rows of the release workflow's jobs, as JSON: what maturin-action is asked for."""
    pinned = re.search('"maturin==(.*?)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if pinned is None:
        sys.exit("pyproject.toml pins no maturin")
    rows = [{"name": "sdist", "command": "sdist", "triple": "", "linker": "", "arguments": ""}]
    for target in TARGETS:
        row = {"name": target.name, "command": "build", "triple": target.triple, "linker": target.linker}
        rows.append({**row, "arguments": " ".join(arguments(target))})
    return json.dumps([{**row, "maturin": f"v{pinned[1]}", "rust": RUST} for row in rows])


def build(out: Path, names: list[str]) -> None:
    """The sdist and the wheels whose name holds every word of `names`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    clone()
    rust = ["rustup", "toolchain", "install", RUST, "--profile", "minimal", "--component", "rust-src"]
    subprocess.run(rust, check=True, capture_output=True)
    run([str(TOOLS / "maturin"), "sdist", "--out", str(out)])
    for target in TARGETS:
        if all(name in target.name for name in names):
            run(["rustup", "target", "add", target.triple])
            begin = time.monotonic()
            maturin = [
                str(TOOLS / "maturin"),
                "build",
                *arguments(target),
                "--target",
                target.triple,
                "--out",
                str(out),
            ]
            run(maturin, target.triple)
            print(f"{target.name:<38} {time.monotonic() - begin:4.0f} s", flush=True)
    (out / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in digests(out).items()))
    shutil.rmtree(CLONE)


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every distribution in a folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".whl", ".gz"})
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main() -> None:
    """Builds once, or twice and compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twice", action="store_true", help="build again from another clean clone and compare")
    parser.add_argument("--matrix", action="store_true", help="print the release workflow's jobs instead")
    parser.add_argument("--environment", metavar="TRIPLE", help="print the variables a target is built with instead")
    parser.add_argument("--rust", action="store_true", help="print which Rust it is built with instead")
    parser.add_argument("names", nargs="*", help="only the wheels whose name holds all of these words")
    chosen = parser.parse_args()
    if chosen.matrix:
        print(matrix())
        return
    if chosen.rust:
        print(RUST)
        return
    if chosen.environment is not None:
        print(*(f"{name}={value}" for name, value in environment(chosen.environment).items()), sep="\n")
        return
    if subprocess.run(["git", "-C", str(ROOT), "status", "--porcelain"], capture_output=True, check=True).stdout:
        print("what is not committed is not in the wheels", file=sys.stderr)
    build(DIST, chosen.names)
    if chosen.twice:
        with tempfile.TemporaryDirectory() as again:
            build(Path(again), chosen.names)
            first, second = digests(DIST), digests(Path(again))
        different = [name for name in first if first[name] != second.get(name)]
        if different:
            sys.exit(f"not the same bytes when built again: {', '.join(different)}")
        print(f"{len(first)} files built twice: the same SHA-256")


if __name__ == "__main__":
    main()
