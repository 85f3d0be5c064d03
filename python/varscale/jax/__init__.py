"""JAX: arrays over any mesh of devices, of which each process makes its own shards and nothing else.

It needs the extra: `pip install 'varscale[jax]'`.
"""

from ._arrays import make_array

__all__ = ["make_array"]

make_array.__module__ = __name__
