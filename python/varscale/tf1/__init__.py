"""TensorFlow 1: the names of `tf.compat.v1.keras.initializers` and of `tf.compat.v1.*_initializer`, with our values.

It needs the extra: `pip install 'varscale[tf1]'`. What draws nothing is TensorFlow's own class.
"""

from .._engines import missing as _missing

try:
    import tensorflow as _tf
except ModuleNotFoundError as error:
    raise _missing("tf1", error) from error

from ._configs import deserialize, get, serialize
from ._random import (
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    random_normal_initializer,
    random_uniform_initializer,
    truncated_normal_initializer,
)
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

_v1 = _tf.compat.v1
Initializer = _v1.zeros_initializer.__base__
Constant = constant = constant_initializer = _v1.constant_initializer
Identity = identity = _v1.initializers.identity
Ones = ones = ones_initializer = _v1.ones_initializer
Zeros = zeros = zeros_initializer = _v1.zeros_initializer
glorot_normal = glorot_normal_initializer = GlorotNormal
glorot_uniform = glorot_uniform_initializer = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
normal = random_normal = RandomNormal
orthogonal = orthogonal_initializer = Orthogonal
truncated_normal = TruncatedNormal
uniform = random_uniform = RandomUniform
uniform_unit_scaling = uniform_unit_scaling_initializer = UniformUnitScaling
variance_scaling = variance_scaling_initializer = VarianceScaling

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "UniformUnitScaling",
    "VarianceScaling",
    "Zeros",
    "constant",
    "constant_initializer",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_normal_initializer",
    "glorot_uniform",
    "glorot_uniform_initializer",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "ones_initializer",
    "orthogonal",
    "orthogonal_initializer",
    "random_normal",
    "random_normal_initializer",
    "random_uniform",
    "random_uniform_initializer",
    "serialize",
    "truncated_normal",
    "truncated_normal_initializer",
    "uniform",
    "uniform_unit_scaling",
    "uniform_unit_scaling_initializer",
    "variance_scaling",
    "variance_scaling_initializer",
    "zeros",
    "zeros_initializer",
]

for _name in __all__:
    # Pickles and Keras' configs then name what users import. TensorFlow's own classes keep their module.
    if (_value := globals()[_name]).__module__.startswith(__name__):
        _value.__module__ = __name__
