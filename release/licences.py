"""Writes THIRD-PARTY-LICENSES: the licences of the crates that are compiled into the wheels, text by text.

Without `--write` it only compares, and fails where the file is not what it would write.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from targets import ROOT

FILE = ROOT / "THIRD-PARTY-LICENSES"
RUNTIME = ROOT / "release" / "runtime_licences.txt"
"""Of what compilers and linkers add: Rust's standard library with the crates in it, what zig and mingw add. By hand."""
FEATURES = ["--locked", "--features", "python"]
HEADER = """\
The wheels of varscale hold compiled code of the following crates (https://crates.io), of Rust's standard library
(https://www.rust-lang.org), and of what the linker adds: of LLVM and Zig or, for Windows, of mingw-w64 and GCC. Where
one may be used under either of several licences, it is used here under the one that stands below.
"""


def cargo(*arguments: str) -> str:
    """What a cargo command prints."""
    return subprocess.run(["cargo", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def linked() -> list[tuple[str, str, str]]:
    """Name, version and licence expression of every crate in the extension, on any target."""
    options = [
        "--edges",
        "normal,no-proc-macro",
        "--target",
        "all",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p} {l}",
    ]
    lines = sorted(set(cargo("tree", *FEATURES, *options).splitlines()))
    crates = [line.split(" ", 2) for line in lines if not line.startswith("varscale ")]
    return [(name, version.removeprefix("v"), expression) for name, version, expression in crates]


def licence(folder: Path) -> str:
    """The text of a crate's licence: MIT's, where it is one of several."""
    files = sorted(path for path in folder.iterdir() if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")))
    if not files:
        sys.exit(f"no licence in {folder}")
    chosen = next((path for path in files if "MIT" in path.name.upper()), files[0])
    return "\n".join(line.rstrip() for line in chosen.read_text(encoding="utf-8").strip().splitlines())


def document() -> str:
    """The whole file."""
    folders = {
        (package["name"], package["version"]): Path(package["manifest_path"]).parent
        for package in json.loads(cargo("metadata", "--format-version", "1", *FEATURES))["packages"]
    }
    users: dict[str, list[str]] = {}
    for name, version, expression in linked():
        users.setdefault(licence(folders[name, version]), []).append(f"{name} {version} ({expression})")
    rule = "=" * 80
    parts = [f"{rule}\n" + "\n".join(crates) + f"\n{rule}\n\n{text}\n" for text, crates in users.items()]
    return "\n".join([HEADER, *parts, RUNTIME.read_text(encoding="utf-8")])


def main() -> None:
    """Writes or compares."""
    if "--write" in sys.argv:
        FILE.write_text(document(), encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != document():
        sys.exit("THIRD-PARTY-LICENSES is out of date: python release/licences.py --write")


if __name__ == "__main__":
    main()
