"""A page: one HTML file that needs nothing else, and shows a checkpoint with what is suspect first."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from math import prod
from pathlib import Path

from .._core import __version__
from ._figures import histograms, signals, stddevs, words
from ._names import shown
from ._scales import number, size, sizes
from ._survey import Kind, Survey, Tensor
from ._tables import Tables, ends

_FOLDER = Path(__file__).parent
_SUSPECTS, _LISTED = 24, 200
"""How many suspects have a figure, and how many are named, before the tables of all."""
_CHARTS = 24
"""How many kinds have a chart by layer."""


def page(survey: Survey) -> bytes:
    """The page, the same bytes for the same survey."""
    style, script = (_FOLDER / "page.css").read_text("utf-8"), (_FOLDER / "page.js").read_text("utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    tables = Tables()
    body = "".join([*_head(survey), *_suspects(survey), *_by_layer(survey), *_forward(survey), *_all(survey, tables)])
    # Whatever a name may bring, a browser runs this script and no other, and asks no machine for anything.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(shown(survey.name))}: first weights</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"{tables.laws()}{body}\n<script>{script}</script>\n</body>\n</html>\n"
    )
    return text.encode()


def _head(survey: Survey) -> Iterator[str]:
    rows = [tensor.row for tensor in survey.tensors]
    numbers = sum(prod(row.shape) for row in rows)
    bad = len(survey.suspects)
    exact = sum(row.exact is True for row in rows)
    yield f"<header><h1>{escape(shown(survey.name))}</h1>"
    verdict = (
        f'<strong class="bad">{bad:,} of {len(rows):,} tensors do not look freshly initialised.</strong>'
        if bad
        else f"<strong>All {len(rows):,} tensors look freshly initialised.</strong>"
    )
    more = f" {exact:,} are exactly what the plan and the seed give." if exact else ""
    lost = len(survey.missing)
    missing = (
        f' <strong class="bad">{lost:,} of the plan {"is" if lost == 1 else "are"} missing.</strong>' if lost else ""
    )
    yield f'<p class="lede">{verdict}{missing}{more}</p>'
    laws = "" if survey.has_plan else " No plan was given: there are no laws to compare with."
    yield f'<p class="soft">{numbers:,} numbers, {size(survey.nbytes)}.{laws}</p>'
    yield (
        '<p class="key"><span><i class="k-fill"></i>measured</span><span><i class="k-law"></i>law, target</span>'
        '<span><i class="k-bad"></i>suspect</span></p>'
        '<nav aria-label="Sections"><ul><li><a href="#suspects">Suspects</a><li><a href="#layers">By layer</a>'
        '<li><a href="#signal">Forward signal</a><li><a href="#tensors">All tensors</a></ul></nav></header><main>'
    )


def _suspects(survey: Survey) -> Iterator[str]:
    yield '<section id="suspects"><h2>Suspects</h2>'
    found = survey.suspects
    if not found and not survey.missing:
        yield "<p>None: no NaN, nothing infinite, dead or constant"
        yield ", and moments and distributions as in the plan.</p>" if survey.has_plan else ".</p>"
    if found:
        yield f'<div class="grid">{"".join(map(_suspect, found[:_SUSPECTS]))}</div>'
    rest = [(tensor.row.name, "; ".join(tensor.row.why)) for tensor in found[_SUSPECTS:]]
    rest += [(name, "the plan has it, the checkpoint has not") for name in survey.missing]
    if rest:
        listed = "".join(f"<li><code>{escape(shown(name))}</code>: {escape(why)}" for name, why in rest[:_LISTED])
        more = f"<li>and {len(rest) - _LISTED:,} more" if len(rest) > _LISTED else ""
        yield f"<ul>{listed}{more}</ul>"
    yield "</section>"


def _suspect(tensor: Tensor) -> str:
    row = tensor.row
    reasons = "".join(f"<li>{escape(reason)}" for reason in row.why)
    picture = "" if tensor.histogram is None else histograms((tensor,), f"Histogram: {words(tensor)}")
    return (
        f'<article><h3>{escape(shown(row.name))}</h3><ul class="why">{reasons}</ul>{picture}'
        f'<p class="soft">{sizes(row.shape)} {row.dtype}. {_moments(tensor)}</p></article>'
    )


def _moments(tensor: Tensor) -> str:
    row, outside = tensor.row, tensor.histogram.outside if tensor.histogram else 0
    law = f", target {number(row.target_stddev)}" if row.target_stddev is not None else ""
    beyond = f" {outside:,} numbers lie beyond the picture." if outside else ""
    ends = f"from {number(row.low)} to {number(row.high)}"
    return f"Mean {number(row.mean)}, stddev {number(row.stddev)}{law}, {ends}.{beyond}"


def _by_layer(survey: Survey) -> Iterator[str]:
    yield '<section id="layers"><h2>Standard deviation by layer</h2>'
    found = [kind for kind in survey.kinds if _has_layers(kind)]
    if found:
        yield (
            "<p>A chart for each kind of tensor whose numbers vary. Dots are measured, bars are targets; the first "
            "number of a name is the layer.</p>"
            f'<div class="grid">{"".join(map(_chart, found[:_CHARTS]))}</div>'
        )
    else:
        yield "<p>No kind of tensor has several layers.</p>"
    if len(found) > _CHARTS:
        yield f"<p>These are {_CHARTS} of {len(found):,} kinds; the tables below have all.</p>"
    yield "</section>"


def _chart(kind: Kind) -> str:
    low, high = ends([tensor.row.stddev for tensor in kind.tensors])
    wanted = {number(tensor.row.target_stddev) for tensor in kind.tensors}
    text = f"{len(kind.tensors):,} tensors, measured {low} to {high}"
    if len(wanted) == 1 and kind.tensors[0].row.target_stddev is not None:
        text += f", target {wanted.pop()}"
    label = f"Standard deviation by layer: {text}"
    return f"<figure><h3>{escape(shown(kind.name))}</h3>{stddevs(kind, label)}<figcaption>{text}</figcaption></figure>"


def _has_layers(kind: Kind) -> bool:
    depths = {tensor.depth for tensor in kind.tensors if tensor.row.stddev is not None}
    return len(depths) > 1 and None not in depths and any(tensor.row.stddev for tensor in kind.tensors)


def _forward(survey: Survey) -> Iterator[str]:
    yield '<section id="signal"><h2>Forward signal by depth</h2>'
    signal = survey.signal
    if isinstance(signal, str):
        yield f"<p>Not shown, as the tensors are no plain chain of layers: {escape(signal)}.</p></section>"
        return
    weights = signal.chain.weights
    form = "(out, in)" if signal.chain.out_first else "(in, out)"
    yield (
        f"<p>The root mean square of each layer\u2019s outputs, before its activation, where 128 inputs of independent "
        f"standard normal numbers go through <code>{escape(shown(weights[0]))}</code> to "
        f"<code>{escape(shown(weights[-1]))}</code>, {len(weights):,} layers of {form} weights, with their biases. A "
        "checkpoint does not tell its activation: there is a line for each of three.</p>"
    )
    ends = "; ".join(f"{name} ends at {number(values[-1])}" for name, values in signal.by_activation.items())
    label = f"Root mean square of outputs by depth, from {number(next(iter(signal.by_activation.values()))[0])}: {ends}"
    yield f"<figure>{signals(signal, label)}<figcaption>{escape(ends)}.</figcaption></figure></section>"


def _all(survey: Survey, tables: Tables) -> Iterator[str]:
    yield (
        '<section id="tensors"><h2>All tensors</h2><p>Names that differ by the number of a layer alone are one kind.'
        '<div class="tools" hidden><label for="search">Search names and reasons'
        '<input id="search" type="search" autocomplete="off" spellcheck="false"></label>'
        '<button type="button" id="all">Open all</button><span id="said" role="status"></span></div>'
    )
    yield from tables.of(survey.kinds)
    yield f"{tables.left_out}</section></main>"
    yield f'<footer class="soft">varscale {escape(__version__)}. p is the probability of Kolmogorov and Smirnov\u2019s '
    yield "statistic.</footer>"
