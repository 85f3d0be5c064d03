"""JAX: arrays over any mesh of devices, and values inside of programs. It needs `pip install 'varscale[jax]'`."""

from ._arrays import make_array
from ._init import init_tree
from ._sample import identity, sample
from ._tree_model import tree_model

__all__ = ["identity", "init_tree", "make_array", "sample", "tree_model"]

for _name in __all__:
    globals()[_name].__module__ = __name__
