"""Context: whether a program is being traced, whether this JAX traces ours, the mesh that is set, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp


def is_traced() -> bool:
    """Whether a program is being traced, of which whatever is drawn now would be a constant."""
    return isinstance(jnp.zeros(()), jax.core.Tracer)


@contextmanager
def telling_memory() -> Iterator[None]:
    """Makes a device's lack of memory a MemoryError within a `with` statement: it says nothing of the arithmetic."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise MemoryError(str(error)) from error
        raise


def has_64_bits() -> bool:
    """Whether the 64-bit constants of a program keep them: JAX 0.6 cuts them to 32 as it does the user's."""
    return bool(jax.__version_info__ >= (0, 7) or jax.config.jax_enable_x64)


def check_version() -> None:
    """Raises RuntimeError where a program that is being traced would have other constants."""
    if is_traced() and not has_64_bits():
        msg = f"a traced program needs JAX 0.7 or later, or `jax_enable_x64`, got JAX {jax.__version__}"
        raise RuntimeError(msg)


def context_mesh() -> Any:
    """The mesh that `jax.set_mesh` has set: in a traced program without its devices; None for none."""
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty:
        return None
    # JAX names the devices to nobody within `vmap`, but puts its own arrays there.
    return mesh if is_traced() else jnp.zeros(()).sharding.mesh
