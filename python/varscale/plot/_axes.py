"""Axes of matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._arguments.show import show
from .._engines import missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURED, LAW, BAD, SOFT = "#2c5a99", "#a8480a", "#b00f35", "#565d68"
"""The colours of a page, by what they stand for."""


def check_matplotlib() -> None:
    """Raises ImportError where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing("plot", error) from error


def axes(ax: Any, width: float, height: float) -> Axes:
    """The axes of a user, or new ones of this size in inches.

    Raises:
        TypeError: `ax` is no axes.
        ImportError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.axes import Axes

    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(figsize=(width, height), layout="constrained")[1]
    if not isinstance(ax, Axes):
        msg = f"`ax` must be axes of matplotlib or None, got {show(ax)}"
        raise TypeError(msg)
    return ax


def plain(ax: Any) -> None:
    """Takes away what shows nothing."""
    ax.spines[["top", "right"]].set_visible(False)
