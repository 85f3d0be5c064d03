"""The site as files: nothing comes from elsewhere, every link arrives, every public name has its place."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from built import PAGES, SITE

PACKAGE = SITE.parent / "python" / "varscale"
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}


class Page(HTMLParser):
    """What a page links to, fetches, and names as an anchor; and its pictures without words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.wordless: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Takes what the checks need of an element."""
        found = {name: value or "" for name, value in attributes}
        self.anchors.add(found.get("id", ""))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHED and FETCHED[tag] in found:
            self.fetched.append(found[FETCHED[tag]])
        if tag == "img" and len(found.get("alt", "")) < 10:
            self.wordless.append(found.get("src", ""))


READ = {name: Page(SITE / name) for name in PAGES}


def test_there_are_pages() -> None:
    """If this fails the tests below look at nothing."""
    assert len(PAGES) > 40
    assert {"index.html", "reference/names/varscale.torch.html"} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    """If this fails the site needs a network, or tells another host who reads it."""
    assert [url for url in READ[name].fetched if re.match(r"(\w+:)?//", url)] == []


@pytest.mark.parametrize("path", sorted(SITE.rglob("*.css")), ids=lambda path: path.name)
def test_styles_fetch_nothing(path: Path) -> None:
    """If this fails a font comes from elsewhere."""
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", PAGES)
def test_links_arrive(name: str) -> None:
    """If this fails a reader's click ends nowhere."""
    for link in READ[name].links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (SITE / name).parent / unquote(parts.path) if parts.path else SITE / name
        target = (target / "index.html" if target.is_dir() else target).resolve()
        assert target.is_file(), link
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in READ[target.relative_to(SITE).as_posix()].anchors, link


@pytest.mark.parametrize("name", PAGES)
def test_pictures_have_words(name: str) -> None:
    """If this fails who does not see a picture is told nothing."""
    assert READ[name].wordless == []


def public() -> list[str]:
    """Every name of every public module, from their `__all__`."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        if "._" not in module:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if (
                    isinstance(node, ast.Assign)
                    and isinstance(node.targets[0], ast.Name)
                    and node.targets[0].id == "__all__"
                ):
                    names += [f"{module}.{name}" for name in ast.literal_eval(node.value)]
    return names


def test_every_public_name_is_in_the_reference() -> None:
    """If this fails a user looks for a name in vain."""
    anchors = set().union(*(page.anchors for page in READ.values()))
    names = [name for name in public() if not name.endswith(".__version__")]
    assert len(names) > 250
    assert [name for name in names if name not in anchors] == []
