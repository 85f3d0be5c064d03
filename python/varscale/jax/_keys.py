"""Keys: the seeds of JAX's programs as seeds of the native stream."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from .._arguments.show import show
from .._devices.jnp.hashing import identity as hashed
from .._initializers.builtin import Builtin
from .._sources.seeds import fields_around


def key_words(key: Any) -> Any:
    """The 32-bit words of a key, the highest first: two of a usual key, four where JAX's `rbg` makes the words.

    Raises:
        TypeError: `key` is no key of JAX and no array of uint32.
        ValueError: It is not one key.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    elif dtype != np.uint32:
        msg = f"`key` must be a key of JAX or an array of uint32, got {show(key)}"
        raise TypeError(msg)
    if key.shape not in {(2,), (4,)}:
        msg = f"`key` must be one key, of 2 or 4 words (`jax.vmap` takes many), got the shape {show(key.shape)}"
        raise ValueError(msg)
    return key


def seed_of(key: Any) -> int:
    """The seed that a key of JAX stands for: the integer that its words are, the highest first.

    Args:
        key: A key of any implementation, or the two or four uint32 of a raw one.

    Raises:
        TypeError: `key` is no key of JAX and no array of uint32.
        ValueError: It is not one key, or a program is being traced, in which nobody knows its words.

    Example:
        >>> import jax, varscale as vs
        >>> vs.jax.seed_of(jax.random.key(7))
        7
    """
    words = key_words(key)
    if isinstance(words, jax.core.Tracer):
        msg = f"`key` must be known, not traced, got {show(key)}"
        raise ValueError(msg)
    return seed_of_words(np.asarray(words))


def seed_of_words(words: NDArray[Any]) -> int:
    """The seed of a key with these words."""
    return int.from_bytes(words.astype(">u4").tobytes(), "big")


def seeded(init: Builtin, key: Any) -> tuple[Builtin, Any]:
    """The initializer with a key as its seed, and the identity of its stream where the key is traced, else None."""
    words = key_words(key)
    if isinstance(words, jax.core.Tracer):
        return init._with_seed(0), hashed(words, *fields_around(getattr(init, "_path", ())))
    return init._with_seed(seed_of_words(np.asarray(words))), None


def check_identity(identity: Any) -> Any:
    """`identity`, which must be an array of four uint32.

    Raises:
        TypeError: It is no array of uint32.
        ValueError: It has another shape.
    """
    if getattr(identity, "dtype", None) != np.uint32:
        msg = f"`identity` must be an array of uint32, such as `varscale.jax.identity` returns, got {show(identity)}"
        raise TypeError(msg)
    if identity.shape != (4,):
        msg = f"`identity` must have 4 words (`jax.vmap` takes many), got the shape {show(identity.shape)}"
        raise ValueError(msg)
    return identity
