"""A picture for papers: the kinds of tensors of a checkpoint as a PNG file, drawn by matplotlib."""

from __future__ import annotations

from io import BytesIO
from math import inf, isfinite
from typing import Any

from ._axes import BAD, LAW, MEASURED, SOFT, check_matplotlib, plain
from ._figures import OVERLAID, curve
from ._names import shown
from ._scales import fitting
from ._survey import Kind, Signal, Survey

KINDS = 8
"""The most kinds in a picture."""


def picture(survey: Survey) -> bytes:
    """The picture: a line for each kind of tensor whose numbers vary or are none, suspects first, and the signal below.

    Raises:
        ImportError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = [kind for kind in survey.kinds if _is_shown(kind)]
    lines = min(len(kinds), KINDS) + isinstance(survey.signal, Signal)
    # Whatever a user has set for other pictures.
    style: Any = {"font.size": 8.0, "font.family": "sans-serif", "text.usetex": False, "mathtext.default": "regular"}
    with rc_context(style):
        figure = Figure(figsize=(6.8, 1.55 * max(lines, 1) + 0.45), dpi=200, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        bad = len(survey.suspects)
        about = f", {bad:,} suspect" if bad else ""
        left_out = f", {KINDS} of {len(kinds):,} kinds" if len(kinds) > KINDS else ""
        figure.suptitle(
            f"{_text(survey.name)}: {sum(1 for _ in survey.tensors):,} tensors{about}{left_out}", fontsize=9
        )
        grid = figure.add_gridspec(max(lines, 1), 2)
        for line, kind in enumerate(kinds[:KINDS]):
            _histograms(figure.add_subplot(grid[line, 0]), kind)
            if _has_layers(kind):
                _stddevs(figure.add_subplot(grid[line, 1]), kind)
        if isinstance(survey.signal, Signal):
            _signal(figure.add_subplot(grid[lines - 1, :]), survey.signal)
        stream = BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _has_layers(kind: Kind) -> bool:
    return len({tensor.depth for tensor in kind.tensors}) > 1


def _is_shown(kind: Kind) -> bool:
    """Whether some of its numbers vary, or its layers are not finite at all."""
    if any(tensor.histogram for tensor in kind.tensors):
        return True
    return _has_layers(kind) and not all(isfinite(tensor.spread or 0.0) for tensor in kind.tensors)


def _text(name: str) -> str:
    """A name that matplotlib does not read as a formula."""
    return shown(name).replace("$", r"\$")


def _histograms(ax: Any, kind: Kind) -> None:
    drawn = [tensor for tensor in kind.tensors if tensor.histogram is not None]
    for tensor in drawn[:: max(-(-len(drawn) // OVERLAID), 1)]:
        assert tensor.histogram is not None
        color = BAD if tensor.row.why else MEASURED
        ax.stairs(tensor.histogram.heights, tensor.histogram.edges, color=color, linewidth=0.8, alpha=0.7)
    low, high = ax.get_xlim()
    for plan in list(dict.fromkeys(tensor.target.plan for tensor in drawn if tensor.target.plan is not None))[:4]:
        points = curve(plan, low, high, 240)
        ax.plot([x for x, _ in points], [y for _, y in points], color=LAW, linewidth=1.1)
    ax.set_xlim(low, high)
    ax.locator_params(axis="x", nbins=5)
    if not drawn:
        ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(_text(kind.name), fontsize=7.5, loc="left", family="monospace")
    plain(ax)
    ax.spines["left"].set_visible(False)


def _stddevs(ax: Any, kind: Kind) -> None:
    wanted = [
        (tensor.depth, tensor.row.target_stddev) for tensor in kind.tensors if tensor.row.target_stddev is not None
    ]
    found = [tensor.row.stddev for tensor in kind.tensors if tensor.row.stddev is not None]
    y = fitting([*found, *(stddev for _, stddev in wanted)], 0.0, 1.0)
    for tensors, color in (
        ([tensor for tensor in kind.tensors if not tensor.row.why], MEASURED),
        ([tensor for tensor in kind.tensors if tensor.row.why], BAD),
    ):
        known = [(tensor.depth, tensor.spread) for tensor in tensors if tensor.spread is not None]
        # One that is not finite is beyond all others, as on the page.
        heights = [spread if isfinite(spread) else y.high for _, spread in known]
        [dots] = ax.plot([depth for depth, _ in known], heights, ".", color=color, markersize=5, clip_on=False)
        dots.set_in_layout(False)
    places = sorted(set(wanted))
    ax.scatter([depth for depth, _ in places], [stddev for _, stddev in places], s=60, marker="_", color=LAW, zorder=0)
    ax.set_yscale("log" if y.is_log else "linear")
    ax.set_ylim(y.low, y.high)
    if not found and not wanted:
        ax.set_yticks([])
    ax.locator_params(axis="x", integer=True, nbins=6)
    ax.set_title("standard deviation by layer", fontsize=7.5, loc="left", color=SOFT)
    plain(ax)


def _signal(ax: Any, signal: Signal) -> None:
    colors = dict(zip(signal.by_activation, (SOFT, MEASURED, LAW), strict=True))
    known = [value for values in signal.by_activation.values() for value in values if 0.0 < value < inf]
    for name, values in signal.by_activation.items():
        ax.plot(range(len(values)), values, color=colors[name], marker=".", linewidth=1.0, label=name)
    if known and max(known) / min(known) > 8.0:
        ax.set_yscale("log")
    ax.legend(frameon=False)
    ax.set_title("root mean square of outputs by depth", fontsize=7.5, loc="left", color=SOFT)
    plain(ax)
