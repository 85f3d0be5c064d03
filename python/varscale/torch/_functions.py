"""The functions of `torch.nn.init`, by the same names: the values come from varscale's streams."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Any, TypeVar

import torch
from torch.nn.init import calculate_gain

from .._arguments.checks import finite, not_negative, positive, real, word
from .._arguments.fans import compute_fans
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.diagonal import Identity
from .._initializers.kernels import Dirac
from .._initializers.orthogonal import Orthogonal
from .._initializers.random import RandomNormal, RandomUniform, TruncatedNormal
from .._initializers.sparse import Sparse
from .._sources.seeds import SeedLike
from ._init import init_
from ._memory import has_memory, is_sharded
from ._record import kept

Tensor = TypeVar("Tensor", bound="torch.Tensor")


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: torch.Generator | None = None, *, seed: SeedLike = None
) -> Tensor:
    """Fills a tensor with uniform values in [a, b).

    The arguments and the result are those of `torch.nn.init.uniform_`, and there is a `seed`. Without a seed, 64 bits
    of the generator are one: so calls after `torch.manual_seed` repeat in their order. Meta and fake tensors are left
    alone. A call with a seed repeats: two tensors of one shape are equal then.

    Args:
        tensor: A tensor, a parameter or a DTensor, of any floating-point dtype.
        a: The least value.
        b: The bound that no value reaches; a 16-bit value may be rounded to it.
        generator: Where the seed comes from; None for torch's global generator.
        seed: The seed instead: any integer, or a seed from `varscale.replay`. A DTensor needs one.

    Returns:
        `tensor`.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value, there are both a seed and a generator, or a DTensor has no seed.

    Example:
        >>> import torch, varscale as vs
        >>> weight = vs.torch.uniform_(torch.empty(3, 5), -1, 1, seed=7)
        >>> bool((weight.numpy() == vs.RandomUniform(-1, 1, seed=7)((3, 5))).all())
        True
    """
    low, high = finite("a", a), finite("b", b)
    if low > high:
        msg = f"`a` must not be greater than `b`, got {show(a)} and {show(b)}"
        raise ValueError(msg)
    return _uniform(tensor, low, high, generator, seed)


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    seed: SeedLike = None,
) -> Tensor:
    """Fills a tensor with normal values; see `uniform_` for what the functions here have in common."""
    return _normal(tensor, finite("mean", mean), not_negative("std", std), generator, seed)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: torch.Generator | None = None,
    *,
    seed: SeedLike = None,
) -> Tensor:
    """Fills a tensor with normal values truncated to [a, b]; see `uniform_` for what the functions have in common.

    The bounds are absolute numbers, as in torch: with `std=0.02` the default ones cut nothing off.
    """
    mean, std, low, high = finite("mean", mean), positive("std", std), real("a", a), real("b", b)
    if not low < high:
        msg = f"`a` must be less than `b`, got {show(a)} and {show(b)}"
        raise ValueError(msg)
    law = TruncatedNormal(mean, std, lower=(low - mean) / std, upper=(high - mean) / std)
    return _filled(tensor, law, partial(torch.nn.init.trunc_normal_, tensor, mean, std, low, high), generator, seed)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, seed: SeedLike = None
) -> Tensor:
    """Fills a tensor with uniform values of variance gain² · 2 / (fan_in + fan_out); see `uniform_`."""
    bound = sqrt(3.0) * _xavier(tensor, gain)
    return _uniform(tensor, -bound, bound, generator, seed)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, seed: SeedLike = None
) -> Tensor:
    """Fills a tensor with normal values of variance gain² · 2 / (fan_in + fan_out); see `uniform_`."""
    return _normal(tensor, 0.0, _xavier(tensor, gain), generator, seed)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
    *,
    seed: SeedLike = None,
) -> Tensor:
    """Fills a tensor with uniform values of variance gain² / fan, gain = `calculate_gain(nonlinearity, a)`.

    The fans are those of the axes (out, in, *kernel); see `uniform_` for what the functions have in common.
    """
    bound = sqrt(3.0) * _kaiming(tensor, a, mode, nonlinearity)
    return _uniform(tensor, -bound, bound, generator, seed)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
    *,
    seed: SeedLike = None,
) -> Tensor:
    """Fills a tensor with normal values of variance gain² / fan, gain = `calculate_gain(nonlinearity, a)`.

    The fans are those of the axes (out, in, *kernel); see `uniform_` for what the functions have in common.
    """
    return _normal(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity), generator, seed)


def orthogonal_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, seed: SeedLike = None
) -> Tensor:
    """Fills a tensor (out, ...) with an orthogonal matrix times `gain`; see `uniform_`.

    It is one matrix whose rows, or columns where there are fewer, are orthonormal: `Orthogonal(gain, axis=0)`.
    """
    _dimensions(tensor, lambda rank: rank >= 2, "two dimensions or more")
    namesake = partial(torch.nn.init.orthogonal_, tensor, gain)
    return _filled(tensor, Orthogonal(gain, axis=0), namesake, generator, seed)


def sparse_(
    tensor: Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: torch.Generator | None = None,
    *,
    seed: SeedLike = None,
) -> Tensor:
    """Fills a matrix with normal values, and with `ceil(sparsity * rows)` zeros in each column; see `uniform_`.

    The seed tells which they are, too: torch draws them from its global generator, whatever generator is given.
    """
    _dimensions(tensor, lambda rank: rank == 2, "two dimensions")
    namesake = partial(torch.nn.init.sparse_, tensor, sparsity, std)
    return _filled(tensor, Sparse(sparsity, not_negative("std", std)), namesake, generator, seed)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fills the kernel of a convolution so that it hands its inputs on, those of each group to its own outputs."""
    _dimensions(tensor, lambda rank: 3 <= rank <= 5, "three to five dimensions")
    namesake = partial(torch.nn.init.dirac_, tensor, groups)
    return _filled(tensor, Dirac(groups, layout="torch"), namesake, None, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Fills a matrix with ones on its main diagonal and zeros elsewhere, a DTensor too."""
    _dimensions(tensor, lambda rank: rank == 2, "two dimensions")
    return _filled(tensor, Identity(), partial(torch.nn.init.eye_, tensor), None, 0)


def _uniform(tensor: Tensor, low: float, high: float, generator: Any, seed: Any) -> Tensor:
    """A tensor that was filled with uniform values."""
    namesake = partial(torch.nn.init.uniform_, tensor, low, high)
    return _filled(tensor, RandomUniform(low, high), namesake, generator, seed)


def _normal(tensor: Tensor, mean: float, std: float, generator: Any, seed: Any) -> Tensor:
    """A tensor that was filled with normal values."""
    namesake = partial(torch.nn.init.normal_, tensor, mean, std)
    return _filled(tensor, RandomNormal(mean, std), namesake, generator, seed)


def _xavier(tensor: torch.Tensor, gain: float) -> float:
    """The standard deviation for both fans."""
    return not_negative("gain", gain) * sqrt(2.0 / max(1, sum(_fans(tensor))))


def _kaiming(tensor: torch.Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """The standard deviation for one fan."""
    fan = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    mode = word("mode", mode.lower() if isinstance(mode, str) else mode, tuple(fan))
    return float(calculate_gain(nonlinearity, a)) / sqrt(max(1, fan[mode]))


def _fans(tensor: torch.Tensor) -> tuple[int, int]:
    """The fans as torch counts them; those of an empty tensor may be 0, and then count for nothing."""
    _dimensions(tensor, lambda rank: rank >= 2, "two dimensions or more, or it has no fans")
    return compute_fans(tuple(tensor.shape), in_axis=1, out_axis=0)


def _dimensions(tensor: torch.Tensor, fits: Callable[[int], bool], legal: str) -> None:
    """Raises for what is no tensor, and for one whose number of dimensions does not fit."""
    if not fits(_checked(tensor).ndim):
        msg = f"`tensor` must have {legal}, got the shape {show(tuple(tensor.shape))}"
        raise ValueError(msg)


def _checked(tensor: Tensor) -> Tensor:
    """`tensor`, which must be one."""
    if not isinstance(tensor, torch.Tensor):
        msg = f"`tensor` must be a tensor, got {show(tensor)}"
        raise TypeError(msg)
    return tensor


def _filled(tensor: Tensor, law: Builtin, namesake: Callable[[], object], generator: Any, seed: Any) -> Tensor:
    """The tensor after it was filled from a seed, or from one that is drawn from torch's generator."""
    if generator is not None and not isinstance(generator, torch.Generator):
        msg = f"`generator` must be a torch.Generator or None, got {show(generator)}"
        raise TypeError(msg)
    if generator is not None and seed is not None:
        msg = "`seed` must be None where `generator` is given: each of them names the values"
        raise ValueError(msg)
    if kept():
        namesake()  # the record knows torch's own functions, and reads the law
        return tensor
    if not has_memory(_checked(tensor)):
        return tensor
    if seed is None:
        if is_sharded(tensor):
            msg = "`seed` must be given for a DTensor: the generators of its ranks need not agree"
            raise ValueError(msg)
        seed = _drawn(torch.default_generator if generator is None else generator)
    return init_(tensor, law, seed)


def _drawn(generator: torch.Generator) -> int:
    """64 bits of the generator."""
    # On its own device, whatever `torch.device` is the default.
    word = torch.empty((), dtype=torch.int64, device=generator.device)
    return int(word.random_(-(2**63), None, generator=generator))
