"""The public base class of all initializers, with what a subclass gets for free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from .._arguments.checks import check_config
from .._arguments.show import show

Self = TypeVar("Self", bound="Initializer")
PACKAGE = __name__.partition(".")[0]


class Initializer:
    """Base class of all initializers: a callable `init(shape, dtype=None)` that returns an array.

    A subclass defines `__call__`, and `get_config` if its constructor takes arguments. It then works with
    `varscale.get`, `serialize`, `deserialize` and `from_config`, and compares, hashes and prints by its config.

    Example:
        >>> import numpy as np, varscale as vs
        >>> class Ramp(vs.Initializer):
        ...     def __init__(self, slope=1.0):
        ...         self.slope = slope
        ...
        ...     def __call__(self, shape, dtype=None):
        ...         return self.slope * np.arange(np.prod(shape), dtype=dtype or "float32").reshape(shape)
        ...
        ...     def get_config(self):
        ...         return {"slope": self.slope}
        ...
        >>> vs.deserialize(vs.serialize(Ramp(2.0))) == Ramp(2.0)
        True
    """

    _registry: ClassVar[dict[tuple[str, str], type[Initializer]]] = {}
    """The subclasses that users have defined, by module and class name."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes a user's class known to `deserialize`, which has a table of our own."""
        super().__init_subclass__(**kwargs)
        if not cls._is_ours():
            Initializer._registry[cls.__module__, cls.__name__] = cls

    @classmethod
    def _is_ours(cls) -> bool:
        """Whether this is a class of the package, not a user's subclass."""
        return cls.__module__.partition(".")[0] == PACKAGE

    def __call__(self, shape: Any, dtype: Any = None) -> NDArray[Any]:
        """Returns an array of `shape`; every subclass defines it."""
        msg = f"{type(self).__name__} must define `__call__`"
        raise NotImplementedError(msg)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-serializable values."""
        return {}

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """Makes an initializer from what `get_config` returned; `config` is not changed.

        Raises:
            TypeError: `config` is not a mapping, or holds a key that the class does not know.
        """
        return cls(**check_config(cls.__name__, config))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Initializer):
            return NotImplemented
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        # The keys alone, because a config's values may be unhashable; equal configs have equal keys.
        return hash((type(self), tuple(sorted(self.get_config()))))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={show(value)}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"
