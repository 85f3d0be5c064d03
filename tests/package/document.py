"""The scripts in the documents: Python blocks that are no doctests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from varscale._engines import EXTRAS

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/guides/engines.md")


def scripts(document: str, engine: str | None) -> list[str]:
    """A document's scripts that use the adapter to an engine; None for those that use none."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    found: dict[str | None, list[str]] = {None: []}
    for block in blocks:
        if not block.startswith(">>>"):
            used = [name for name in EXTRAS if f"vs.{name}." in block]
            for name in used or [None]:
                found.setdefault(name, []).append(block)
    return found.get(engine, [])


def run(script: str, folder: Path) -> None:
    """Runs a script; its first line may name the command, as in `# torchrun --nproc-per-node 4 script.py`."""
    (folder / "script.py").write_text(script, encoding="utf-8")
    launcher = re.match(r"# torchrun (.*) script\.py\n", script)
    module = ["-m", "torch.distributed.run", *launcher[1].split()] if launcher else []
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *module, "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
