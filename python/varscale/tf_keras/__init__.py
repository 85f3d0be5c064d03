"""tf_keras, which is Keras 2: its initializers by name, with our values. It needs `pip install 'varscale[tf_keras]'`.

`import varscale.tf_keras as initializers` takes the place of `from tf_keras import initializers`. Each variable draws
from a stream of its own, named as the variable, without the ":0".

    >>> layer = tf_keras.layers.Dense(10, kernel_initializer=vs.tf_keras.LecunNormal(seed=7))  # doctest: +SKIP
"""

from .._engines import missing
from .._keras.classes import classes_of
from .._keras.defaults import defaults_of
from .._keras.framework import Framework
from .._keras.models import init_of

try:
    import tf_keras
except ModuleNotFoundError as error:
    raise missing("tf_keras", error) from error

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

_framework = Framework("tf_keras", tf_keras, place, tensor, shards, layout_of, name_of, has_axes=False)
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
