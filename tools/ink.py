"""Pictures in the page's ink: no background, dark on a light page, light on a dark one, the same bytes each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

INK, QUIET = "#010203", "#8b8f98"
COLORS = BLUE, ORANGE, GREEN, PURPLE, RED = "#3b82f6", "#ea6a12", "#159a5b", "#a855f7", "#e0443e"
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "varscale",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 2,
}
STYLE = "svg{color:#24292f;fill:currentColor}@media(prefers-color-scheme:dark){svg{color:#dfe3ea}}"


def save(figure: Figure, path: Path, words: str) -> None:
    """Writes a picture, with words for those who do not see it."""
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
    head, tail = path.read_text(encoding="utf-8").replace(INK, "currentColor").split("<defs>", 1)
    text = f"{head}<title>{words}</title>\n <style>{STYLE}</style>\n <defs>{tail}"
    path.write_text(text, encoding="utf-8", newline="\n")
