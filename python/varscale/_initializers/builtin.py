"""What varscale's own initializers share: immutability, configs, and the one way of being called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._arguments.parts import WHOLE, HasFullShape, Part, check_elements, resolve_part
from .._arguments.shapes import ShapeLike
from .._filling.arrays import check_out, new_array, out_dtype
from .._filling.lazy import Lazy
from .._filling.writing import Writing
from .base import Initializer, check_config

Job = tuple[Any, ...]
"""What `_core.fill` does: an array and all that it needs."""
Self = TypeVar("Self", bound="Builtin")


class Builtin(Initializer):
    """Base of varscale's own initializers: immutable, with a fixed set of parameters and one way of being called.

    A class says in `_prepare` what it would write, checking everything, and writes it in `_job`. It lists its
    constructor's arguments in `parameters`, in config's order, with the default of each that a config leaves out while
    it is default (`REQUIRED` for the others).
    """

    REQUIRED: ClassVar[object] = object()
    parameters: ClassVar[dict[str, Any]] = {}
    dialect: ClassVar[tuple[str, ...]] = ()
    """Keys that other libraries' configs have and that `from_config` translates."""

    def _set(self, **values: Any) -> None:
        """Sets attributes once and for all; for constructors."""
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        # A user's subclass may add attributes of its own; nobody may change ours.
        if type(self).__module__.partition(".")[0] == __name__.partition(".")[0] or name in self.parameters:
            msg = f"{type(self).__name__} is immutable, cannot set `{name}`"
            raise AttributeError(msg)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        msg = f"{type(self).__name__} is immutable, cannot delete `{name}`"
        raise AttributeError(msg)

    def _prepare(self, part: Part, dtype: Any) -> tuple[np.dtype[Any], Any]:
        """The dtype of the array to make, and whatever `_job` needs; all that can be wrong is found here."""
        raise NotImplementedError

    def _stream(self) -> bytes:
        """The name of the stream that one call draws from; an initializer that draws nothing has none."""
        return b""

    def _job(self, array: NDArray[Any], part: Part, prepared: Any, stream: bytes) -> Job | None:
        """Writes the part's values into `array`, or returns the job that the core is to do."""
        raise NotImplementedError

    def __call__(
        self,
        shape: ShapeLike,
        dtype: Any = None,
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
            index: The part `tensor[index]` of the tensor of `shape`, generating nothing else: one entry a dimension, or
                fewer and an Ellipsis; an entry is an integer, a slice with any step, or a 1-D array of integers.
                Several arrays mean the open mesh, as `np.ix_` makes it.
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
        return self._make(resolve_part(shape, partition_info, partition_shape, partition_offset, index), dtype, out=out)

    def _make(
        self, part: Part, dtype: Any, stream: bytes | None = None, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """The array of a part, filled; `out` is nobody else's meanwhile."""
        made, prepared = self._prepare(part, dtype)
        if out is None:
            array = new_array(part.shape, made)
            jobs = self._jobs(array, part, prepared, stream)
            if jobs:
                _core.fill(jobs)
            return array
        check_out(out, part.shape)
        with Writing(out):
            _core.fill(self._jobs(out, part, prepared, stream))
        return out

    def _begin(
        self, part: Part, dtype: Any, stream: bytes | None = None, out: NDArray[Any] | None = None
    ) -> tuple[NDArray[Any], list[Job]]:
        """The array of a part, and what is left for the core; `out` belongs to the caller."""
        made, prepared = self._prepare(part, dtype)
        array = new_array(part.shape, made) if out is None else check_out(out, part.shape)
        return array, self._jobs(array, part, prepared, stream)

    def _jobs(self, array: NDArray[Any], part: Part, prepared: Any, stream: bytes | None) -> list[Job]:
        """The jobs that are left for the core: one, or none for what draws nothing.

        The part belongs to the stream of that name, None for the one that a call would draw from.
        """
        name = self._stream() if stream is None else stream
        if part.picks is not None and not array.size:
            return []  # its tensor may have any extent beside that of 0
        job = self._job(array, part, prepared, name)
        return [] if job is None else [job]

    def lazy(self, shape: ShapeLike, dtype: Any = None) -> Lazy:
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
        made, _ = self._prepare(whole, dtype)
        return Lazy(self, whole.full_shape, made.name, self._stream())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-serializable: TensorFlow's keys, and others where not default."""
        config = {}
        for name, default in self.parameters.items():
            value = getattr(self, name)
            if default is self.REQUIRED or value != default:
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
        assert issubclass(cls, Builtin)
        # A user's subclass may take arguments that are not in `parameters`: its constructor judges them.
        ours = cls.__module__.partition(".")[0] == __name__.partition(".")[0]
        legal = (*cls.parameters, *cls.dialect) if ours else None
        arguments = cls.translate(check_config(cls.__name__, config, legal))
        path = arguments.pop("path", ())
        init = cls(**arguments)
        return init.fold_in(*path) if path else init

    @classmethod
    def translate(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Turns other libraries' keys into the constructor's."""
        return config

    def fold_in(self: Self, *path: int | str) -> Self:
        """The same initializer: it draws nothing, so there is no stream to tell apart."""
        return self

    def _named(self: Self, name: str) -> tuple[Self, bytes]:
        """An initializer and a stream that make what `fold_in(name)` would, without a copy where none is needed."""
        return self, b""

    def _with_seed(self: Self, seed: Any) -> Self:
        """The same initializer with another seed; one that draws nothing has none."""
        return self

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.parameters)))

    def __reduce__(self) -> Any:
        return type(self).from_config, (self.get_config(),)

    def _shown(self, name: str, value: Any) -> str:
        """An argument in the repr."""
        return repr(value)

    def __repr__(self) -> str:
        config = self.get_config()
        path = config.pop("path", ())
        arguments = ", ".join(f"{name}={self._shown(name, value)}" for name, value in config.items())
        folded = f".fold_in({', '.join(map(repr, path))})" if path else ""
        return f"{type(self).__name__}({arguments}){folded}"


def _lists(value: Any) -> Any:
    """JSON has no tuples."""
    return [_lists(element) for element in value] if isinstance(value, tuple) else value
