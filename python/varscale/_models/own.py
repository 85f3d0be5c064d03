"""Initializers of users' own, which a model takes for whole tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import any_dtype
from .._arguments.immutable import Immutable
from .._arguments.parts import Part
from .._arguments.show import show
from .._filling.assign import assign
from .._filling.lazy import Lazy
from .._initializers.base import Initializer
from .._initializers.builtin import Builtin
from .._sources.source import Source, Written


class Own(Immutable):
    """A user's initializer with the methods of ours. It makes whole tensors only, as its class says no more.

    One that derives from a class of ours draws from the model's seed and the parameter's name. Any other draws what it
    draws.
    """

    _fields = ("initializer",)
    __slots__ = _fields
    initializer: Initializer

    def __init__(self, initializer: Initializer) -> None:
        self._set(initializer=initializer)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        if not part.is_whole():
            msg = f"{show(self.initializer)} makes whole tensors only, as a class of your own, got a part of one"
            raise ValueError(msg)
        kind = any_dtype(dtype or getattr(self.initializer, "dtype", None) or "float32")

        def write(array: NDArray[Any], part: Part) -> None:
            made = np.asarray(self.initializer(part.full_shape, kind))
            if made.shape != part.full_shape:
                init, wanted = show(self.initializer), show(part.full_shape)
                msg = f"{init} must make the shape {wanted} that it is asked for, got {show(made.shape)}"
                raise ValueError(msg)
            assign(part.mesh(array), made)

        return Written(kind, write)

    def _with_seed(self, seed: Any) -> Own:
        return Own(self.initializer._with_seed(seed)) if isinstance(self.initializer, Builtin) else self

    def fold_in(self, *path: int | str) -> Own:
        """The same with an independent stream, where it derives from one of ours."""
        return Own(self.initializer.fold_in(*path)) if isinstance(self.initializer, Builtin) else self

    def _named(self, name: str) -> tuple[Own, bytes]:
        return self.fold_in(name), b""

    @property
    def seed(self) -> Any:
        """The seed of one that derives from ours; 0 for any other, whose draws no seed of ours decides."""
        return getattr(self.initializer, "seed", 0)

    def lazy(self, shape: tuple[int, ...], dtype: Any) -> Lazy:
        """The whole tensor, as an array-like."""
        return Lazy(self, shape, np.dtype(dtype).name, b"")

    def __call__(self, shape: Any, dtype: Any = None) -> NDArray[Any]:
        return self.initializer(shape, dtype)

    def get_config(self) -> dict[str, Any]:
        """The class and the config of the user's initializer."""
        cls = type(self.initializer)
        return {"module": cls.__module__, "class_name": cls.__qualname__, "config": self.initializer.get_config()}

    def __repr__(self) -> str:
        return show(self.initializer)


def maker(initializer: Initializer) -> Builtin | Own:
    """The initializer with the methods that models call: itself, if it is called as ours are."""
    # A user's subclass of ours that has a call of its own makes other values than its source says.
    is_ours = isinstance(initializer, Builtin) and type(initializer).__call__ is Builtin.__call__
    return initializer if is_ours else Own(initializer)  # type: ignore[return-value]
