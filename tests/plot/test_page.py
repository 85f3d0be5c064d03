"""Pages: their structure, what they say, and that nothing in a file can change them into something else."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import varscale as vs
from plot.cases import Page, normal, read, written
from varscale.checkpoint import Inspected
from varscale.checkpoint._laws import cdf, target
from varscale.plot import _tables
from varscale.plot._figures import small_histogram
from varscale.plot._histogram import Histogram
from varscale.plot._names import shown
from varscale.plot._page import page
from varscale.plot._scales import fitting
from varscale.plot._survey import Kind, Survey, Tensor, survey

pytestmark = pytest.mark.thread_unsafe(reason="sets the threads")

MODEL = vs.Model(
    {
        **{f"h.{layer}.up.weight": ((64, 32), None, vs.RandomNormal(0.0, 0.02)) for layer in range(12)},
        **{f"h.{layer}.bias": ((64,), None, vs.Zeros()) for layer in range(12)},
        "embed.weight": ((100, 32), "bfloat16", vs.RandomUniform(-0.1, 0.1)),
        "steps": ((), "int64", vs.Zeros()),
    }
)
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "&amp;&lt;b&gt;",
    "\u202egnp.exe",
    "\ud800",
    "line\nbreak\t",
    "</h3></summary></details></table><style>*{display:none}</style>",
)


INSPECTED = Inspected("", "float32", (64, 64), 1e-5, 0.02, -0.07, 0.07, 0, 0, 0.0, 0.02, 0.5, "", None, ())


def made(folder: Path, seed: int = 7) -> Path:
    [path] = vs.checkpoint.save(MODEL, folder / "out", seed)
    return path


def broken(folder: Path) -> Path:
    arrays = {name: values for name, values in MODEL.init(7).items() if name != "embed.weight"}
    arrays["h.3.up.weight"][5] = np.nan
    arrays["h.5.up.weight"] *= 2
    arrays["h.7.up.weight"][:, :4] = 0
    return written(folder / "broken.safetensors", arrays)


def test_a_page_is_well_formed_and_needs_nothing_else(tmp_path: Path) -> None:
    """If this fails a page asks the network, loses its structure, or leaves readers without eyes or mouse behind."""
    found = read(broken(tmp_path), MODEL)
    assert found.wrong == []
    ids = [value for _, attributes in found.elements if (value := attributes.get("id"))]
    assert len(ids) == len(set(ids))
    addresses = [value for _, attributes in found.elements for key in ("href", "src") if (value := attributes.get(key))]
    assert len(addresses) > 4
    assert {address[:1] for address in addresses} == {"#"}
    assert {address[1:] for address in addresses} <= set(ids)
    assert len(found.all("script")) == len(found.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in found.elements if tag in {"h1", "h2", "h3"}]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    pictures = found.all("svg")
    assert len(pictures) > 15
    assert [one for one in pictures if not one.get("aria-label") and one.get("aria-hidden") != "true"] == []
    [policy] = [one["content"] for one in found.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'; ")
    assert found.all("html") == [{"lang": "en"}]
    assert [one["for"] for one in found.all("label")] == ["search"]


def test_suspects_come_first_with_their_reasons(tmp_path: Path) -> None:
    """If this fails what is wrong must be searched for, or a page says something else than `varscale inspect`."""
    path = broken(tmp_path)
    found, rows = read(path, MODEL), vs.checkpoint.inspect(path, MODEL).suspects
    articles = found.words("article")
    assert len(articles) == len(rows) == 3
    for row in rows:
        [text] = [text for text in articles if row.name in text]
        assert all(reason in text for reason in row.why)
    assert any("3 of 25 tensors do not look freshly initialised" in text for text in found.words("header"))
    assert any("embed.weight: the plan has it" in text for text in found.words("li"))
    names = [text for text in found.words("th") if text.startswith("h.")]
    assert names[0] == "h.0.up.weight", "the kind with suspects comes first"
    assert any(text.startswith("h.3.up.weight32 NaN") for text in names)


def test_fresh_tensors_are_said_to_be(tmp_path: Path) -> None:
    """If this fails a page of a fresh checkpoint raises an alarm, or one without a plan promises laws."""
    found = read(made(tmp_path), MODEL)
    assert found.words("article") == []
    assert "All 26 tensors look freshly initialised. 26 are exactly what" in found.words("header")[0]
    assert "No plan was given" in read(made(tmp_path / "other")).words("header")[0]


def test_each_tensor_has_a_row_and_its_kind(tmp_path: Path) -> None:
    """If this fails a tensor is on no page, or layers are not put together."""
    found = read(made(tmp_path), MODEL)
    rows = [text for text in found.words("th") if text in MODEL]
    assert sorted(rows) == sorted(MODEL)
    assert {"h.*.up.weight", "h.*.bias"} <= set(found.words("h3"))
    up = [text for text in rows if ".up." in text]
    assert up == [f"h.{layer}.up.weight" for layer in range(12)], "layers in the order of their numbers"
    [chart] = [text for text in found.words("figcaption") if "measured" in text]
    assert chart.endswith("target 0.02")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(tmp_path: Path, name: str) -> None:
    """If this fails whoever wrote a file runs a script in the browser of whoever looks at it, or hides a tensor."""
    text, harmless = (
        page(
            survey(
                written(
                    tmp_path / "x.safetensors",
                    {f"{word}.{layer}": normal(40, 30) for layer in range(2)} | {word: normal(9, 9) * np.nan},
                ),
                vs.Model({f"{word} missing".replace("\ud800", ""): ((3,), None, vs.Zeros())}),
                None,
            )
        ).decode()
        for word in (name, "harmless")
    )
    found, plain = Page(text), Page(harmless)
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    assert [sorted(held) for _, held in found.elements] == [sorted(held) for _, held in plain.elements]
    assert found.wrong == []
    assert any(words.startswith(f"{shown(name)}.1") for words in found.words("th"))
    assert escape(shown(name)) in text
    assert "\u202e" not in text


def test_long_names_are_cut() -> None:
    """If this fails a header of long names makes a page without end."""
    assert shown("a" * 10**6) == f"{'a' * 60}\N{HORIZONTAL ELLIPSIS}{'a' * 59}"
    assert shown("a.\n\x00") == "a.\\n\\x00"


def test_a_page_depends_on_the_file_alone(tmp_path: Path) -> None:
    """If this fails two pages of one file differ, and nobody can compare or archive them."""
    path = broken(tmp_path)
    pages = set()
    for threads in (1, 2, 3):
        with vs.num_threads(threads):
            pages.add(page(survey(path, MODEL, None)))
    assert len(pages) == 1


def many(count: int) -> Survey:
    """A survey of so many tensors, all drawn: half of them in kinds, half of them alone."""
    model = vs.Model({"w": ((64, 64), None, vs.RandomNormal(0.0, 0.02))})
    wanted = target(model["w"])
    assert wanted.plan is not None
    edges = np.linspace(-0.087, 0.087, 33)
    drawn = np.random.default_rng(0).multinomial(4096, np.diff(cdf(wanted.plan, edges)), 97) / 4096

    def tensor(number: int, name: str) -> Tensor:
        held = Histogram(edges, drawn[number % 97], None, 0, (-0.0135, 0.0136))
        return Tensor(INSPECTED._replace(name=name), wanted, held, number // 64)

    path = "model.layers.{}.mlp.experts.{}.gate_proj.weight"
    together = [tensor(number, path.format(number // 64, number % 64)) for number in range(count // 2)]
    kinds = [Kind(f"kind {first}", tuple(together[first : first + 100])) for first in range(0, len(together), 100)]
    kinds += [
        Kind(name, (tensor(number, name),))
        for number in range(count - count // 2)
        for name in [f"model.decoder.block_{number}_of_many.attention.query"]
    ]
    return Survey("x", 10**9, tuple(kinds), (), True, "they are none")


def test_a_page_of_ten_thousand_tensors_is_small() -> None:
    """If this fails the page of a large model cannot be opened or sent."""
    text = page(many(10_000))
    assert len(text) < 5_000_000
    assert text.count(b"<tr><th scope=row>") == 10_000
    assert text.count(b"<svg class=h role=img") == 10_000, "each has its histogram"


def test_beyond_its_bounds_a_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails tensors are left out silently, or the size of a page has no bound."""
    monkeypatch.setattr(_tables, "ROWS", 50)
    monkeypatch.setattr(_tables, "PICTURES", 1000)
    text = page(many(120)).decode()
    assert text.count("<tr><th scope=row>") == 50
    assert "The page has room for 50 tensors" in text
    assert text.count("<svg class=h role=img") < 10


def test_an_empty_checkpoint_has_a_page(tmp_path: Path) -> None:
    """If this fails a file without tensors, or with none but empty ones, is a traceback."""
    assert read(written(tmp_path / "x.safetensors", {})).wrong == []
    assert read(written(tmp_path / "y.safetensors", {"a.0": normal(0, 3), "a.1": normal(0, 3)})).wrong == []


def test_suspects_come_first_in_their_section(tmp_path: Path) -> None:
    """If this fails what is wrong stands among hundreds of kinds that are not."""
    arrays = {f"{kind}.{layer}": normal(9, 9) for kind in "az" for layer in (0, 1)}
    arrays["z.1"][3, 4] = np.nan
    found = read(written(tmp_path / "x.safetensors", arrays))
    # Charts, then tables.
    assert [text for text in found.words("h3") if "*" in text] == ["z.*", "a.*", "z.*", "a.*"]


def test_bars_stand_where_they_should() -> None:
    """If this fails a picture has other bars than its histogram, or cuts them off."""
    model = vs.Model({"w": ((4,), None, vs.RandomUniform(-1.0, 1.0))})
    held = Histogram(np.array([-1.0, -0.5, 0.0, 1.0]), np.array([0.5, 0.0, 0.5]), None, 0, (-1.0, 1.0))
    bars, law = small_histogram(Tensor(INSPECTED, target(model["w"]), held, None))
    # Densities of 1, 0 and 0.5, where the law has 0.5: the top is 0.6, 0.9, 1.35.
    assert bars == "M0 28v-21h24v21h24v-10h48v10"
    assert law.startswith("M0 18l2 0")


def test_scales_show_what_differs_by_much() -> None:
    """If this fails a chart of an exploding network shows one number, and a flat one is all noise."""
    wide, flat, dead = fitting([1e-3, 1e3], 100, 0), fitting([0.0200, 0.0201], 100, 0), fitting([0.0, 5.0], 100, 0)
    assert wide.is_log
    assert wide(1.0) == pytest.approx(50.0)
    assert wide.ticks(4) == pytest.approx([1e-3, 1e-1, 1e1, 1e3])
    assert not flat.is_log
    assert 45.0 < flat(0.02) < 55.0
    assert flat.ticks(5) == pytest.approx([0.019, 0.02, 0.021, 0.022])
    assert dead(0.0) == 100.0
