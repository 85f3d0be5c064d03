"""Keras 3, on any backend: its initializers by name, with our values. It needs `pip install 'varscale[keras]'`.

`import varscale.keras as initializers` takes the place of `from keras import initializers`. Each variable draws from a
stream of its own, named by its path.

    >>> layer = keras.layers.Dense(10, kernel_initializer=vs.keras.LecunNormal(seed=7), name="dense")  # doctest: +SKIP
"""

from inspect import signature

from .._arguments.show import show
from .._engines import missing
from .._keras.classes import classes_of
from .._keras.defaults import defaults_of
from .._keras.framework import Framework
from .._keras.models import init_of

try:
    import keras
except ModuleNotFoundError as error:
    raise missing("keras", error) from error

if "input_axes" not in signature(keras.initializers.VarianceScaling).parameters:
    # The kernels of its attention would have other fans than they should, in silence.
    _msg = f"`varscale.keras` needs Keras 3.15 or later, got {show(keras.__version__)}: pip install 'varscale[keras]'"
    raise ImportError(_msg)

from ._places import name_of, place
from ._tensors import layout_of, shards, tensor

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "defaults",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "init_",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

_framework = Framework("keras", keras, place, tensor, shards, layout_of, name_of, has_axes=True)
_classes = classes_of(_framework)

Constant = constant = _classes["Constant"]
GlorotNormal = glorot_normal = _classes["GlorotNormal"]
GlorotUniform = glorot_uniform = _classes["GlorotUniform"]
HeNormal = he_normal = _classes["HeNormal"]
HeUniform = he_uniform = _classes["HeUniform"]
Identity = IdentityInitializer = identity = _classes["Identity"]
LecunNormal = lecun_normal = _classes["LecunNormal"]
LecunUniform = lecun_uniform = _classes["LecunUniform"]
Ones = ones = _classes["Ones"]
Orthogonal = OrthogonalInitializer = orthogonal = _classes["Orthogonal"]
RandomNormal = random_normal = _classes["RandomNormal"]
RandomUniform = random_uniform = _classes["RandomUniform"]
TruncatedNormal = truncated_normal = _classes["TruncatedNormal"]
VarianceScaling = variance_scaling = _classes["VarianceScaling"]
Zeros = zeros = _classes["Zeros"]

defaults = defaults_of(_framework, _classes)
init_ = init_of(_framework)
