"""The tensors of a module by name, and those among them that patterns choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch

from .._arguments.show import show
from .._engines import matched

_WRAPPERS = {"_orig_mod", "_checkpoint_wrapped_module"}
"""The parts that `torch.compile` and activation checkpointing put into the names of parameters."""


class Named(NamedTuple):
    """A tensor of a module."""

    tensor: torch.Tensor
    names: list[str]
    """All its names, in order: a tied parameter has several."""
    is_parameter: bool

    @property
    def name(self) -> str:
        """The name that counts: the first."""
        return self.names[0]

    def __str__(self) -> str:
        # What it is called in errors. Few are raised, so that this is not made before.
        return f"{'parameter' if self.is_parameter else 'buffer'} {show(self.name)}"


Label = str | Named
"""What a tensor is called in errors: a text, or the names of which one is made where there is an error."""


def plain(name: str) -> str:
    """A name without the parts of wrappers, which must not count."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def tensors_of(module: torch.nn.Module, names: Any, keep: Any) -> list[Named]:
    """The parameters, then the buffers of a module: those that `names` matches (None: all) and `keep` does not.

    Raises:
        TypeError: The module is sharded by FSDP1, or the patterns are no strings.
        ValueError: A pattern matches nothing.
    """
    # Duplicates too: a model may know a shared parameter by any of its names.
    every = [
        *(Named(*found, True) for found in named(module.named_parameters(remove_duplicate=False))),
        *(Named(*found, False) for found in named(module.named_buffers(remove_duplicate=False))),
    ]
    chosen = set(map(id, every)) if names is None else _matched("names", names, every)
    chosen -= _matched("keep", keep, every)
    return [entry for entry in every if id(entry) in chosen]


def named(tensors: Iterable[tuple[str, torch.Tensor]]) -> list[tuple[torch.Tensor, list[str]]]:
    """Every tensor once, with all its names, in order."""
    found: dict[int, tuple[torch.Tensor, list[str]]] = {}
    for name, tensor in tensors:
        if "_fsdp_wrapped_module" in name.split("."):
            msg = (
                "`target` must be sharded by `fully_shard` (FSDP2): the flat parameters of FSDP1 have lost their shapes"
            )
            raise TypeError(msg)
        # By identity: tensors compare element by element.
        found.setdefault(id(tensor), (tensor, []))[1].append(plain(name))
    return list(found.values())


def inside(kind: type, given: Any) -> Iterator[Any]:
    """What there is of a kind, also inside lists, tuples and dicts."""
    if isinstance(given, kind):
        yield given
    elif isinstance(given, dict | list | tuple):
        for inner in given.values() if isinstance(given, dict) else given:
            yield from inside(kind, inner)


def _matched(argument: str, patterns: Any, every: list[Named]) -> set[int]:
    """The tensors that any of the patterns matches, by identity."""
    by_name = {name: entry for entry in every for name in entry.names}
    return {id(by_name[name]) for name in matched(argument, patterns, by_name, "parameters or buffers of the module")}
