"""Init methods: what Megatron and DeepSpeed call with one tensor after another."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, NoReturn

import torch

from .._arguments.show import show
from .._engines import check_initializer, check_repeats
from .._initializers.builtin import Builtin
from .._sources.seeds import SeedLike
from ._init import init_
from ._memory import has_memory


class init_method:
    """A function of a tensor, which it fills: the n-th call has a stream of its own, named by n.

    Megatron-LM, DeepSpeed and others call an `init_method` with one weight after another. One seeded initializer
    would make all weights of a shape alike; this makes `init.fold_in(0)`, `init.fold_in(1)`, and so on.

    The values depend on the order of the calls. `for_name` names a stream instead. Two methods need two seeds, or
    `fold_in`: the n-th calls of both would draw the same numbers. A copy of a method counts on with it, as in
    a config that is copied for each layer. Meta and fake tensors are left alone, and not counted.

    Args:
        init: An initializer. One with the default axes gets `in_axis=1, out_axis=0`.
        seed: The seed that replaces the initializer's own; None keeps that.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: There is no seed, so that each process would draw from different tensors.

    Example:
        >>> import torch, varscale as vs
        >>> method = vs.torch.init_method(vs.RandomNormal(0.0, 0.02), seed=7)
        >>> query, key = method(torch.empty(4, 4)), method(torch.empty(4, 4))
        >>> bool((query == key).any())
        False
        >>> head = method.for_name("head.weight")(torch.empty(4, 4))
        >>> bool((head == vs.torch.init_(torch.empty(4, 4), method.init.fold_in("head.weight"))).all())
        True
    """

    init: Builtin
    """The initializer, with the seed."""

    def __init__(self, init: Builtin, seed: SeedLike = None) -> None:
        init = check_initializer(init)
        self.init = init if seed is None else init._with_seed(seed)
        check_repeats(self.init)
        self._numbers = count()

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        """Fills a tensor, and returns it."""
        # `next` is one step, which no other thread comes between.
        return init_(tensor, self.init.fold_in(next(self._numbers))) if has_memory(tensor) else tensor

    def for_name(self, name: str) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function that fills tensors as a module's parameter of this name is filled, in whatever order."""
        init = self.init.fold_in(name)
        return lambda tensor: init_(tensor, init) if has_memory(tensor) else tensor

    def __copy__(self) -> init_method:
        return self

    def __deepcopy__(self, memo: Any) -> init_method:
        return self

    def __reduce__(self) -> NoReturn:
        msg = "an `init_method` has no pickle: another process would begin with the first stream once more"
        raise TypeError(msg)

    def __repr__(self) -> str:
        return f"init_method({show(self.init)})"
