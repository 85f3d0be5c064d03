"""Another process: what it prints of what this one has saved, with the initializers that pickles bring along."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

_SCRIPT = """
import pickle, sys
from pathlib import Path
folder = Path(sys.argv[1])
saved = pickle.loads((folder / "saved").read_bytes())
{body}
(folder / "found").write_bytes(pickle.dumps(found))
"""


def run(folder: Path, body: str, **saved: Any) -> Any:
    """What a new process, which has the things that are `saved`, finds by the body of a script."""
    (folder / "saved").write_bytes(pickle.dumps(saved))
    command = [sys.executable, "-W", "ignore", "-c", _SCRIPT.format(body=body), str(folder)]
    # Pickles name classes of tests, which it finds where this process does.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return pickle.loads((folder / "found").read_bytes())
