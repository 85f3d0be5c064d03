"""Arrays over any mesh of devices, of which each process makes its own shards and nothing else."""

from __future__ import annotations

from .._arguments.dtypes import DTypeLike
from .._arguments.shapes import ShapeLike
from .._engines import check_repeats, lazy_tensor, missing, shard_maker
from .._filling.lazy import Lazy
from .._initializers.builtin import Builtin

try:
    import jax
except ModuleNotFoundError as error:
    raise missing("jax", error) from error

from ._bits import check_bits
from ._context import is_traced
from ._shards import are_accelerators, made_there


def make_array(
    init: Builtin | Lazy, shape: ShapeLike | None, sharding: jax.sharding.Sharding, dtype: DTypeLike | None = None
) -> jax.Array:
    """A `jax.Array` that holds `init(shape, dtype)`, whatever the mesh and the number of processes.

    Accelerators make their own shards, unless `VARSCALE_DEVICE` is "cpu": by the program that `varscale.jax.sample`
    traces, or on NVIDIA's GPUs by Triton's kernels where jax-triton is installed. At first use some values of each law
    and dtype are compared with the core's.

    Otherwise every distinct shard is made once, then given to each device that holds it, through
    `jax.make_array_from_callback`. A shard above 64 KiB starts on a 64-byte boundary, so that a CPU device takes it
    without a copy.

    Args:
        init: An initializer, or a lazy tensor such as `varscale.Model.lazy` returns.
        shape: The whole array's shape; None for that of a lazy tensor.
        sharding: Any sharding, or a `jax.experimental.layout.Format` around one.
        dtype: As in a call of the initializer; None for its own.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: The initializer refuses the call, JAX cannot cut an axis evenly, the dtype has 64 bits while
            `jax_enable_x64` is off, or there are several processes but no seed.

    Example:
        >>> import jax, varscale as vs
        >>> sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
        >>> init = vs.lecun_normal(seed=7)
        >>> array = vs.jax.make_array(init, (784, 256), sharding, "bfloat16")
        >>> bool((array == init((784, 256), "bfloat16")).all())
        True
    """
    # The stream of a lazy tensor is fixed already, so only an initializer can draw entropy here.
    if not isinstance(init, Lazy) and jax.process_count() > 1:
        check_repeats(init)
    tensor = lazy_tensor(init, shape, dtype)
    check_bits(tensor.dtype)
    if are_accelerators(sharding) and not is_traced():
        array = made_there(tensor, sharding)
        if array is not None:
            return array
    return jax.make_array_from_callback(tensor.shape, sharding, shard_maker(tensor), tensor.dtype)
