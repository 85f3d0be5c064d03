"""The public names, and what each of them takes, as one text.

    PYTHONPATH=tests python -m package.api

writes `api.txt` anew, but for the modules whose frameworks are not here: the Pythons of `.venv-engine-*` and of
`.venv-framework-*` write those.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("api.txt")
PLAIN = ("varscale", "varscale.checkpoint", "varscale.plot", "varscale.replay")
"""The public modules that need no framework."""
MODULES = (
    *PLAIN,
    "varscale.dask",
    "varscale.jax",
    "varscale.jax.haiku",
    "varscale.keras",
    "varscale.mlx",
    "varscale.tf1",
    "varscale.tf1.initializers",
    "varscale.tf_keras",
    "varscale.torch",
)
_BOUND = (classmethod, staticmethod)


def listing(module: str) -> list[str]:
    """The lines of a module: each public name, and the members of each class that are not those of a public base."""
    found = importlib.import_module(module)
    names = {name: getattr(found, name) for name in sorted(found.__all__)}
    return [line for name, thing in names.items() for line in _lines(name, thing, names)]


def _lines(name: str, thing: Any, names: dict[str, Any]) -> Iterator[str]:
    own = getattr(thing, "__name__", name)
    if name != own and names.get(own) is thing:
        yield f"{name} = {own}"
    elif not callable(thing) or not (inspect.isroutine(thing) or inspect.isclass(thing)):
        yield f"{name}: {type(thing).__name__}"
    elif not _is_ours(thing):
        yield f"{name}: as {thing.__module__.partition('.')[0]} has it"
    elif inspect.isclass(thing):
        base = next((base for base in thing.__mro__[1:] if base in names.values()), None)
        yield name + _taken(thing) + ("" if base is None else f": {base.__name__}")
        yield from sorted(_members(thing) - (set() if base is None else _members(base)))
    else:
        yield name + _taken(thing)


def _is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "varscale"


def _members(cls: type) -> set[str]:
    """The public attributes and methods that our own classes give it; a call is one."""
    ours = [base for base in cls.__mro__ if _is_ours(base)]
    names = {name for base in ours for name in (*vars(base), *inspect.get_annotations(base))}
    shown = {name for name in names if name == "__call__" or not (name.startswith("_") or name.endswith("__"))}
    members = {name: inspect.getattr_static(cls, name, None) for name in shown}
    methods = {name for name, found in members.items() if inspect.isroutine(found) or isinstance(found, _BOUND)}
    return {f"    .{name}" + (_taken(members[name]) if name in methods else "") for name in shown}


def _taken(thing: Any) -> str:
    """The parameters, without their types, which say what a caller may write but not what they do."""
    function = thing.__func__ if isinstance(thing, _BOUND) else thing
    parameters = list(inspect.signature(function).parameters.values())
    if parameters and parameters[0].name in {"self", "cls"}:
        parameters = parameters[1:]
    plain = [
        parameter.replace(annotation=parameter.empty, default=_Default(parameter.default))
        if parameter.default is not parameter.empty
        else parameter.replace(annotation=parameter.empty)
        for parameter in parameters
    ]
    return str(inspect.Signature(plain))


class _Default:
    """A default value as a caller would write it; what has no such form is "..."."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return repr(self._value) if isinstance(self._value, bool | int | float | str | tuple | None) else "..."


def kept() -> dict[str, list[str]]:
    """The lines of each module in the file."""
    _, *sections = FILE.read_text(encoding="utf-8").split("# ")
    return {module: lines for module, *lines in (section.rstrip("\n").split("\n") for section in sections)}


def check(module: str) -> None:
    """Raises AssertionError with the difference where a module is not what the file says."""
    found = listing(module)
    difference = "\n".join(difflib.unified_diff(kept()[module], found, "api.txt", module, lineterm="", n=0))
    assert not difference, f"{difference}\n{__doc__}"


def write() -> None:
    """Writes the file with what can be imported here."""
    sections = kept() if FILE.exists() else {}
    for module in MODULES:
        try:
            sections[module] = listing(module)
        except ImportError as error:
            print(error)
    text = "".join(f"# {module}\n" + "".join(f"{line}\n" for line in sections[module]) for module in MODULES)
    FILE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
