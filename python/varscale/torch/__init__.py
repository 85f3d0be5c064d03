"""PyTorch: tensors, modules and sharded parameters, filled where they are.

It needs the extra: `pip install 'varscale[torch]'`.
"""

from .._engines import missing as _missing

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise _missing("torch", error) from error

from ._init import init_

__all__ = ["init_"]

init_.__module__ = __name__
