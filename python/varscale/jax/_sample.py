"""Arrays inside JAX's programs: the native stream, traced with the program that uses it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments.dtypes import DTypeLike
from .._arguments.shapes import ShapeLike
from .._arguments.show import show
from .._engines import check_initializer, lazy_tensor, missing
from .._filling.fill import make
from .._filling.lazy import Lazy
from .._initializers.builtin import Builtin
from .._initializers.constant import Fixed
from .._sources.replay import Replay
from .._sources.seeds import repeats
from .._sources.source import Joined, Written

try:
    import jax
except ModuleNotFoundError as error:
    raise missing("jax", error) from error

import jax.numpy as jnp

from .._devices.jnp.sources import refusal, traced
from ._bits import check_bits
from ._context import check_version, is_traced
from ._keys import check_identity, seeded
from ._parts import parse_part


def sample(
    init: Builtin | Lazy,
    shape: ShapeLike | None = None,
    dtype: DTypeLike | None = None,
    *,
    key: Any = None,
    identity: Any = None,
    part: Any = None,
) -> jax.Array:
    """`init(shape, dtype, index=part)` as operations of JAX, bit for bit, inside and outside of traced programs.

    It is plain `jax.numpy` without callbacks. So it works under `jit`, `vmap`, `scan` and `shard_map`, and a program
    whose output is sharded makes each shard where it lies. A program is compiled for each law, dtype and shape; seeds,
    scales and starts are its arguments.

    Args:
        init: An initializer, or a lazy tensor such as `varscale.Model.lazy` returns.
        shape: The tensor's shape; None for that of a lazy tensor.
        dtype: As in a call of the initializer; None for its own.
        key: A key of JAX, traced or not, in place of the initializer's seed: the integer that its words are, the
            highest first. So `jax.random.key(7)` stands for the seed 7. The path that was folded in stays.
        identity: Four words that name the stream, traced or not, as `varscale.jax.identity` returns them.
        part: The part `tensor[part]`, as `index` in a call. Entries may also be traced 1-D arrays of integers, which
            must lie inside the tensor: nobody checks it. None for the whole tensor.

    Raises:
        TypeError: An argument is of the wrong kind, or both `key` and `identity` are given.
        IndexError: A call would refuse the index.
        ValueError: A call would refuse the arguments, XLA cannot make the values (a replay, values that Python writes,
            subnormal numbers, float64 on a TPU), the dtype has 64 bits while `jax_enable_x64` is off, or a traced
            program has neither seed nor key.
        RuntimeError: JAX 0.6 traces a program while `jax_enable_x64` is off.

    Example:
        >>> import jax, varscale as vs
        >>> init = vs.lecun_normal().fold_in("layers", 0)
        >>> start = jax.jit(lambda key: vs.jax.sample(init, (784, 256), "bfloat16", key=key))
        >>> seeded = vs.lecun_normal(seed=7).fold_in("layers", 0)
        >>> bool((start(jax.random.key(7)) == seeded((784, 256), "bfloat16")).all())
        True
    """
    check_version()
    tensor, words = _named(init, shape, dtype, key, identity)
    check_bits(tensor.dtype)
    chosen, axes, unknown = parse_part(tensor.shape, part)
    source = tensor._source(chosen)
    if isinstance(source, Written) and isinstance(tensor.initializer, Fixed) and not unknown:
        return jnp.asarray(make(source, chosen))
    # Which pieces a part has must be known now.
    mixed = unknown and isinstance(source, Joined)
    why = "its pieces have no traced indices" if mixed else refusal(source, _platform())
    if why is not None:
        told = f"{show(tensor.initializer)}: {why}"
        msg = f"`init` must have values that XLA makes (else use `varscale.jax.make_array`), got {told}"
        raise ValueError(msg)
    return traced(source, chosen, axes, words)


def _named(init: Any, shape: Any, dtype: Any, key: Any, identity: Any) -> tuple[Lazy, Any]:
    """The tensor, and the words that name its stream where those are not its own."""
    if key is not None and identity is not None:
        msg = "`key` and `identity` must not both be given"
        raise TypeError(msg)
    if key is None and identity is None:
        # What draws nothing has no seed.
        fixed = isinstance(init, Lazy) or repeats(getattr(init, "seed", 0), getattr(init, "_path", ()))
        if not fixed and is_traced():
            msg = f"`init` must have a seed, or the call a `key`, in a traced program, got {show(init)}"
            raise ValueError(msg)
        return lazy_tensor(init, shape, dtype), None
    if isinstance(init, Lazy):
        msg = f"`init` must be an initializer where `key` or `identity` is given, got {show(init)}"
        raise TypeError(msg)
    if isinstance(getattr(check_initializer(init), "seed", None), Replay):
        msg = f"`init` must replay no framework where `key` or `identity` is given, got {show(init)}"
        raise ValueError(msg)
    if key is not None:
        found, words = seeded(init, key)
        return lazy_tensor(found, shape, dtype), words
    # Any seed will do: a call without one would take a number.
    return lazy_tensor(init._with_seed(0), shape, dtype), check_identity(identity)


def _platform() -> str:
    """The platform that a call without any other word runs on."""
    device = jax.config.jax_default_device
    return jax.default_backend() if device is None else str(getattr(device, "platform", device))


def identity(init: Builtin | Lazy) -> NDArray[np.uint32]:
    """The four words that name the stream of an initializer's next call, or of a lazy tensor.

    They are what `sample` takes as `identity`. An unseeded call takes its number here.

    Raises:
        TypeError: `init` is neither an initializer nor a lazy tensor.
        ValueError: It draws nothing, or from the stream of a framework.

    Example:
        >>> import varscale as vs
        >>> vs.jax.identity(vs.lecun_normal(seed=7))
        array([ 668500852, 3215673793, 3436318418, 3525449612], dtype=uint32)
    """
    stream = init._stream if isinstance(init, Lazy) else check_initializer(init)._stream()
    if len(stream) != 16:
        msg = f"`init` must draw from the native stream, got {show(init)}"
        raise ValueError(msg)
    words: NDArray[np.uint32] = np.frombuffer(stream, "<u4").astype(np.uint32)
    return words
