"""Laws of a model as a picture: the density of each, with its standard deviation and its bounds."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from .._arguments.show import show
from .._models.model import Model
from .._sources.plan import Plan
from ..checkpoint._laws import Target, target
from ._axes import LAW, MEASURED, axes, plain
from ._figures import curve
from ._histogram import reach
from ._names import place, shown
from ._scales import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _Law(NamedTuple):
    plan: Plan
    target: Target
    kinds: tuple[str, ...]
    having: int


def laws(model: Model, names: Iterable[str] | None = None, *, ax: Any = None) -> Axes:
    """Draws the density of each distinct law of a model, one above the other, with what has it.

    A law's line is as high as it can be: widths are comparable, heights are not. A bar spans its mean plus and minus a
    standard deviation, ticks stand at its bounds. What draws nothing, such as zeros, or has no density of its own, such
    as orthogonal matrices, is left out.

    Args:
        model: The model.
        names: The parameters wanted; None for all.
        ax: The axes to draw on; None for new ones.

    Returns:
        The axes.

    Raises:
        TypeError: An argument is of the wrong kind.
        KeyError: A name is not in the model.
        ValueError: No parameter wanted has a density.
        ImportError: matplotlib is not installed.

    Example:
        >>> import varscale as vs
        >>> shapes = {"wte.weight": (5000, 96), "h.0.mlp.weight": (384, 96), "h.1.mlp.weight": (384, 96)}
        >>> ax = vs.plot.laws(vs.Model(shapes, layout="torch"))
        >>> [label.get_text().splitlines()[0] for label in ax.get_yticklabels()]
        ['wte.weight', 'h.*.mlp.weight']
    """
    if not isinstance(model, Model):
        msg = f"`model` must be a Model, got {show(model)}"
        raise TypeError(msg)
    found = _distinct(model, model._chosen(names))
    if not found:
        msg = "`model` must have a parameter whose values have a density, got none"
        raise ValueError(msg)
    drawn = axes(ax, 6.4, 0.6 + 0.75 * len(found))
    for level, law in enumerate(reversed(found)):
        _draw(drawn, level, law)
    drawn.set_yticks(range(len(found)), [_label(law) for law in reversed(found)], fontsize=8)
    drawn.set_ylim(-0.35, len(found))
    drawn.set_xlabel("value")
    plain(drawn)
    return drawn


def _distinct(model: Model, names: Iterable[str]) -> list[_Law]:
    """The laws, the widest first, each with the kinds of parameters that have it."""
    held: dict[Plan, tuple[Target, list[str]]] = {}
    for name in names:
        wanted = target(model[name])
        if wanted.plan is not None:
            held.setdefault(wanted.plan, (wanted, []))[1].append(name)
    found = []
    for plan, (wanted, having) in held.items():
        kinds = {place(name).kind: name for name in having}
        counted = (kind if len(having) > 1 else name for kind, name in kinds.items())
        found.append(_Law(plan, wanted, tuple(counted), len(having)))
    return sorted(found, key=lambda law: -(law.target.stddev or 0.0))


def _draw(ax: Any, level: int, law: _Law) -> None:
    span = reach(law.target)
    assert span is not None
    room = 0.02 * (span[1] - span[0])
    points = curve(law.plan, span[0] - room, span[1] + room, 240)
    peak = max(height for _, height in points) / 0.8
    x, y = [at for at, _ in points], [level + height / peak for _, height in points]
    ax.fill_between(x, y, level, color=MEASURED, alpha=0.15, linewidth=0)
    ax.plot(x, y, color=MEASURED, linewidth=1.25)
    mean, stddev = law.target.mean or 0.0, law.target.stddev or 0.0
    ax.plot([mean - stddev, mean + stddev], [level - 0.12] * 2, color=LAW, linewidth=2)
    bounds = [bound for bound in (law.plan.low, law.plan.high) if isfinite(bound)]
    ax.plot(bounds, [level - 0.12] * len(bounds), color=LAW, marker="|", linestyle="none")


def _label(law: _Law) -> str:
    more = f" and {len(law.kinds) - 1} more" if len(law.kinds) > 1 else ""
    count = f"{law.having}: " if law.having > 1 else ""
    return f"{shown(law.kinds[0])}{more}\n{count}{law.plan.law.replace('_', ' ')}, stddev {number(law.target.stddev)}"
