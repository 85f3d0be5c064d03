"""Pages in a real browser: nothing is empty, nothing fails, nothing runs over the edge, and all can be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import varscale as vs
from pages.browser import Browser
from plot.cases import normal, written
from plot.test_page import HOSTILE, broken, many
from varscale.plot._page import page
from varscale.plot._survey import Survey, survey

WIDTHS = (390, 1280)
OPEN = "for (const one of document.querySelectorAll('details')) one.open = true; 0"
OVER = """[...document.querySelectorAll('body *')].filter((one) => {
  const place = one.getBoundingClientRect();
  return place.width && !one.closest('.defs, thead') && (place.right > innerWidth + 1 || place.left < -1);
}).slice(0, 5).map((one) => one.outerHTML.slice(0, 100)).concat(
  document.documentElement.scrollWidth > innerWidth ? [`the page, ${document.documentElement.scrollWidth}`] : [])"""
PALE = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const bright = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const paper = bright(getComputedStyle(document.body).backgroundColor);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || one.tagName === 'SCRIPT') continue;
    const style = getComputedStyle(one);
    const ink = bright(one.tagName === 'text' ? style.fill : style.color);
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(2)}: ${walker.currentNode.data.slice(0, 40)}`);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert shutil.which("chromium"), "these tests need chromium, Debian's package of that name"
    with Browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[object]:
    """Shows a survey, and afterwards asks whether the browser has complained, or asked for anything else."""
    path = tmp_path / "page.html"

    def shows(found: Survey, width: int, height: int, scheme: str = "light") -> Browser:
        path.write_bytes(page(found))
        browser.open(path, width, height, scheme)
        return browser

    browser.complaints.clear()
    browser.asked.clear()
    yield shows
    assert browser.complaints == []
    assert set(browser.asked) == {path.as_uri()}


def chain(folder: Path) -> Survey:
    """A survey of a chain, of which two layers are suspect."""
    arrays = {f"net.{number}.weight": normal(60, 60 + (not number), seed=number) for number in range(9)}
    arrays |= {f"net.{number}.bias": np.zeros(60, np.float32) for number in range(9)}
    arrays["net.4.weight"] = arrays["net.4.weight"] * np.float32(3)
    arrays["net.6.weight"][:, :9] = 0
    plan = vs.Model({name: (values.shape, None, vs.RandomNormal(0.0, 0.02)) for name, values in arrays.items()})
    return survey(written(folder / "chain.safetensors", arrays), plan, None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_drawn(show, tmp_path: Path, width: int, scheme: str) -> None:  # type: ignore[no-untyped-def]
    """If this fails a page is empty, runs over the edge of a phone, is white at night, or too pale to read."""
    browser = show(chain(tmp_path), width, 3000, scheme)
    picture = browser.picture()
    assert picture.shape == (3000, width, 3)
    picture = picture[::3, ::3]
    paper = np.median(picture, axis=(0, 1))
    assert paper.mean() > 0.9 if scheme == "light" else paper.mean() < 0.15
    drawn = np.abs(picture - paper).max(axis=-1) > 0.1
    assert 0.02 < drawn[:500].mean() < 0.5
    colours = np.unique((picture * 15).astype(int).reshape(-1, 3), axis=0)
    assert len(colours) > 20, "text, bars, laws and suspects have colours"
    assert browser.run(OVER) == []
    assert browser.run(PALE) == []
    browser.run(OPEN)
    assert browser.run(OVER) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_each_figure_is_drawn(show, tmp_path: Path, width: int) -> None:  # type: ignore[no-untyped-def]
    """If this fails a picture has no size, or its paths are none."""
    browser = show(chain(tmp_path), width, 900)
    browser.run(OPEN)
    sizes = browser.run(
        "[...document.querySelectorAll('svg:not(.defs)')].map((one) => [...one.querySelectorAll('path')]"
        ".reduce(([w, h], path) => [Math.max(w, path.getBBox().width), Math.max(h, path.getBBox().height)], [0, 0]))"
    )
    assert len(sizes) > 10
    assert [size for size in sizes if size[0] < 20 or size[1] < 4] == []


def test_search_finds_and_says_how_many(show, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """If this fails nobody finds a tensor among thousands, or a reader who does not see learns nothing of it."""
    browser = show(survey(broken(tmp_path), None, None), 1280, 900)
    visible = "[...document.querySelectorAll('tbody tr')].filter((one) => one.checkVisibility()).length"
    assert browser.run(visible) == 0, "kinds are closed at first"
    browser.run("document.getElementById('search').focus()")
    browser.write("h.1 WEIGHT")
    browser.run("new Promise((done) => setTimeout(done, 400))")
    assert browser.run(visible) == 3
    assert browser.run("document.getElementById('said').textContent") == "3 of 25 tensors"
    browser.run("document.getElementById('search').select()")
    browser.write("nan")
    browser.run("new Promise((done) => setTimeout(done, 400))")
    assert browser.run(visible) == 1, "reasons are searched, too"
    browser.run("document.getElementById('all').click()")
    browser.run("document.getElementById('all').click()")


def test_kinds_open_by_the_keyboard(show, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """If this fails who has no mouse does not see the tensors, or does not see where the focus is."""
    browser = show(survey(broken(tmp_path), None, None), 1280, 900)
    reached = []
    for _ in range(9):
        browser.press("Tab")
        reached.append(browser.run("document.activeElement.tagName"))
        if reached[-1] == "SUMMARY":
            break
    assert reached == ["A", "A", "A", "A", "INPUT", "BUTTON", "SUMMARY"]
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter")
    assert browser.run("document.querySelectorAll('details[open]').length") == 1


def test_names_run_nothing(show, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """If this fails a file's names run scripts, or change the page."""
    arrays = {
        f"{name}.{number}": normal(30, 20, seed=number) * np.float32("nan") for name in HOSTILE for number in (0, 1)
    }
    browser = show(survey(written(tmp_path / "x.safetensors", arrays), None, None), 390, 900)
    assert browser.run("document.images.length + document.scripts.length") == 1
    assert browser.run("document.querySelectorAll('tbody tr').length") == len(arrays)
    assert browser.run(OVER) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_ten_thousand_tensors(show, width: int) -> None:  # type: ignore[no-untyped-def]
    """If this fails the page of a large model stands still, or is too wide."""
    browser = show(many(10_000), width, 900)
    assert browser.run("document.querySelectorAll('tbody tr').length") == 10_000
    assert browser.run(OVER) == []
    browser.run("document.getElementById('search').focus()")
    browser.write("block_4321_")
    browser.run("new Promise((done) => setTimeout(done, 2000))")
    assert browser.run("document.getElementById('said').textContent") == "1 of 10000 tensors"
    assert browser.run(OVER) == []
