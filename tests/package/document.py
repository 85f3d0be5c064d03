"""The code in the documents: its blocks, who runs each of them, and how."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from varscale._engines import EXTRAS

ROOT = Path(__file__).parents[2]
PAGES = [str(path.relative_to(ROOT)) for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")))]

RUNNERS = {
    "tests/package/test_documents.py": {"numpy", "ml_dtypes"},
    "tests/engines/test_jax_documents.py": {"jax"},
    "tests/engines/test_dask_documents.py": {"dask", "xarray", "zarr"},
    "tests/engines/test_torch_documents.py": {"torch", "transformers", "timm"},
    "tests/frameworks/keras/test_keras_documents.py": {
        *("equinox", "flax", "h5py", "haiku", "jax", "keras", "optax", "tensorflow", "tf_keras"),
    },
    "tests/frameworks/torch/test_keras_torch_documents.py": {"keras", "lightning", "timm", "torch", "transformers"},
    "tests/frameworks/arrays/test_array_documents.py": {"mlx", "onnx", "paddle", "tinygrad"},
}
"""Who runs scripts, with what is installed there. The first that has all that a script imports runs it."""

LANGUAGES = {
    "python": "a session by the doctests of tests/package/test_names.py, a script by one of RUNNERS",
    "console": "tests/command/test_guide.py",
    "toml": "tests/command/test_guide.py",
    "": "nobody: it is no code",
}
"""Who runs the blocks of each language."""


class Block(NamedTuple):
    """A fenced block of a page: the language that it names, and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_doctest(self) -> bool:
        """Whether it is a session, which the doctests of its page run."""
        return self.language == "python" and self.text.startswith(">>> ")

    @property
    def needs(self) -> set[str]:
        """What a script imports beside Python's own library and what every environment has."""
        imported = {name.partition(".")[0] for name in imports(self.text)}
        adapters = {package for name, package in EXTRAS.items() if re.search(rf"\b(vs|varscale)\.{name}\b", self.text)}
        return (imported | adapters) - sys.stdlib_module_names - {"varscale", "numpy"}

    @property
    def runner(self) -> str | None:
        """The test that runs this script, if there is one."""
        return next((test for test, installed in RUNNERS.items() if self.needs <= installed), None)


def imports(script: str) -> list[str]:
    """The modules that a script names in its imports."""
    try:
        nodes = list(ast.walk(ast.parse(script)))
    except SyntaxError as error:
        return [str(error)]
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(page, text[: block.start()].count("\n") + 1, block[1], block[2]) for block in found]


def faults(page: str) -> list[str]:
    """What nobody runs: blocks that are not seen, of a language that nobody knows, or that need what nobody has."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found = blocks(page)
    fences = sum(line.lstrip(" >-*").startswith(("```", "~~~")) for line in lines)
    said = [f"{page}: a fence begins a line, and is of backticks"] if fences != 2 * len(found) else []
    for block in found:
        if block.language not in LANGUAGES:
            said.append(f"{block}: {block.language!r} is none of {sorted(LANGUAGES)}")
        elif block.language == "python" and not block.is_doctest and block.runner is None:
            said.append(f"{block}: no environment has all of {sorted(block.needs)}")
        elif not block.language and re.match(r"\$ |>>> |(varscale|python|pip|make) ", block.text):
            said.append(f"{block}: what is run says its language")
    return said


def every(language: str) -> list[Block]:
    """All blocks of a language, doctests aside."""
    return [block for page in PAGES for block in blocks(page) if block.language == language and not block.is_doctest]


def scripts(runner: str) -> list[Block]:
    """The scripts that a test has to run, by its `__file__`."""
    test = Path(runner).resolve().relative_to(ROOT).as_posix()
    return [block for block in every("python") if block.runner == test]


def run(script: str, folder: Path) -> None:
    """Runs a script; its first line may name the command, as in `# torchrun --nproc-per-node 4 script.py`."""
    (folder / "script.py").write_text(script, encoding="utf-8")
    launcher = re.match(r"# torchrun (.*) script\.py\n", script)
    module = ["-m", "torch.distributed.run", *launcher[1].split()] if launcher else []
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *module, "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
