"""The successive draws of a torch generator, as a script makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt
from operator import methodcaller
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from .._arguments.checks import boolean, int64, not_negative_integer
from .._arguments.dtypes import DTypeLike, float_type
from .._arguments.parts import Part
from .._arguments.shapes import ShapeLike
from .._arguments.show import show
from .._core import TorchEnd
from .._filling.arrays import out_dtype
from .._filling.fill import make
from .._sources.replay import Replay
from .._sources.request import HasLaw, Interval, Law, Request
from ._place import Place

Position = TypeVar("Position", bound=Replay)
MakeFrom = Callable[[Any, NDArray[Any] | None], NDArray[Any]]
"""Makes an array from a position: a new one, or the one that is given."""
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
        self._place = Place(position)

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
        if out is not None:
            dtype = out_dtype(out, dtype)
        return self._draw(lambda now, out: initializer._with_seed(now)(shape, dtype, out=out), out)

    def _draw(self, make_from: MakeFrom, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The array that `make_from` makes from the position, which moves on by the words that it takes.

        Where a draw fails, the position stays.
        """
        taken = False
        while not taken:
            place = self._place = self._place.last()
            end = Place(find=partial(_end, place, make_from))
            taken = place.lead_to(end)
        try:
            array, position = _drawn(place.position, make_from, out)
        except BaseException as error:
            end.stay_at(place)
            if isinstance(error, RecursionError):
                msg = "`initializer` must not draw from the draws that it is drawn from: each draw would begin another"
                raise ValueError(msg) from error
            raise
        end.settle(position)
        return array

    def _uniform(self, low: float, high: float, shape: tuple[int, ...], dtype: DTypeLike | None) -> NDArray[Any]:
        """A tensor of uniform values in [low, high)."""
        kind, part = float_type("float32" if dtype is None else dtype), Part(shape, shape)
        request = Request(Law("uniform", Interval(low, high)), kind, part)
        return self._draw(lambda now, out: make(now._source_of(request), part, out))

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
            not_negative_integer(name, int64(name, size))
            for name, size in (("in_features", in_features), ("out_features", out_features))
        )
        has_bias = boolean("bias", bias)  # before anything is drawn
        # The operations of `nn.Linear`, in its order: the weight is drawn before the bias.
        root = sqrt(ins)
        bound = sqrt(3.0) * (LINEAR_GAIN / root) if ins else 0.0
        weight = self._uniform(-bound, bound, (outs, ins), dtype)
        if not has_bias:
            return weight, None
        bound = 1 / root if ins else 0.0
        return weight, self._uniform(-bound, bound, (outs,), dtype)

    def __next__(self) -> float:
        """The next uniform number in [0, 1), as `torch.rand(())` draws it."""
        return float(self._uniform(0.0, 1.0, (), "float32")[()])

    def __repr__(self) -> str:
        return f"<draws from {show(self.position)} on>"

    def __reduce__(self) -> Any:
        return methodcaller("draws"), (self.position,)  # a pickle names what users import, and no file of ours


def _drawn(position: Any, make_from: MakeFrom, out: NDArray[Any] | None) -> tuple[NDArray[Any], Any]:
    """An array drawn from a position, and the position after it."""
    end = TorchEnd()
    array = make_from(position._reporting(end), out)
    return array, position._moved(*end.get())


def _end(place: Place, make_from: MakeFrom) -> Any:
    """The position after a draw that is under way elsewhere."""
    try:
        return _drawn(place.position, make_from, None)[1]
    except (TypeError, ValueError) as error:
        if isinstance(error.__cause__, RecursionError):
            raise
        return place.position  # it fails there too, and takes no words
