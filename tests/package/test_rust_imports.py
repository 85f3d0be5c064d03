"""Imports of the Rust crate run down its floors, and never in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from package.graph import Graph, circles, folder, upward

ROOT = Path(__file__).parents[2]

FLOORS = {
    "math": 1,
    "machine": 1,
    "region": 1,
    "stream": 2,
    "law": 2,
    "value": 3,
    "element": 4,
    "fill": 5,
    "replay": 6,
    "matrix": 6,
    "survey": 6,
    "python": 7,
    "lib": 8,
}
"""The folders of src/, or files beside them, from the ground up. One may import from those on lower floors only."""

Module = tuple[str, ...]

NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\']*|[^\'\\])\'', re.DOTALL)
TOKEN = re.compile(r"\w+|::|[^\w\s]")


def draw(src: Path) -> Graph:
    """Which file names something of which other one, in a `use` line or by its path; files as paths below src/.

    What a module re-exports is imported from that module: `use crate::stream::Philox` is an import of stream/mod.rs.
    """
    files = {_module(file.relative_to(src)): file.relative_to(src).as_posix() for file in sorted(src.rglob("*.rs"))}
    graph: Graph = {name: set() for name in files.values()}
    for module, name in files.items():
        tokens = TOKEN.findall(NOISE.sub(" ", (src / name).read_text(encoding="utf-8")))
        for path in _paths(tokens, module):
            # The longest part of the path that is a file: what follows is an item, or a module inside the file.
            end = next(end for end in range(len(path), -1, -1) if path[:end] in files)
            graph[name] |= {files[path[:end]]} - {name}
    return graph


def _module(file: Path) -> Module:
    parts = file.with_suffix("").parts
    return parts[:-1] if parts[-1] in ("mod", "lib") else parts


def _paths(tokens: list[str], module: Module) -> Iterator[Module]:
    """The paths from the crate's root of all that a file names in `crate`, `super`, `self` and its own submodules."""
    children = {tokens[i + 1] for i, token in enumerate(tokens) if token == "mod" and tokens[i + 2] == ";"}
    inside: list[str | None] = []  # a name for each open brace: that of the module it opens, if it opens one
    place = 0
    while place < len(tokens):
        token, before = tokens[place], tokens[place - 2 : place]
        here = (*module, *filter(None, inside))
        trees: list[Module] = []
        if token == "{":
            inside.append(before[1] if before[:1] == ["mod"] else None)
        elif token == "}":
            inside.pop()
        elif token == "use" and tokens[place + 1] != "<":  # `use<'a, T>` says what an opaque type captures
            trees, place = _tree(tokens, place + 1)
        elif token.isidentifier() and tokens[place + 1 : place + 2] == ["::"] and before[1:] != ["::"]:
            path = [token]
            while tokens[place + 1] == "::" and tokens[place + 2].isidentifier():
                path.append(tokens[place + 2])
                place += 2
            trees = [tuple(path)]
        for first, *rest in trees:
            if first == "crate":
                yield tuple(rest)
            elif first in ("self", "super"):
                steps = [first, *rest]
                base = here
                while steps and steps[0] in ("self", "super"):
                    base = base[:-1] if steps.pop(0) == "super" else base
                yield (*base, *steps)
            elif first in children:
                yield (*module, first, *rest)
        place += 1


def _tree(tokens: list[str], place: int) -> tuple[list[Module], int]:
    """The paths of the `use` tree at a place, braces resolved, and where it ends."""
    path: list[str] = []
    while tokens[place] not in (";", ",", "}"):
        if tokens[place] == "{":
            paths: list[Module] = []
            while tokens[place] != "}":
                branches, place = _tree(tokens, place + 1)
                paths += [(*path, *branch) for branch in branches]
            return paths, place + 1
        if tokens[place] == "as":
            place += 1
        elif tokens[place] != "::":
            path.append(tokens[place])
        place += 1
    return [tuple(path)] if path else [], place


def _crate(src: Path, **files: str) -> Path:
    """A small crate: `a__b` is the file a/b.rs."""
    for name, text in files.items():
        file = src / (name.replace("__", "/") + ".rs")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return src


def test_every_folder_has_its_floor() -> None:
    """A new folder that no rule holds for."""
    src = ROOT / "src"
    assert {folder(file.relative_to(src).as_posix()) for file in src.rglob("*.rs")} == set(FLOORS)


def test_imports_run_down() -> None:
    """A lower floor that needs a higher one, or two folders of one floor that need each other."""
    assert upward(draw(ROOT / "src"), FLOORS) == []


def test_there_are_no_circles() -> None:
    """Files that can only be read together."""
    assert circles(draw(ROOT / "src")) == []


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    """A checker that cannot fail: it must name the circle, and not the file that only leads into it."""
    src = _crate(
        tmp_path,
        lib="mod fill; mod machine;",
        fill__mod="pub mod run;\nuse run::run;",
        fill__run="use super::{batch::{Batch, self}, strided as other};",
        fill__batch="pub fn batch() { crate::fill::strided::view() }",
        fill__strided="#[cfg(test)]\nmod tests {\n    use super::super::run::run;\n}",
        machine__mod="",
    )
    assert circles(draw(src)) == [["fill/batch.rs", "fill/run.rs", "fill/strided.rs"]]
    assert upward(draw(src), FLOORS) == []


def test_a_planted_upward_import_is_found(tmp_path: Path) -> None:
    """A checker that cannot fail, or that takes the way down for one up."""
    src = _crate(
        tmp_path,
        lib="mod element; mod fill; mod law; mod machine;",
        element="use crate::law::Law;\n",
        fill="use crate::{element::{Element, F16}, machine::level::Level};\n",
        law__mod="use crate::element::Element;\n",
        machine__level="fn f() -> impl Sized + use<> { crate::math::ln() }",
        math="",
    )
    assert upward(draw(src), FLOORS) == [("law/mod.rs", "element.rs"), ("machine/level.rs", "math.rs")]


def test_what_is_only_talked_about_is_no_import(tmp_path: Path) -> None:
    """Imports that are found in comments, strings, and names that look like modules, or a file's own that are."""
    src = _crate(
        tmp_path,
        lib="mod law; mod fill;",
        law__mod="//! See [`fill`](crate::fill).\nmod normal;\nmod own { pub fn f() {} }\nuse self::own::f;\n",
        law__normal='/* use crate::fill; */ const A: &str = "use crate::fill;"; const Q: char = \'"\'; use std::fill;',
        fill="fn f() { let crate_fill = super::law::normal::A; }",
    )
    assert {name: found for name, found in draw(src).items() if found} == {"fill.rs": {"law/normal.rs"}}
