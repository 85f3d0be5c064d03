"""PyTorch: tensors, modules and sharded parameters, filled where they are.

It needs the extra: `pip install 'varscale[torch]'`.
"""

from ._init import init_

__all__ = ["init_"]

init_.__module__ = __name__
