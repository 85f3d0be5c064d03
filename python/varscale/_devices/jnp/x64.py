"""64-bit types inside a function, whatever the caller's program has: JAX has two names for it."""

try:
    from jax import enable_x64
except ImportError:  # before JAX 0.8
    from jax.experimental import enable_x64

__all__ = ["enable_x64"]
