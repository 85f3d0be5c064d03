"""Making: the arrays of a model's parameters, the small ones all by one crossing into the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from sys import maxsize
from typing import Any

from numpy.typing import NDArray

from .._arguments.parts import Part, indexed_part
from .._core import Tensor, make_all
from .._filling.arrays import SMALL, small_tensor
from .._filling.blocks import Blocks
from .._filling.fill import Pass
from .._initializers.base import Initializer
from .._initializers.builtin import Builtin
from .._initializers.seeded import Seeded
from .._sources.seeds import Native
from .jobs import boxes
from .own import Own, maker
from .parameter import Parameter
from .progress import Progress

_WATCHED = 1 << 26
"""The bytes of a pass whose end is reported as progress: enough to keep all threads busy."""
_TOGETHER = 1 << 10
"""The small tensors of such a pass, which have at most as many bytes."""


def make_parameters(parameters: Mapping[str, Parameter], seed: Native, watched: Progress) -> dict[str, NDArray[Any]]:
    """The arrays of the parameters, by name and in their order."""
    arrays: dict[str, Any] = dict.fromkeys(parameters)
    for path, tensors in _small(parameters).items():
        fields = seed.fold_in(*path)._before_names()
        for batch in _batches(tensors, _TOGETHER if watched else len(tensors)):
            made = make_all(fields, batch)
            arrays.update(made)
            if watched:
                watched.advance(sum(array.nbytes for array in made.values()))
    most, with_seed = _WATCHED if watched else maxsize, seeded(seed)
    others = [name for name, array in arrays.items() if array is None]
    new_array = Blocks(sum(parameters[name].nbytes for name in others)).new_array
    together = Pass(most, watched.advance, new_array)
    for name in others:
        shape, dtype, initializer = parameters[name]
        # Not `fold_in`, which would copy an initializer for each of thousands of parameters.
        rule, stream = with_seed(initializer)._named(name)
        if parameters[name].nbytes <= most or isinstance(rule, Own):
            whole = Part(shape, shape)
            arrays[name] = together.add(rule._source(whole, dtype, stream), whole)
            continue
        # A parameter larger than a pass is filled part by part, all from one stream.
        arrays[name] = array = new_array(shape, dtype)
        for box in boxes(shape, most // dtype.itemsize):
            part = indexed_part(shape, box)
            together.add(rule._source(part, dtype, stream), part, array[box])
    together.run()
    return arrays


def seeded(seed: Native) -> Callable[[Initializer], Builtin | Own]:
    """A function that gives initializers the model's seed; names are not folded in."""
    found: dict[int, Builtin | Own] = {}  # thousands of parameters share an initializer

    def with_seed(initializer: Initializer) -> Builtin | Own:
        if id(initializer) not in found:
            found[id(initializer)] = maker(initializer)._with_seed(seed._given)
        return found[id(initializer)]

    return with_seed


def _small(parameters: Mapping[str, Parameter]) -> dict[tuple[int | str, ...], dict[str, Tensor]]:
    """The parameters that the core makes all by itself, by the path of their initializer."""
    found: dict[tuple[int | str, ...], dict[str, Tensor]] = {}
    known: dict[tuple[int, int, tuple[int, ...]], tuple[Tensor | None, dict[str, Tensor]]] = {}
    for name, (shape, dtype, initializer) in parameters.items():
        key = id(initializer), id(dtype), shape
        if key not in known:
            tensor = None
            if parameters[name].nbytes <= SMALL and isinstance(initializer, Seeded):
                tensor = small_tensor(maker(initializer)._source(Part(shape, shape), dtype), shape)
            path = initializer._path if isinstance(initializer, Seeded) else ()
            known[key] = tensor, found.setdefault(path, {})
        tensor, tensors = known[key]
        if tensor is not None:
            tensors[name] = tensor
    return found


def _batches(tensors: dict[str, Tensor], most: int) -> Iterator[dict[str, Tensor]]:
    left = iter(tensors.items())
    while batch := dict(islice(left, most)):
        yield batch
