"""What `make docs` has built."""

from __future__ import annotations

from pathlib import Path

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if path.name != "404.html")
"""The pages but for that of a server's error, which is shown at any depth and names its files from the root."""
