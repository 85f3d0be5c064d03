"""Spellings: parameters as people hold them, brought into one mapping from names to entries."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._arguments.checks import as_integer, entries
from .._arguments.show import show
from .headers import METADATA, layout_of, read_headers
from .layers import fans_of, layer_of
from .layouts import Fans

_LAYOUTS = {"keras": "keras", "tf_keras": "keras", "tensorflow": "keras", "torch": "torch", "flax": "jax"}
"""The layouts of frameworks, by the package of their classes. Keras comes first: its layers may be torch's too."""
_WRAPPERS = {"_orig_mod", "_checkpoint_wrapped_module"}
"""The parts that `torch.compile` and activation checkpointing put into the names of parameters."""
_DEEPEST = 100


class Held(NamedTuple):
    """The parameters that a caller holds."""

    entries: dict[str, Any]
    paths: dict[str, str]
    """What kinds are to know a parameter by, where that is not its name alone."""
    fans: dict[str, Fans]
    """The fans of weights, where a layer tells them."""
    layouts: set[str]
    """The layouts that they bring."""
    tied: dict[str, str]
    """The first names of tied parameters by their other ones."""


def hold(parameters: Any) -> Held:
    """The entries of every spelling.

    Raises:
        TypeError: `parameters` is of another kind, or a name is.
        ValueError: Two parameters have one name, or a file cannot be read or is no safetensors file.
    """
    if isinstance(parameters, Held):
        return parameters
    if isinstance(parameters, str | os.PathLike):
        parameters = _of_file(parameters)
    package = _package(parameters)
    if package == "torch" and hasattr(parameters, "named_modules"):
        return _of_module(parameters)
    if _LAYOUTS.get(package) == "keras" and hasattr(parameters, "weights"):
        # By path, which tells layers apart; Keras 2 has it in the name. `weights` lacks the states of generators.
        pairs = [(getattr(weight, "path", weight.name), weight) for weight in parameters.weights]
    elif isinstance(parameters, Mapping):
        pairs = list(_flat(parameters, ()))
    else:
        pairs = list(_pairs(parameters))
    entries: dict[str, Any] = {}
    for name, entry in pairs:
        if name in entries:
            msg = f"`parameters` must hold each name once, got {show(name)} twice"
            raise ValueError(msg)
        entries[name] = entry
    found = {_LAYOUTS[package] for package in {_package(parameters), *map(_package, entries.values())} - {""}}
    layouts = found | (layout_of(parameters) if isinstance(parameters, Mapping) else set())
    return Held(entries, {}, {}, layouts, {})


def _of_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The entries of a safetensors file, or of all the files that an index names, of which only headers are read."""
    try:
        stored, metadata = read_headers(path, whole=False)
    except OSError as error:
        msg = (
            "`parameters` must be a mapping, or the path of a file that can be read, "
            f"got {show(path)}: {show(error.filename)}: {error.strerror}"
        )
        raise ValueError(msg) from error
    return {**stored, METADATA: metadata}


def _package(thing: Any) -> str:
    """The package of a framework whose class this is; "" for anything else. No framework is imported."""
    packages = {str(cls.__module__).partition(".")[0] for cls in type(thing).__mro__}
    return next((package for package in _LAYOUTS if package in packages), "")


def _of_module(module: Any) -> Held:
    """The parameters and buffers of a torch module, each once."""
    entries: dict[str, Any] = {}
    paths: dict[str, str] = {}
    fans: dict[str, Fans] = {}
    first: dict[int, str] = {}
    tied: dict[str, str] = {}
    if type(module).__name__ in {"DataParallel", "DistributedDataParallel"}:
        module = module.module  # which must not count for the names
    for prefix, owner in module.named_modules(remove_duplicate=False):
        place = [part for part in prefix.split(".") if part and part not in _WRAPPERS]
        own = fans_of(owner)
        fans |= {".".join((*place, leaf)): found for leaf, found in own.items()}
        for leaf, tensor in [*owner.named_parameters(recurse=False), *owner.named_buffers(recurse=False)]:
            name = ".".join((*place, leaf))
            if first.setdefault(id(tensor), name) != name:  # a tied parameter goes by its first name
                tied[name] = first[id(tensor)]
                continue
            entries[name] = tensor
            if leaf in {"weight", "bias"}:
                # The class tells more than the name: that of an embedding, of a weight among norms, of a norm.
                paths[name] = ".".join((*place, layer_of(owner) if leaf in own else type(owner).__name__, leaf))
    return Held(entries, paths, fans, {"torch"}, tied)


def _flat(parameters: Mapping[Any, Any], place: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The entries of nested mappings, whose keys are joined by slashes; a tuple is a whole path."""
    if len(place) > _DEEPEST:
        msg = f"`parameters` must be nested at most {_DEEPEST} deep, got {show('/'.join(place))}"
        raise ValueError(msg)
    for key, entry in parameters.items():
        if key == METADATA:
            continue
        inner = (*place, *map(_part, key if isinstance(key, tuple) else (key,)))
        if isinstance(entry, Mapping) and not {"shape", "dtype"} <= entry.keys():
            yield from _flat(entry, inner)
            continue
        if not place and not isinstance(key, str | tuple):
            raise _no_name(key)
        yield "/".join(inner), entry


def _part(part: Any) -> str:
    """A part of a name as a string."""
    if isinstance(part, str):
        return part
    number = as_integer(part)
    if number is None or abs(number) >= 2**63:  # nobody numbers layers so, and Python writes no longer ones
        raise _no_name(part)
    return str(number)


def _no_name(name: Any) -> TypeError:
    """The error for what names no parameter."""
    return TypeError(
        f"`parameters` must have names that are strings, or paths of strings and integers, got {show(name)}"
    )


def _pairs(parameters: Any) -> Iterator[tuple[str, Any]]:
    """Pairs of a name and an entry, such as `named_parameters()` yields."""
    what = "a mapping, pairs, a module, a model of Keras or a file"
    for pair in entries("parameters", parameters, what):
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            msg = f"`parameters` must be {what}, got {show(parameters)}"
            raise TypeError(msg)
        yield str.__str__(pair[0]), pair[1]  # a subclass may have no hash
