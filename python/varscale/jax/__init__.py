"""JAX: initializers of keys, arrays over meshes, values inside of programs. It needs `pip install 'varscale[jax]'`."""

from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING

from .._arguments.show import show as _show
from ._arrays import make_array
from ._init import init_tree
from ._initializer import Initializer
from ._keys import seed_of
from ._laws import constant, delta_orthogonal, normal, ones, orthogonal, truncated_normal, uniform, zeros
from ._sample import identity, sample
from ._tree_model import tree_model
from ._variance import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
)

if _TYPE_CHECKING:
    from . import haiku as haiku

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "init_tree",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "make_array",
    "normal",
    "ones",
    "orthogonal",
    "sample",
    "seed_of",
    "tree_model",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

for _name in __all__:
    if _name not in {"ones", "zeros"}:  # those have it of their class
        globals()[_name].__module__ = __name__


def __getattr__(name: str) -> _ModuleType:
    """Imports `varscale.jax.haiku` when it is asked for: Haiku may not be installed."""
    if name == "haiku":
        return _import_module(".haiku", __name__)
    msg = f"module {_show(__name__)} has no attribute {_show(name)}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """The public names, and `haiku` where it is installed."""
    from importlib.util import find_spec

    return [*__all__, *(["haiku"] if find_spec("haiku") else [])]
