"""The public base class: what every initializer is, and what a subclass gets for free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

Self = TypeVar("Self", bound="Initializer")


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

    registry: ClassVar[dict[tuple[str, str], type[Initializer]]] = {}
    """Every subclass that has been defined, by module and class name."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes the class known to `deserialize`."""
        super().__init_subclass__(**kwargs)
        Initializer.registry[cls.__module__, cls.__name__] = cls

    def __call__(self, shape: Any, dtype: Any = None) -> NDArray[Any]:
        """Returns an array of `shape`; subclasses define it."""
        msg = f"{type(self).__name__} must define `__call__`"
        raise NotImplementedError(msg)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, JSON-serializable."""
        return {}

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """An initializer from what `get_config` returned; `config` is not changed.

        Raises:
            TypeError: `config` is not a mapping, or holds a key that the class does not know.
        """
        return cls(**check_config(cls.__name__, config))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Initializer):
            return NotImplemented
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        # Values may be unhashable; equal configs have equal keys.
        return hash((type(self), tuple(sorted(self.get_config()))))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def _lists(value: Any) -> Any:
    """JSON has no tuples."""
    return [_lists(element) for element in value] if isinstance(value, tuple) else value


def check_config(name: str, config: Any, legal: tuple[str, ...] | None = None) -> dict[str, Any]:
    """A copy of `config`, if it is a mapping from names, all of them legal."""
    if not isinstance(config, Mapping):
        msg = f"`config` of {name} must be a mapping, got {config!r}"
        raise TypeError(msg)
    unknown = [key for key in config if legal is not None and key not in legal]
    if unknown:
        msg = f"`config` of {name} has unknown keys {unknown}; known are {list(legal or ())}"
        raise TypeError(msg)
    return dict(config)


class Frozen(Initializer):
    """Base of varscale's own initializers: immutable, with a fixed set of parameters.

    A class lists its constructor's arguments in `parameters`, in config's order, with the default of each that a
    config leaves out while it is default (`REQUIRED` for the others).
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
        assert issubclass(cls, Frozen)
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

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.parameters)))

    def __reduce__(self) -> Any:
        return type(self).from_config, (self.get_config(),)

    def __repr__(self) -> str:
        config = self.get_config()
        path = config.pop("path", ())
        arguments = ", ".join(f"{name}={value!r}" for name, value in config.items())
        folded = f".fold_in({', '.join(map(repr, path))})" if path else ""
        return f"{type(self).__name__}({arguments}){folded}"
