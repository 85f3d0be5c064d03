"""What a release consists of: a row a wheel. A new platform is a new row."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


class Target(NamedTuple):
    """One wheel."""

    name: str
    """How documents call it."""
    triple: str
    """Rust's name of the platform."""
    python: str
    """The interpreter whose ABI it is built for; 3.10 means the stable ABI of 3.10 and later."""
    compatibility: str | None
    """The oldest system it runs on, in maturin's words."""
    tag: str
    """The end of the file's name."""
    linker: str = "zig"
    """Zig links against the oldest C library that the tag allows. For Windows it is mingw, since maturin 1.16 tells
    zig to export `PyInit_varscale._core`, which Python does not look for."""

    def wheel(self) -> Path | None:
        """The built file, if there is one."""
        return next(iter(sorted(DIST.glob(f"varscale-*-{self.tag}.whl"))), None)


TARGETS = (
    Target(
        "manylinux2014 x86_64",
        "x86_64-unknown-linux-gnu",
        "3.10",
        "manylinux2014",
        "cp310-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64",
    ),
    Target(
        "manylinux2014 aarch64",
        "aarch64-unknown-linux-gnu",
        "3.10",
        "manylinux2014",
        "cp310-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64",
    ),
    Target(
        "manylinux2014 x86_64, free-threaded",
        "x86_64-unknown-linux-gnu",
        "3.14t",
        "manylinux2014",
        "cp314-cp314t-manylinux2014_x86_64.manylinux_2_17_x86_64",
    ),
    Target(
        "musllinux_1_2 x86_64", "x86_64-unknown-linux-musl", "3.10", "musllinux_1_2", "cp310-abi3-musllinux_1_2_x86_64"
    ),
    Target(
        "musllinux_1_2 aarch64",
        "aarch64-unknown-linux-musl",
        "3.10",
        "musllinux_1_2",
        "cp310-abi3-musllinux_1_2_aarch64",
    ),
    Target("macOS 11 arm64", "aarch64-apple-darwin", "3.10", None, "cp310-abi3-macosx_11_0_arm64"),
    Target("macOS 10.12 x86_64", "x86_64-apple-darwin", "3.10", None, "cp310-abi3-macosx_10_12_x86_64"),
    Target("Windows x86_64", "x86_64-pc-windows-gnu", "3.10", None, "cp310-abi3-win_amd64", "mingw"),
)


def version() -> str:
    """The version as Python writes it, from its one source."""
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = manifest.split('\nversion = "', 1)[1].split('"', 1)[0]
    # Of what Cargo and Python write differently, candidates alone are clear: 1.2.3-rc1 is 1.2.3rc1.
    known = re.fullmatch(r"(\d+\.\d+\.\d+)(?:-(rc\d+))?", found)
    if known is None:
        sys.exit(f"`version` in Cargo.toml must be three numbers, and may end in -rc1, got {found!r}")
    return known[1] + (known[2] or "")
