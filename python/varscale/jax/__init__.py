"""JAX: arrays over any mesh of devices, and values inside of programs. It needs `pip install 'varscale[jax]'`."""

from ._arrays import make_array
from ._sample import identity, sample

__all__ = ["identity", "make_array", "sample"]

make_array.__module__ = identity.__module__ = sample.__module__ = __name__
