"""The examples of the docstrings for TensorFlow 1."""

from __future__ import annotations

import doctest

import pytest

import varscale as vs
from varscale.tf1 import _configs, _scaling


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
