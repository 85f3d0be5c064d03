"""The frameworks' own numbers, bit for bit, without the frameworks.

Each replay goes where a seed goes, into every random initializer:

    >>> import varscale as vs
    >>> from varscale import replay
    >>> kernel = vs.lecun_normal(seed=replay.tf1(42))((2, 4))    # as tf.compat.v1 makes it on a CPU

A replay names the one version whose numbers it makes, and raises ValueError for all that it cannot make exactly.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from .._arguments.checks import check_config
from .._arguments.show import show
from .._sources.replay import Replay
from ._jax import jax
from ._keras import BACKENDS, keras, keras_defaults
from ._tensorflow import tf1, tf_keras
from ._torch import torch

__all__ = ["Replay", "deserialize", "jax", "keras", "keras_defaults", "tf1", "tf_keras", "torch"]

_MAKERS: dict[str, Callable[..., Replay]] = {
    "jax": jax,
    "keras": keras,
    "tf1": tf1,
    "tf_keras": tf_keras,
    "torch": torch,
}


def deserialize(config: Mapping[str, Any]) -> Replay:
    """Makes a replay from its entry in an initializer's config.

    Raises:
        TypeError: `config` is not a mapping, or holds a key that the class does not know.
        ValueError: The class name is unknown, the version is another than the one that is replayed, or the function
            refuses an argument.
    """
    outer = check_config("seed", config, ("class_name", "config"))
    name = outer.get("class_name")
    if not isinstance(name, str) or name not in _MAKERS:
        msg = f"`seed` must be the config of {' or '.join(map(show, _MAKERS))}, got {show(outer)}"
        raise ValueError(msg)
    maker = _MAKERS[name]
    arguments = check_config(name, outer.get("config", {}), (*signature(maker).parameters, "version"))
    version = arguments.pop("version", None)
    made = maker(**arguments)
    # A config of another release may ask for numbers that this one does not make.
    if version is not None and version != made.version:
        msg = f"`version` must be {show(made.version)}, the one that is replayed, got {show(version)}"
        raise ValueError(msg)
    return made


def _reduced(replay: Replay) -> tuple[Any, tuple[dict[str, Any]]]:
    """A pickle of the config, which names the version and none of our files."""
    return deserialize, (replay.serialize(),)


for _class in (jax, tf1, tf_keras, torch, *BACKENDS.values()):
    _class.__module__ = __name__  # what users import
    copyreg.pickle(_class, _reduced)
Replay.__module__ = deserialize.__module__ = keras.__module__ = keras_defaults.__module__ = __name__
