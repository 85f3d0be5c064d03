"""A page for each public module, with a part for each of its names: docstrings and types, read and never imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import griffe

PYTHON = Path(__file__).resolve().parents[2] / "python"
GUIDES = {
    "checkpoint": "checkpoints",
    "dask": "engines",
    "jax": "jax",
    "jax.haiku": "jax",
    "keras": "keras",
    "mlx": "arrays",
    "plot": "plots",
    "replay": "same-weights-as-before",
    "tf1": "tensorflow1",
    "tf1.initializers": "tensorflow1",
    "tf_keras": "keras",
    "torch": "torch",
}
"""The public modules below `varscale`, with the guide to each."""
INITIALIZERS = "varscale: initializers"
MODULES = {INITIALIZERS: "varscale", "varscale: models and more": "varscale"} | {
    f"varscale.{name}": f"varscale.{name}" for name in GUIDES
}
MODEL = "VarianceScaling"
"""The initializer that is shown with all its methods, which are those of the others."""
PAGES = {title: f"reference/names/{title.replace(':', '').replace(' ', '-')}.md" for title in MODULES}
"""The pages' places on the site, by title."""


def pages() -> Iterator[tuple[str, str]]:
    """The place and the text of each page."""
    collection = griffe.ModulesCollection()
    extensions = griffe.load_extensions(Path(__file__).parent / "made.py")
    griffe.load("varscale", search_paths=[PYTHON], modules_collection=collection, extensions=extensions)
    for title, path in PAGES.items():
        yield path, "\n\n".join(parts(title, collection[MODULES[title]]))


def parts(title: str, module: griffe.Module) -> Iterator[str]:
    """The head of a page, and then the names, each where its first spelling in the module stands."""
    yield f"# {title}"
    name = module.path.removeprefix("varscale.")
    if guide := GUIDES.get(name):
        yield module.docstring.value if module.docstring else ""
        yield f"[The guide](../../guides/{guide}.md) shows how to use it."
    if title == INITIALIZERS:
        yield f"What all of them do stands at [`{MODEL}`][varscale.{MODEL}]: calls, streams, lazy tensors, configs."
    spellings: dict[str, list[str]] = {}
    for public in module.exports or ():
        spellings.setdefault(meaning(module, str(public)), []).append(str(public))
    for target, names in spellings.items():
        if name != "varscale" or (title == INITIALIZERS) == target.startswith("varscale._initializers."):
            yield part(module, target, names)


def meaning(module: griffe.Module, name: str) -> str:
    """What a name stands for: the path of a class or function, or the text that it was set to."""
    member = module.members[name]
    if member.is_alias and not member.target_path.startswith("varscale."):
        return member.target_path
    if not member.is_attribute or member.value is None:
        return member.canonical_path
    value = str(member.value)
    home = member.final_target.parent if member.is_alias else module
    return meaning(home, value) if value in home.members else value


def part(module: griffe.Module, target: str, names: list[str]) -> str:
    """One name with its docstring, after the other spellings that it has."""
    path = f"{module.path}.{names[0]}"
    anchors = "\n".join(f"[](){{#{module.path}.{name}}}" for name in names[1:])
    also = f"Other names: {', '.join(f'`{name}`' for name in names[1:])}.\n\n" if names[1:] else ""
    if target.startswith("varscale."):
        inherited = "\n    options:\n      inherited_members: true" if path == f"varscale.{MODEL}" else ""
        return f"{anchors}\n\n::: {path}{inherited}\n\n{also}"
    theirs = target.replace("_v1", "tensorflow.compat.v1")
    return f"## `{names[0]}` {{#{path}}}\n\n{anchors}\n\n{also}The framework's own: `{theirs}`."
