"""Messages show the values of callers by one helper, `show`, which bounds their length and what they cost."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.thread_unsafe(reason="CPython 3.11 parses in one thread at a time only")

PACKAGE = Path(__file__).parents[2] / "python" / "varscale"
SHOW = PACKAGE / "_arguments" / "show.py"


def reprs(tree: ast.AST) -> Iterator[str]:
    """Where a repr is made: by name, by `!r`, or by `%` and `format`, which may hide one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and node.conversion != -1:
            yield ast.unparse(node.value)
        elif (isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"repr", "ascii", "format"}) or (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod)
            and isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, str)
        ):
            yield ast.unparse(node)


def bare_arguments(tree: ast.AST) -> Iterator[str]:
    """The arguments of a function that it writes into a text as they are, but for strings, errors and formats."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            taken = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
            kinds = {argument.arg: ast.unparse(argument.annotation or ast.Name("Any")) for argument in taken}
            values = {
                name
                for name, kind in kinds.items()
                if kind not in {"str", "Label", "Exception"} and not kind.endswith("Error")
            }
            for node in ast.walk(function):
                if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
                    if isinstance(node.value, ast.Name) and node.value.id in values:
                        yield node.value.id
                    elif isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in {"str", "list", "tuple"}:
                        yield ast.unparse(node.value)


def test_values_are_shown_by_one_helper() -> None:
    """If this fails a message may be megabytes long, or fail to be made."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py") if path != SHOW}
    found = {path.name: [*reprs(tree), *bare_arguments(tree)] for path, tree in trees.items()}
    assert {name: values for name, values in found.items() if values} == {}
    assert len(found) > 40


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('f"got {value!r}"', ["value"]),
        ('f"got {value}"', ["value"]),
        ('f"got {tuple(value)}"', ["tuple(value)"]),
        ('f"got {repr(value)}"', ["repr(value)"]),
        ('"got %s" % value', ["'got %s' % value"]),
        ('"got {}".format(value)', ["'got {}'.format(value)"]),
        ('f"{name} has {count:,}, got {show(value)}"', []),
    ],
)
def test_a_planted_repr_is_seen(line: str, seen: list[str]) -> None:
    """If this fails the test above sees no values at all."""
    tree = ast.parse(f"def check(name: str, value: Any, count: int) -> None:\n    raise ValueError({line})")
    assert [*reprs(tree), *bare_arguments(tree)] == seen
