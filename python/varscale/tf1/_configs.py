"""Initializers from names and configs, and back, as `tf.compat.v1.keras.initializers` has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from .._arguments.checks import check_config
from .._arguments.show import show
from ._random import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from ._scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    UniformUnitScaling,
    VarianceScaling,
)

_v1 = tf.compat.v1
_CLASSES: dict[str, Callable[..., Any]] = {
    "Constant": _v1.constant_initializer,
    "GlorotNormal": GlorotNormal,
    "GlorotUniform": GlorotUniform,
    "HeNormal": HeNormal,
    "HeUniform": HeUniform,
    "Identity": _v1.initializers.identity,
    "LecunNormal": LecunNormal,
    "LecunUniform": LecunUniform,
    "Ones": _v1.ones_initializer,
    "Orthogonal": Orthogonal,
    "RandomNormal": RandomNormal,
    "RandomUniform": RandomUniform,
    "TruncatedNormal": TruncatedNormal,
    "UniformUnitScaling": UniformUnitScaling,
    "VarianceScaling": VarianceScaling,
    "Zeros": _v1.zeros_initializer,
}
"""What configs name. A config has all values, so that the three classes of other defaults need no names here."""
_BY_NAME = {
    **_CLASSES,
    **{re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower(): found for name, found in _CLASSES.items()},
    "normal": RandomNormal,
    "one": _v1.ones_initializer,
    "uniform": RandomUniform,
    "zero": _v1.zeros_initializer,
}


def get(identifier: Any) -> Any:
    """The initializer that a name, a class or a config stands for; a callable and None are returned as they are.

    Raises:
        TypeError: `identifier` is of none of these kinds.
        ValueError: The name is unknown.

    Example:
        >>> import varscale.tf1 as initializers
        >>> initializers.get("random_normal").get_config()
        {'mean': 0.0, 'stddev': 0.05, 'seed': None, 'dtype': 'float32'}
    """
    if identifier is None or isinstance(identifier, str | Mapping):
        return deserialize(identifier)
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    msg = f"`identifier` must be a name, a class, a config, a callable or None, got {show(identifier)}"
    raise TypeError(msg)


def serialize(initializer: Any, use_legacy_format: bool = False) -> dict[str, Any] | None:
    """A JSON-serializable dict from which `deserialize` makes an equal initializer; None for None.

    Args:
        initializer: An initializer with `get_config`.
        use_legacy_format: Whether the dict has the class name and the config alone.

    Raises:
        TypeError: `initializer` is not an initializer instance with `get_config`.
    """
    if initializer is None:
        return None
    if isinstance(initializer, type) or not callable(getattr(initializer, "get_config", None)):
        msg = f"`initializer` must be an initializer instance with `get_config`, got {show(initializer)}"
        raise TypeError(msg)
    cls = type(initializer)
    said = {"class_name": cls.__name__, "config": initializer.get_config()}
    return said if use_legacy_format else {"module": cls.__module__, **said, "registered_name": None}


def deserialize(
    config: Mapping[str, Any] | str | None,
    custom_objects: Mapping[str, Callable[..., Any]] | None = None,
    use_legacy_format: bool = False,
) -> Any:
    """Makes the initializer of a name, or of a dict that `serialize`, TensorFlow or Keras made; None for None.

    Args:
        config: A name, or `{"class_name": ..., "config": {...}}` with or without Keras' module keys.
        custom_objects: Further classes by name, which come first.
        use_legacy_format: Counts for nothing: either format is known by its keys.

    Raises:
        TypeError: `config` is of another kind, or holds a key that the class does not know.
        ValueError: The class name is unknown.
    """
    if config is None:
        return None
    said = {"class_name": config} if isinstance(config, str) else config
    name = said.get("class_name") if isinstance(said, Mapping) else None
    if not isinstance(name, str):
        msg = f"`config` must be a mapping with `class_name`, a name or None, got {show(config)}"
        raise TypeError(msg)
    found = {**_BY_NAME, **(custom_objects or {})}.get(name.removesuffix("_initializer"))
    if found is None:
        msg = f"`class_name` must be that of an initializer, got {show(name)}; known are {', '.join(_CLASSES)}"
        raise ValueError(msg)
    inner = check_config(name, said.get("config") or {})
    from_config = getattr(found, "from_config", None)
    return found(**inner) if from_config is None else from_config(inner)
