"""What varscale's own initializers share: immutability, configs, and the one way of being called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from .._arguments.checks import check_config
from .._arguments.dtypes import DTypeLike
from .._arguments.parts import WHOLE, HasFullShape, Part, check_elements, resolve_part
from .._arguments.shapes import ShapeLike
from .._filling.arrays import out_dtype
from .._filling.fill import make
from .._filling.lazy import Lazy
from .._sources.source import Source
from .base import Initializer

Self = TypeVar("Self", bound="Builtin")


class Builtin(Initializer):
    """Base of varscale's own initializers: immutable, with a fixed set of parameters and one way of being called.

    A class says in `_source` what an array is filled from. It lists its constructor's arguments in `_parameters`, in
    config's order, with the default of each that a config leaves out while it is default (`_REQUIRED` for the others).
    """

    _REQUIRED: ClassVar[object] = object()
    _parameters: ClassVar[dict[str, Any]] = {}
    _dialect: ClassVar[tuple[str, ...]] = ()
    """Further keys that a config may have: what is no argument, and what other libraries write."""

    def _set(self, **values: Any) -> None:
        """Sets attributes once and for all; for constructors."""
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        # A user's subclass may add attributes of its own; nobody may change ours.
        if self._is_ours() or name in self._parameters or name in self._dialect:
            msg = f"{type(self).__name__} is immutable, cannot set `{name}`"
            raise AttributeError(msg)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        msg = f"{type(self).__name__} is immutable, cannot delete `{name}`"
        raise AttributeError(msg)

    def _source(self, part: Part, dtype: Any, stream: bytes | None = None) -> Source:
        """What to fill a part of a tensor from; all that can be wrong with a call is found here, and nothing is drawn.

        The values are of the stream of that name, or of the one that a call draws from where there is none.
        """
        raise NotImplementedError

    def _stream(self) -> bytes:
        """The name of the stream that one call draws from; an initializer that draws nothing has none."""
        return b""

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        """An initializer and a stream that make what `fold_in(name)` would, without a copy where none is needed."""
        return self, b""

    def _with_seed(self: Self, seed: Any) -> Self:
        """The same initializer with another seed; one that draws nothing has none."""
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
                own. float16, bfloat16, float32 or float64 (any numeric dtype for constants). 16-bit values are the
                float32 values, rounded once.
            partition_info: Where `shape` lies in its tensor: an object with `full_shape` and `var_offset`
                (TensorFlow 1). The values are that slice of the full tensor, and its fans count.
            index: The part `tensor[index]` of the tensor of `shape`, made without making the rest: one entry per
                dimension, or fewer and an Ellipsis. An entry is an integer, a slice with any step, or a 1-D array of
                integers. Several arrays mean the open mesh, as `np.ix_` makes it.
            out: An array to fill in place and return, of the right shape, in any order: views, transposed arrays and
                memory maps too. Its dtype counts where `dtype` is None, else they must agree.
            partition_shape: The part's shape, `shape` being the full tensor's (TensorFlow 2).
            partition_offset: Where that part starts.

        Returns:
            A new C-ordered array (its data 64-byte aligned above 64 KiB), or `out`.

        Raises:
            TypeError: An argument of the wrong kind, or more than one way to name a part.
            IndexError: An `index` that NumPy would refuse; a boolean mask; None.
            ValueError: An argument of the wrong value: a dtype that is not floating-point, a part outside its tensor,
                parameters whose largest value overflows the dtype, an unusable `out`.
            MemoryError: The system refuses the memory.
            KeyboardInterrupt: Ctrl-C in the main thread; `out` then holds the right values in some of its blocks, and
                what it held before in the others.
        """
        if out is not None:
            dtype = out_dtype(out, dtype)
        part = resolve_part(shape, partition_info, partition_shape, partition_offset, index)
        return make(self._source(part, dtype), part, out)

    def lazy(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Lazy:
        """The tensor of `shape` as an array-like that makes only what is asked of it.

        Without a seed its values are drawn when this is called, as those of a call are.

        Example:
            >>> import varscale as vs
            >>> tensor = vs.lecun_normal(seed=7).lazy((2**20, 2**24), "bfloat16")
            >>> tensor.nbytes, tensor[-1, :3].shape
            (35184372088832, (3,))
        """
        whole = resolve_part(shape, None, None, None, WHOLE)
        check_elements(whole.full_shape)
        source = self._source(whole, dtype)
        return Lazy(self, whole.full_shape, source.dtype.name, self._stream())

    def fold_in(self: Self, *path: int | str) -> Self:
        """The same initializer: it draws nothing, so there is no stream to tell apart."""
        return self

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-serializable: TensorFlow's keys, and others where not default."""
        config = {}
        for name, default in self._parameters.items():
            value = getattr(self, name)
            if default is self._REQUIRED or value != default:
                config[name] = _lists(value)
        return config

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """An initializer from a config: our own, or one of TensorFlow 1, TensorFlow 2 or Keras 3.

        Args:
            config: What `get_config` returned. It is not changed.

        Raises:
            TypeError: `config` is not a mapping, or holds a key that the class does not know.
            ValueError: A value that the constructor refuses.
        """
        # A user's subclass may take arguments that are not in `_parameters`: its constructor judges them.
        legal = (*cls._parameters, *cls._dialect) if cls._is_ours() else None
        arguments = cls._translate(check_config(cls.__name__, config, legal))
        path = arguments.pop("path", ())
        init = cls(**arguments)
        return init.fold_in(*path) if path else init

    @classmethod
    def _translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Turns other libraries' keys into the constructor's."""
        return config

    def _key(self) -> tuple[Any, ...]:
        """What tells it apart from others of its class."""
        return tuple(getattr(self, name) for name in self._parameters)

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __reduce__(self) -> Any:
        return type(self).from_config, (self.get_config(),)

    def _shown(self) -> dict[str, Any]:
        """What repr shows: the config."""
        return self.get_config()

    def __repr__(self) -> str:
        shown = self._shown()
        path = shown.pop("path", ())
        arguments = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        folded = f".fold_in({', '.join(map(repr, path))})" if path else ""
        return f"{type(self).__name__}({arguments}){folded}"


def _lists(value: Any) -> Any:
    """JSON has no tuples."""
    return [_lists(element) for element in value] if isinstance(value, tuple) else value
