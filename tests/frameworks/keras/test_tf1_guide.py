"""The guide to TensorFlow 1, and the examples of its docstrings."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import varscale as vs
from package import document
from varscale.tf1 import _configs, _scaling

GUIDE = "docs/guides/tensorflow1.md"


def test_document_examples(tmp_path: Path) -> None:
    """If this fails an example of the guide does not run."""
    scripts = [script for engine in (None, "tf1") for script in document.scripts(GUIDE, engine)]
    assert len(scripts) == 4
    for script in scripts:
        document.run(script, tmp_path)


@pytest.mark.parametrize("module", [_configs, _scaling])
def test_docstring_examples(module: object) -> None:
    """If this fails an example of `help()` does not give what it shows."""
    found = doctest.DocTestFinder(exclude_empty=True)
    tests = [
        test
        for name, thing in vars(module).items()
        if getattr(thing, "__module__", "") in {module.__name__, vs.tf1.__name__}
        for test in found.find(thing, name)
        if test.examples
    ]
    assert tests
    for test in tests:
        assert doctest.DocTestRunner().run(test).failed == 0
