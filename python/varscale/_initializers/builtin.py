"""The base of varscale's own initializers: immutability, configs, and the one way of being called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from .._arguments.checks import check_config
from .._arguments.dtypes import DTypeLike
from .._arguments.parts import WHOLE, HasFullShape, Part, check_elements, resolve_part
from .._arguments.shapes import ShapeLike
from .._arguments.show import show
from .._filling.arrays import out_dtype
from .._filling.fill import make
from .._filling.lazy import Lazy
from .._sources.seeds import Seed
from .._sources.source import Naming, Source
from .base import Initializer
from .swapped import warn_in_keras

Self = TypeVar("Self", bound="Builtin")


class Builtin(Initializer):
    """Base of varscale's own initializers: immutable, with a fixed set of parameters and one way of being called.

    A subclass's `_source` says what an array is filled from. Its `_parameters` are the constructor's arguments in a
    config's order. An argument with a default there is left out of configs while it has that value; the others are
    `_REQUIRED`.
    """

    _REQUIRED: ClassVar[object] = object()
    _parameters: ClassVar[dict[str, Any]] = {}
    _dialect: ClassVar[tuple[str, ...]] = ()
    """Further keys that a config may have: those that are no arguments, and those of other libraries."""
    autograph_info__: ClassVar[None] = None
    """What TensorFlow's AutoGraph looks for, in order to call an object and not make its source anew."""

    def _set(self, **values: Any) -> None:
        """Sets attributes for good; only constructors call it."""
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        # A user's subclass may add attributes of its own; nobody may change ours, nor take the name of one.
        if self._is_ours() or self._keeps(name):
            msg = f"{type(self).__name__} is immutable, cannot set `{name}`"
            raise AttributeError(msg)
        super().__setattr__(name, value)

    @classmethod
    def _keeps(cls, name: str) -> bool:
        """Whether an attribute of this name belongs to one of our own classes."""
        ours = [base for base in cls.__mro__ if issubclass(base, Builtin) and base._is_ours()]
        noted = any(name in base.__annotations__ or isinstance(vars(base).get(name), property) for base in ours)
        return noted or name in ("path", "stream")  # keys of configs

    def __delattr__(self, name: str) -> None:
        msg = f"{type(self).__name__} is immutable, cannot delete `{name}`"
        raise AttributeError(msg)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        """The source of a part of a tensor. It finds all that can be wrong with a call, and draws nothing.

        Its values come from the stream of that name, or where `stream` is None from the stream that the call takes.
        """
        raise NotImplementedError

    def _source_of_piece(self, seed: Seed, part: Part, dtype: Any, stream: bytes | Naming | None) -> Source:
        """The source of a part that draws from the seed of a tensor of which this is a piece."""
        return self._source(part, dtype)

    def _stream(self) -> bytes:
        """The name of the stream that one call draws from; an initializer that draws nothing has none."""
        return b""

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        """An initializer and a stream's name, which make what `fold_in(name)` would, often without a copy."""
        return self, b""

    def _changed(self, rule: Callable[[Builtin], Builtin]) -> Builtin:
        """What the rule makes of this initializer without its seed and its path, with both put back."""
        return rule(self)

    def _divided(self, by: float) -> Builtin | None:
        """The same rule with values over the root of `by`; None for one that `divided` refuses."""
        return None

    def _with_seed(self: Self, seed: Any) -> Self:
        """The same initializer with another seed; one that draws nothing stays as it is."""
        return self

    def __call__(
        self,
        shape: ShapeLike,
        dtype: DTypeLike | None = None,
        partition_info: HasFullShape | None = None,
        *,
        index: Any = WHOLE,
        out: NDArray[Any] | None = None,
        partition_shape: ShapeLike | None = None,
        partition_offset: ShapeLike | None = None,
    ) -> NDArray[Any]:
        """Makes a tensor, or exactly a part of it.

        Args:
            shape: The tensor's shape: a tuple, a list, a 1-D integer array, or anything with `as_list()`.
            dtype: A name, a NumPy or ml_dtypes dtype, or an object with `as_numpy_dtype`; None for the initializer's
                own. Values of 8 and of 16 bits are the float32 values, rounded once. Constants take any numeric dtype.
            partition_info: The place of `shape` in its tensor: an object with `full_shape` and `var_offset`
                (TensorFlow 1). The values are that slice of the full tensor, and the fans are the full tensor's.
            index: The part `tensor[index]` of the tensor of `shape`, made without making the rest: one entry per
                dimension, or fewer and an Ellipsis. An entry is an integer, a slice with any step, or a 1-D array of
                integers. Several arrays mean the open mesh, as `np.ix_` makes it.
            out: An array to fill in place and return, of the right shape, in any order: views, transposed arrays and
                memory maps too. Its dtype counts if `dtype` is None; otherwise both must agree.
            partition_shape: The part's shape, `shape` being the full tensor's (TensorFlow 2).
            partition_offset: Where that part starts, one number per dimension.

        Returns:
            A new C-ordered array (its data 64-byte aligned above 64 KiB), or `out`.

        Raises:
            TypeError: An argument is of the wrong kind, or a part is named in more than one way.
            IndexError: NumPy would refuse the `index`, or it holds a boolean mask or None.
            ValueError: An argument has a wrong value: there are no values of the dtype, the part lies outside its
                tensor, the largest value overflows the dtype, or `out` cannot be filled.
            MemoryError: The system refuses the memory.
            KeyboardInterrupt: Ctrl-C was pressed while the main thread was in the call. Some pieces of `out` then hold
                the right values, the others what they held before.
        """
        if index is WHOLE and partition_info is None and partition_shape is None and partition_offset is None:
            again = self._again(shape, dtype, out)
            if again is not None:
                return again
        if "keras" in sys.modules or "tf_keras" in sys.modules:
            warn_in_keras(self, sys._getframe(1))
        wanted = dtype if out is None else out_dtype(out, dtype)
        part = resolve_part(shape, partition_info, partition_shape, partition_offset, index)
        source = self._source(part, wanted)
        made = make(source, part, out)
        self._remember(part, dtype, source)
        return made

    def _again(self, shape: Any, dtype: Any, out: Any) -> NDArray[Any] | None:
        """A whole tensor as an earlier call made it, by one crossing into the core; None where none did."""
        return None

    def _remember(self, part: Part, dtype: Any, source: Source) -> None:
        """Remembers the tensor of a call that was given this dtype, for `_again`."""

    def lazy(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Lazy:
        """The tensor of `shape` as an array-like that makes only what is asked of it.

        Without a seed, the stream of its values is chosen now, as a call would choose it; every part is of that tensor.

        Example:
            >>> import varscale as vs
            >>> tensor = vs.lecun_normal(seed=7).lazy((2**20, 2**24), "bfloat16")
            >>> tensor.nbytes, tensor[-1, :3].shape
            (35184372088832, (3,))
        """
        whole = resolve_part(shape, None, None, None, WHOLE)
        check_elements(whole.full_shape)
        source = self._source(whole, dtype)
        return Lazy(self, whole.full_shape, source.dtype, self._stream())

    def fold_in(self: Self, *path: int | str) -> Self:
        """The same initializer: it draws nothing, so there is no stream to tell apart."""
        return self

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-serializable values: TensorFlow's keys, and others if not default."""
        config = {}
        for name, default in self._parameters.items():
            value = getattr(self, name)
            if default is self._REQUIRED or value != default:
                config[name] = _lists(value)
        return config

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """Makes an initializer from a config of ours, or from one of TensorFlow 1, TensorFlow 2 or Keras 3.

        Args:
            config: A mapping such as `get_config` returns. It is not changed.

        Raises:
            TypeError: `config` is not a mapping, or holds a key that the class does not know.
            ValueError: The constructor refuses a value.
        """
        # A user's subclass may take arguments that are not in `_parameters`, so its constructor must judge them.
        legal = (*cls._parameters, *cls._dialect) if cls._is_ours() else None
        arguments = cls._translate(check_config(cls.__name__, config, legal))
        path = arguments.pop("path", ())
        if not isinstance(path, list | tuple):
            msg = f"`path` must be a list of strings and integers, got {show(path)}"
            raise TypeError(msg)
        init = cls(**arguments)
        return init.fold_in(*path) if path else init

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The constructor's arguments, from a config in the words of any library."""
        return config

    def _key(self) -> tuple[Any, ...]:
        """The values that tell an initializer apart from others of its class."""
        return tuple(getattr(self, name) for name in self._parameters)

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __reduce__(self) -> Any:
        # By config: no cached plan travels, and a pickle outlives a change of attributes.
        return type(self).from_config, (self.get_config(),)

    def _shown(self) -> dict[str, Any]:
        """The config as repr shows it."""
        return self.get_config()

    def __repr__(self) -> str:
        shown = self._shown()
        path = shown.pop("path", ())
        arguments = ", ".join(f"{name}={show(value)}" for name, value in shown.items())
        folded = f".fold_in({show(path)[1:-1]})" if path else ""  # the list without its brackets
        return f"{type(self).__name__}({arguments}){folded}"


def divided(init: Any, by: float) -> Builtin:
    """The same rule with its variance divided by a positive number; it keeps its seed, its path and its dtype.

    Raises:
        TypeError: `init` is a user's class, or has no spread about 0 that could be scaled.
        ValueError: Its mean is not 0, or its scale leaves the range of float64.
    """
    made = init._divided(by) if isinstance(init, Builtin) and init._is_ours() else None
    if made is None:
        msg = f"`init` must be an initializer of varscale that spreads values about 0, got {show(init)}"
        raise TypeError(msg)
    return made


def _lists(value: Any) -> Any:
    """`value` with lists for tuples, as JSON has it."""
    return [_lists(element) for element in value] if isinstance(value, tuple) else value
