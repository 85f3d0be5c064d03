"""The examples of the documents: every Python block that uses an adapter is a script of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/engines.md")


def blocks(document: str, engine: str) -> list[str]:
    """The scripts of a document that use `varscale.<engine>`."""
    found = re.findall(r"^```python\n(.*?)^```$", (ROOT / document).read_text(), re.DOTALL | re.MULTILINE)
    return [block for block in found if re.search(rf"\b(vs|varscale)\.{engine}\.", block)]


def run(block: str, folder: Path) -> str:
    """What a script prints; its first line may name the command, as in `# torchrun --nproc-per-node 4 script.py`."""
    (folder / "script.py").write_text(block)
    launcher = re.match(r"# torchrun (.*) script\.py\n", block)
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
    return done.stdout
