"""The first weights of a neural network, as NumPy arrays.

One seed makes the same bits on any machine, with any number of threads, and for any part of a tensor:

    >>> import varscale as vs
    >>> init = vs.lecun_normal(seed=7)
    >>> kernel = init((784, 256))
    >>> kernel.shape, kernel.dtype
    ((784, 256), dtype('float32'))
"""

import warnings as _warnings
from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING

from ._arguments.gains import calculate_gain
from ._arguments.parts import PartitionInfo
from ._arguments.show import show as _show
from ._core import DEBUG_BUILD as _DEBUG_BUILD
from ._core import __version__, get_num_threads
from ._engines import EXTRAS as _EXTRAS
from ._filling.lazy import Lazy
from ._filling.threads import num_threads, set_num_threads
from ._initializers.base import Initializer
from ._initializers.constant import Constant, Ones, Zeros, constant, ones, zeros
from ._initializers.depth import deepnorm, depth_scaled, mup, residual
from ._initializers.diagonal import Identity, identity
from ._initializers.kernels import Bilinear, Dirac, bilinear, dirac
from ._initializers.log_uniform import LogUniform, log_uniform
from ._initializers.orthogonal import DeltaOrthogonal, Orthogonal, delta_orthogonal, orthogonal
from ._initializers.pieces import Pieces
from ._initializers.presets import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    KaimingNormal,
    KaimingUniform,
    LecunNormal,
    LecunUniform,
    XavierNormal,
    XavierUniform,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    xavier_normal,
    xavier_uniform,
)
from ._initializers.random import (
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    normal,
    random_normal,
    random_uniform,
    truncated_normal,
    uniform,
)
from ._initializers.sampled import Description
from ._initializers.serialization import deserialize, get, serialize
from ._initializers.sparse import Sparse, sparse
from ._initializers.unit_scaling import UniformUnitScaling, uniform_unit_scaling
from ._initializers.variance_scaling import VarianceScaling, variance_scaling
from ._models.jobs import ModelJob, ModelPart
from ._models.model import Model
from ._models.parameter import Parameter
from ._models.rules import Rule, default_rules
from ._models.table import ModelRow, ModelTable
from ._sources.seeds import set_random_seed

if _TYPE_CHECKING:
    # Editors complete these names, which `__getattr__` imports.
    from . import checkpoint as checkpoint
    from . import dask as dask
    from . import jax as jax
    from . import keras as keras
    from . import mlx as mlx
    from . import plot as plot
    from . import replay as replay
    from . import tf1 as tf1
    from . import tf_keras as tf_keras
    from . import torch as torch

__all__ = [
    "Bilinear",
    "Constant",
    "DeltaOrthogonal",
    "Description",
    "Dirac",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "Lazy",
    "LecunNormal",
    "LecunUniform",
    "LogUniform",
    "Model",
    "ModelJob",
    "ModelPart",
    "ModelRow",
    "ModelTable",
    "Ones",
    "Orthogonal",
    "Parameter",
    "PartitionInfo",
    "Pieces",
    "RandomNormal",
    "RandomUniform",
    "Rule",
    "Sparse",
    "TruncatedNormal",
    "UniformUnitScaling",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "__version__",
    "bilinear",
    "calculate_gain",
    "constant",
    "deepnorm",
    "default_rules",
    "delta_orthogonal",
    "depth_scaled",
    "deserialize",
    "dirac",
    "get",
    "get_num_threads",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "log_uniform",
    "mup",
    "normal",
    "num_threads",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "residual",
    "serialize",
    "set_num_threads",
    "set_random_seed",
    "sparse",
    "truncated_normal",
    "uniform",
    "uniform_unit_scaling",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


_PARTS = ("checkpoint", "plot", "replay")

for _name in __all__:
    # Pickles, reprs and errors then name what users import, and files may move. _core's functions are here too.
    if callable(_value := globals()[_name]):
        _value.__module__ = __name__


def __getattr__(name: str) -> _ModuleType:
    """Imports a part that few need, or an adapter to an engine, when it is asked for: they are slow to import."""
    if name in _PARTS or name in _EXTRAS:
        return _import_module(f".{name}", __name__)
    msg = f"module {_show(__name__)} has no attribute {_show(name)}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """The public names, the parts that few need, and the adapters whose engines are installed."""
    from importlib.util import find_spec

    return [*__all__, *_PARTS, *(name for name, package in _EXTRAS.items() if find_spec(package))]


if _DEBUG_BUILD:
    _warnings.warn(
        "this varscale was built without optimisation: its values are right, but it is many times slower than a "
        "release build (`maturin develop --release`)",
        RuntimeWarning,
        stacklevel=2,
    )
