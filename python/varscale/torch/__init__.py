"""PyTorch: tensors, modules and sharded parameters, filled where they are; and networks, by the laws of their own code.

It needs the extra: `pip install 'varscale[torch]'`.
"""

from ._build import build
from ._init import init_
from ._model_of import model_of

__all__ = ["build", "init_", "model_of"]

build.__module__ = init_.__module__ = model_of.__module__ = __name__
