"""PyTorch: tensors, modules and sharded parameters, filled where they are; and networks, by the laws of their own code.

It needs the extra: `pip install 'varscale[torch]'`.
"""

from .._engines import missing as _missing

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise _missing("torch", error) from error

from torch.nn.init import calculate_gain, constant_, ones_, zeros_

from ._build import build
from ._devices import DeviceRoute, device_report
from ._functions import (
    dirac_,
    eye_,
    kaiming_normal_,
    kaiming_uniform_,
    normal_,
    orthogonal_,
    sparse_,
    trunc_normal_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from ._init import init_
from ._methods import init_method
from ._model_of import model_of

__all__ = [
    "DeviceRoute",
    "build",
    "calculate_gain",
    "constant_",
    "device_report",
    "dirac_",
    "eye_",
    "init_",
    "init_method",
    "kaiming_normal_",
    "kaiming_uniform_",
    "model_of",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

for _name in __all__:
    # Those that draw nothing are torch's own functions.
    if (_value := globals()[_name]).__module__.startswith(__name__):
        _value.__module__ = __name__
