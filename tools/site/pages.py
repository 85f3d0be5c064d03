"""The hook of `make docs`: docs/ reads well as plain files, and what a site needs beside them is made here.

The navigation is the list of pages in docs/README.md. CHANGELOG.md and its neighbours are pages too, and each public
module has one (reference.py).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
import reference

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[([^][]*)\]\((?!\w+:|#)([^)#\s]+)((?:#[^)\s]*)?)\)")
NEIGHBOURS = {path.name: f"project/{path.name.lower()}" for path in ROOT.glob("*.md") if path.name != "README.md"}
"""The pages that are no files of docs/, by their places in the repository."""


def on_config(config: Any) -> Any:
    """Each section of docs/README.md is one of the navigation, and the link that an item begins with is a page."""
    config.nav = []
    for section in (ROOT / "docs" / "README.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        links = re.findall(r"^- \[(.+?)\]\((\S+?\.md)\)", section, re.M)
        pages: list[Any] = [{title: place(normpath(join("docs", path)))} for title, path in links]
        if section.startswith("Reference"):
            pages.append({"Every name": [{module: path} for module, path in reference.PAGES.items()]})
        config.nav.append({section.partition("\n")[0]: pages if config.nav else ["README.md", *pages]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are no files of docs/."""
    for name, path in NEIGHBOURS.items():
        files.append(File.generated(config, path, abs_src_path=str(ROOT / name)))
    for path, text in reference.pages():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(text: str, *, page: Any, **_: Any) -> str:
    """Doctests are shown as what they are, and links lead to where the site has the file."""
    text = re.sub(r"^```python\n>>>", "```pycon\n>>>", text, flags=re.M)
    here = page.file.src_uri
    source = next((name for name, path in NEIGHBOURS.items() if path == here), f"docs/{here}")

    def moved(link: re.Match[str]) -> str:
        path = normpath(join(dirname(source), link[2]))
        if not path.startswith("docs/") and path not in NEIGHBOURS and (ROOT / path).exists():
            return link[1]  # a file of the source, which is no page
        return f"[{link[1]}]({relpath(place(path), dirname(here) or '.')}{link[3]})"

    return text if here.startswith("reference/names/") else LINK.sub(moved, text)


def place(path: str) -> str:
    """Where the site has a file of the repository."""
    return NEIGHBOURS.get(path, path.removeprefix("docs/"))
