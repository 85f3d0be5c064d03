"""JAX: arrays over any mesh of devices, and values inside of traced programs.

It needs the extra: `pip install 'varscale[jax]'`.
"""

from ._arrays import make_array
from ._sample import identity, sample

__all__ = ["identity", "make_array", "sample"]

for _function in (identity, make_array, sample):
    _function.__module__ = __name__
