"""Context: whether a program is being traced, whether this JAX traces ours, and the mesh that is set."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def is_traced() -> bool:
    """Whether a program is being traced, of which whatever is drawn now would be a constant."""
    return isinstance(jnp.zeros(()), jax.core.Tracer)


def check_version() -> None:
    """Raises RuntimeError where JAX makes 32-bit constants of the 64-bit ones in a program."""
    if jax.__version_info__ < (0, 7) and is_traced() and not jax.config.jax_enable_x64:
        msg = f"a traced program needs JAX 0.7 or later, or `jax_enable_x64`, got JAX {jax.__version__}"
        raise RuntimeError(msg)


def context_mesh() -> Any:
    """The mesh that `jax.set_mesh` has set: in a traced program without its devices; None for none."""
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty:
        return None
    # JAX names the devices to nobody within `vmap`, but puts its own arrays there.
    return mesh if is_traced() else jnp.zeros(()).sharding.mesh
