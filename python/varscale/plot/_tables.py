"""Tables of a page: kinds of tensors, each with a row for every tensor, and a small histogram in it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ._figures import OVERLAID, histograms, small_histogram, words
from ._names import shown
from ._scales import number, sizes
from ._survey import Kind, Tensor

PICTURES = 3_000_000
"""The most letters of all small histograms: what comes later has numbers alone."""
FIGURES = 100
"""The most kinds that have a figure."""
ROWS = 10_000
"""The most rows."""
_HEAD = "".join(f"<th scope=col>{word}" for word in ("name", "shape", "mean", "stddev", "target", "p", "histogram"))


class Tables:
    """The tables of all tensors, which take no more than a page may have."""

    def __init__(self) -> None:
        self._laws: dict[str, int] = {}
        self._pictures, self._figures, self._rows = PICTURES, FIGURES, ROWS

    def of(self, kinds: tuple[Kind, ...]) -> Iterator[str]:
        """The tables: a kind that has one tensor shares one with others of its like."""
        alone = tuple(kind.tensors[0] for kind in kinds if len(kind.tensors) == 1)
        drawn = tuple(tensor for tensor in alone if tensor.histogram is not None)
        some = [kind for kind in kinds if len(kind.tensors) > 1]
        if drawn:
            some.append(Kind("", drawn))
        if len(drawn) < len(alone):
            some.append(Kind("", tuple(tensor for tensor in alone if tensor.histogram is None)))
        # Suspects first, then what is drawn, then constants.
        for kind in sorted(
            some, key=lambda kind: (not kind.suspects, kind.tensors[0].histogram is None, not kind.name)
        ):
            yield self._details(kind)

    def laws(self) -> str:
        """The laws of the small histograms, each once."""
        drawn = "".join(f'<path id="l{place}" d="{path}"/>' for path, place in self._laws.items())
        return f'<svg class="defs" aria-hidden="true"><defs>{drawn}</defs></svg>'

    @property
    def left_out(self) -> str:
        """What has no room on the page."""
        return (
            ""
            if self._rows > 0
            else f"<p>The page has room for {ROWS:,} tensors: <code>varscale inspect</code> lists all."
        )

    def _details(self, kind: Kind) -> str:
        count, tensors = len(kind.tensors), kind.tensors
        # The summary shows the worst: a suspect.
        first = next((tensor for tensor in tensors if tensor.row.why), tensors[0])
        title = (
            escape(shown(kind.name))
            if kind.name
            else ("Tensors that stand alone" if first.histogram else "Constants that stand alone")
        )
        tag = "h3" if kind.name else 'h3 class="plain"'
        about = f"{count:,} tensor{_s(count)}"
        if kind.name:
            shapes = {tensor.row.shape for tensor in tensors}
            shape = sizes(first.row.shape) if len(shapes) == 1 else f"{len(shapes):,} shapes"
            about += f", {shape}, {first.row.dtype}, stddev {_range(tensors)}"
        if kind.suspects:
            about += f' <span class="bad">{kind.suspects:,} suspect{_s(kind.suspects)}</span>'
        picture = self._small(first, hidden=True) if kind.name else ""
        return (
            f"<details><summary><span><{tag}>{title}</h3><span class=soft>{about}</span></span>{picture}</summary>"
            f'<div class="inside">{self._figure(kind)}<table><thead><tr>{_HEAD}<tbody>'
            f"{''.join(map(self._row, tensors))}</table></div></details>"
        )

    def _figure(self, kind: Kind) -> str:
        drawn = sum(tensor.histogram is not None for tensor in kind.tensors)
        if not kind.name or not drawn or self._figures <= 0:
            return ""
        self._figures -= 1
        every = -(-drawn // OVERLAID)
        what = f"Histograms of {-(-drawn // every)} of {drawn}" if every > 1 else f"Histograms of {drawn}"
        label = (
            f"{what} tensors {shown(kind.name)} over their law: {words(next(t for t in kind.tensors if t.histogram))}"
        )
        return f"<figure>{histograms(kind.tensors, label)}<figcaption>{what} tensors, and the law</figcaption></figure>"

    def _row(self, tensor: Tensor) -> str:
        self._rows -= 1
        if self._rows < 0:
            return ""
        row = tensor.row
        why = "".join(f"<span class=why>{escape(reason)}</span>" for reason in row.why)
        chance = "" if row.p is None else f"{row.p:.2g}"
        return (
            f"<tr><th scope=row>{escape(shown(row.name))}{why}<td>{sizes(row.shape)}<td>{number(row.mean)}"
            f"<td>{number(row.stddev)}<td>{number(row.target_stddev)}<td>{chance}<td>{self._small(tensor)}"
        )

    def _small(self, tensor: Tensor, *, hidden: bool = False) -> str:
        bars, law = small_histogram(tensor) if self._pictures > 0 else ("", "")
        if not bars:
            return ""
        label = ' aria-hidden="true"' if hidden else f' role=img aria-label="{words(tensor)}"'
        use = f'<use href="#l{self._laws.setdefault(law, len(self._laws))}"/>' if law else ""
        made = f'<svg class=h{label}><path d="{bars}"/>{use}</svg>'
        self._pictures -= len(made)
        return made


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _range(tensors: tuple[Tensor, ...]) -> str:
    """The standard deviations of tensors, and that of their law."""
    low, high = ends([tensor.row.stddev for tensor in tensors])
    wanted = {number(tensor.row.target_stddev) for tensor in tensors}
    text = low if low == high else f"{low} to {high}"
    return text + (f", target {wanted.pop()}" if len(wanted) == 1 and tensors[0].row.target_stddev is not None else "")


def ends(values: list[float | None]) -> tuple[str, str]:
    """The least and the greatest of what is known, as a reader has them."""
    known = [value for value in values if value is not None]
    return number(min(known, default=None)), number(max(known, default=None))
