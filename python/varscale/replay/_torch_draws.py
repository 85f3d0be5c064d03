"""The successive draws of a torch generator, as a script makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from .._arguments.checks import not_negative_integer
from .._arguments.dtypes import DTypeLike, float_type
from .._arguments.parts import Part
from .._arguments.shapes import ShapeLike
from .._arguments.show import show
from .._core import TorchEnd
from .._filling.fill import make
from .._sources.environment import in_default_environment
from .._sources.replay import Replay
from .._sources.request import HasLaw, Interval, Law, Request

Position = TypeVar("Position", bound=Replay)
_TRIES = 1000
"""How often a draw begins anew where other draws, of threads or signal handlers, have moved on meanwhile."""
LINEAR_GAIN = sqrt(2.0 / (1 + sqrt(5) ** 2))
"""The gain of `nn.Linear`, which calls `kaiming_uniform_(weight, a=math.sqrt(5))`."""


class Draws(Iterator[float], Generic[Position]):
    """The successive draws of a torch generator, as a script makes them after `torch.manual_seed`.

    A call draws a tensor, `linear` draws the two of a layer, and `next` draws one uniform number, as `torch.rand(())`
    does. Draws are no seed, because each moves them on; their `position` is one, and stays the same.

    Example:
        >>> import varscale as vs
        >>> from varscale import replay
        >>> draws = replay.torch(0).draws()                       # torch.manual_seed(0)
        >>> weight, bias = draws.linear(784, 256)                 # torch.nn.Linear(784, 256)
        >>> table = draws(vs.RandomNormal(0, 1), (1000, 64))      # torch.nn.Embedding(1000, 64)
        >>> again = draws.position                                # a seed: what is drawn next, any time
        >>> float(vs.RandomUniform(0, 1, seed=again)(())) == next(draws)
        True
    """

    def __init__(self, position: Position) -> None:
        self._place = _Place(position)

    @property
    def position(self) -> Position:
        """The seed of the next draw."""
        position: Position = self._place.last().position
        return position

    def __call__(
        self, initializer: HasLaw, shape: ShapeLike, dtype: DTypeLike | None = None, *, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Draws a tensor and moves on.

        Args:
            initializer: A random initializer without a seed; `replay.torch` lists torch's own names.
            shape: The tensor's shape.
            dtype: The dtype, as in a call of the initializer.
            out: An array to fill in place and return.

        Returns:
            A new array, or `out`.

        Raises:
            TypeError: `initializer` is not a random one, or another argument is of the wrong kind.
            ValueError: The initializer has a seed or a path, or torch has no such law, dtype or shape.
        """
        if isinstance(initializer, type) or not isinstance(initializer, HasLaw):
            msg = f"`initializer` must be a random initializer, got {show(initializer)}"
            raise TypeError(msg)
        if initializer.seed is not None or initializer._path:
            msg = f"`initializer` must have neither seed nor path, got {show(initializer)}"
            raise ValueError(msg)
        return self._draw(lambda now: initializer._with_seed(now)(shape, dtype, out=out))

    def _draw(self, make_from: Callable[[Any], NDArray[Any]]) -> NDArray[Any]:
        """The array that `make_from` makes from the position, which then moves on by the words that it took.

        Where a draw fails, the position stays.
        """
        for _ in range(_TRIES):
            place = self._place = self._place.last()
            end = TorchEnd()
            array = make_from(place.position._reporting(end))
            if place.lead_to(_Place(place.position._moved(*end.get()))):
                return array
        msg = f"draws must come one after another: others came between in each of {_TRIES} tries to make this one"
        raise ValueError(msg)

    def _uniform(self, low: float, high: float, shape: tuple[int, ...], dtype: DTypeLike | None) -> NDArray[Any]:
        """A tensor of uniform values in [low, high)."""
        kind, part = float_type("float32" if dtype is None else dtype), Part(shape, shape)
        request = Request(Law("uniform", Interval(low, high)), kind, part)
        return self._draw(lambda now: make(in_default_environment(now._answer, request), part))

    def linear(
        self, in_features: int, out_features: int, bias: bool = True, dtype: DTypeLike | None = "float32"
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """The weight and the bias of a new `torch.nn.Linear(in_features, out_features)`.

        Args:
            in_features: Size of each input.
            out_features: Size of each output.
            bias: Whether the layer has one; else None is returned for it.
            dtype: The dtype of both.

        Returns:
            The weight, of shape (out_features, in_features), and the bias, of shape (out_features,).

        Raises:
            TypeError: An argument is of the wrong kind.
            ValueError: A size is negative, or the dtype unknown.

        Example:
            >>> from varscale import replay
            >>> draws = replay.torch(42).draws()
            >>> draws.linear(4, 2)[1]
            array([ 0.44077146, -0.36681408], dtype=float32)
        """
        ins, outs = (
            not_negative_integer(name, size)
            for name, size in (("in_features", in_features), ("out_features", out_features))
        )
        # The operations of `nn.Linear`, in its order: the weight is drawn before the bias.
        root = sqrt(ins)
        bound = sqrt(3.0) * (LINEAR_GAIN / root) if ins else 0.0
        weight = self._uniform(-bound, bound, (outs, ins), dtype)
        if not bias:
            return weight, None
        bound = 1 / root if ins else 0.0
        return weight, self._uniform(-bound, bound, (outs,), dtype)

    def __next__(self) -> float:
        """The next uniform number in [0, 1), as `torch.rand(())` draws it."""
        return float(self._uniform(0.0, 1.0, (), "float32")[()])

    def __repr__(self) -> str:
        return f"<draws from {show(self.position)} on>"

    def __reduce__(self) -> Any:
        return Draws, (self.position,)


class _Place:
    """A position, and the place to which the first draw from it leads.

    So no two draws are made from one position, and no lock is taken, which a signal handler that interrupts its holder,
    or a forked child, would wait for for ever.
    """

    __slots__ = ("_next", "position")

    def __init__(self, position: Any) -> None:
        self.position = position
        self._next: dict[None, _Place] = {}

    def lead_to(self, place: _Place) -> bool:
        """Leads to `place` from now on, if it leads nowhere yet; says whether it does."""
        return self._next.setdefault(None, place) is place  # one step, which nothing comes between

    def last(self) -> _Place:
        """The place at the end of the chain."""
        place = self
        while place._next:
            place = place._next[None]
        return place
