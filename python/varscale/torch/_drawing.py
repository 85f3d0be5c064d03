"""What a network's code makes of random values, where that has no law: done for real, on values of ours."""

from __future__ import annotations

from itertools import count
from typing import Any

from .._engines import missing
from ._init import init_
from ._values import Value

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


class Drawing:
    """Computes tensors from random values: those that parameters hold, or new ones, named by the tensor they are for.

    Args:
        seed: The seed of the network.
        filled: Parameters that hold values of ours already, by the identity of the `Value` that they have.
    """

    def __init__(self, seed: Any, filled: dict[int, torch.Tensor]) -> None:
        self._seed, self._filled = seed, filled

    def values(self, name: str, value: Value) -> torch.Tensor:
        """The values of the tensor of this name.

        Raises:
            ValueError: They need random numbers that no law of ours draws, such as a permutation.
        """
        numbers = count()

        def draw(random: Value) -> torch.Tensor:
            if id(random) in self._filled:
                return self._filled[id(random)].detach().cpu()
            if random.law is None:
                raise ValueError(random.why)
            initializer = random.law.initializer().fold_in(name, next(numbers))
            return init_(torch.empty(random.shape, dtype=random.dtype, device="cpu"), initializer, self._seed)

        return value.real(draw)
