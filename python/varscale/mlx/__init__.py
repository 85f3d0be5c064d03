"""MLX: the initializers of `mlx.nn.init` by name, and modules by path. It needs `pip install 'varscale[mlx]'`.

What draws nothing is MLX's own function.
"""

from .._engines import missing as _missing

try:
    from mlx.nn.init import constant, identity
except ModuleNotFoundError as _error:
    raise _missing("mlx", _error) from _error

from ._by_name import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    normal,
    orthogonal,
    sparse,
    uniform,
)
from ._init import init_

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "init_",
    "normal",
    "orthogonal",
    "sparse",
    "uniform",
]

for _name in __all__:
    if _name not in {"constant", "identity"}:  # those are MLX's own
        globals()[_name].__module__ = __name__
