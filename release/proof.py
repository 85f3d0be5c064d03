"""Proves the installed package, wherever it is run: the README's first example, golden hashes, known answers.

Prints one line of JSON: on what it ran, and how much of it held. The package must come from a wheel. With `--example`
only the README's first example is run, which needs nothing but the wheel; with `--documents` the sessions, scripts and
commands of the site, as far as they need no framework.
"""

from __future__ import annotations

import doctest
import json
import platform
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
MARK = "pytest.mark.known_answers"
DOCUMENTS = (
    "command/test_guide.py",
    "package/test_documents.py::test_scripts",
    "package/test_names.py::test_docstring_examples",
    "package/test_names.py::test_document_examples",
)
"""What runs the code of the site."""


def first_example() -> None:
    """The README's first example, as a newcomer would run it."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## First example\n", 1)[1]
    code = section.split("```python\n", 1)[1].split("```", 1)[0]
    parsed = doctest.DocTestParser().get_doctest(code, {}, "README.md", None, None)
    result = doctest.DocTestRunner().run(parsed)
    if result.failed or not result.attempted:
        sys.exit("the README's first example fails")


def golden_hashes() -> int:
    """How many golden hashes were reproduced: all of them, or the end."""
    from oracle import golden

    found = list(golden.rows())
    different = [row for row, kept in zip(found, golden.kept(), strict=True) if row != kept]
    if different:
        sys.exit(f"{len(different)} golden hashes differ, first: {different[0]}")
    return len(found)


class Counter:
    """Counts the tests that pytest saw pass, and those that ended in the refusal that tests/conftest.py expects."""

    def __init__(self) -> None:
        self.passed = self.refused = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest for each phase of each test."""
        self.passed += report.when == "call" and report.passed
        self.refused += hasattr(report, "wasxfail")


def known_answers() -> tuple[int, int]:
    """How many tests of known answers passed, and how many were refused on this C library: all of them, or the end."""
    # Looked for in the text: collecting the other files takes packages that no wheel needs.
    return passed([str(path) for path in sorted(TESTS.rglob("test_*.py")) if MARK in path.read_text(encoding="utf-8")])


def passed(tests: list[str]) -> tuple[int, int]:
    """How many of these tests passed, and how many were refused: all of them, or the end."""
    import pytest

    counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        (settings := Path(folder, "pytest.ini")).write_text("[pytest]\n", encoding="utf-8")
        quiet = ["-q", "--no-header", "--disable-warnings", "-p", "no:cacheprovider"]
        alone = ["-c", str(settings), "--rootdir", str(TESTS)]
        if pytest.main([*quiet, *alone, *tests], plugins=[counter]) or not counter.passed:
            sys.exit("what must hold does not")
    return counter.passed, counter.refused


def main() -> None:
    """Proves, and says what on."""
    import ml_dtypes
    import numpy as np

    import varscale
    from varscale import _core

    if ROOT / "python" in Path(varscale.__file__).parents:
        sys.exit("this is the source tree's package, not a wheel's")
    first_example()
    if sys.argv[1:] == ["--example"]:
        return
    sys.path.insert(0, str(TESTS))
    threads = " free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    if threads and sys._is_gil_enabled():  # a module that does not say that it can do without switches it on
        sys.exit("a free-threaded Python runs this with the GIL")
    report: dict[str, Any] = {
        "python": platform.python_version() + threads,
        "numpy": np.__version__,
        "ml_dtypes": ml_dtypes.__version__,
        "machine": platform.machine(),
        "system": f"{platform.system()} {''.join(platform.libc_ver())}".strip(),
        "level": _core.simd_level(),
    }
    if sys.argv[1:] == ["--documents"]:
        report["tests"], report["refused"] = passed([str(TESTS / test) for test in DOCUMENTS])
    else:
        report["golden"] = golden_hashes()
        report["tests"], report["refused"] = known_answers()
    print(f"\nproof: {json.dumps(report)}")


if __name__ == "__main__":
    main()
