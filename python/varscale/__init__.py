"""The first weights of a neural network, as NumPy arrays.

The same bits from one seed on any machine, with any number of threads, for any part of a tensor:

    >>> import varscale as vs
    >>> init = vs.lecun_normal(seed=7)
    >>> kernel = init((784, 256))
    >>> kernel.shape, kernel.dtype
    ((784, 256), dtype('float32'))
"""

import warnings as _warnings
from importlib import import_module as _import_module
from types import ModuleType as _ModuleType

from ._constant import Constant, Identity, Ones, Zeros, constant, identity, ones, zeros
from ._core import DEBUG_BUILD as _DEBUG_BUILD
from ._core import __version__, get_num_threads, set_num_threads
from ._engines import EXTRAS as _EXTRAS
from ._initializer import Initializer
from ._jobs import ModelJob, ModelPart
from ._lazy import Lazy
from ._model import Model, Parameter
from ._partition import PartitionInfo
from ._presets import (
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
from ._random import (
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    random_normal,
    random_uniform,
    truncated_normal,
)
from ._rules import Rule, default_rules
from ._sampled import Description
from ._seeds import set_random_seed
from ._serialization import deserialize, get, serialize
from ._threads import num_threads
from ._variance_scaling import VarianceScaling, variance_scaling

__all__ = [
    "Constant",
    "Description",
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
    "Model",
    "ModelJob",
    "ModelPart",
    "Ones",
    "Parameter",
    "PartitionInfo",
    "RandomNormal",
    "RandomUniform",
    "Rule",
    "TruncatedNormal",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "__version__",
    "constant",
    "default_rules",
    "deserialize",
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
    "num_threads",
    "ones",
    "random_normal",
    "random_uniform",
    "serialize",
    "set_num_threads",
    "set_random_seed",
    "truncated_normal",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


def __getattr__(name: str) -> _ModuleType:
    """`varscale.replay` and the adapters to engines, each imported when it is asked for."""
    if name == "replay" or name in _EXTRAS:
        return _import_module(f".{name}", __name__)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


if _DEBUG_BUILD:
    _warnings.warn(
        "this varscale was built without optimisation: its values are right, but it is many times slower than a "
        "release build (`maturin develop --release`)",
        RuntimeWarning,
        stacklevel=2,
    )
