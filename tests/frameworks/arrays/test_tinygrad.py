"""tinygrad takes NumPy's arrays, on the one of its devices that needs no compiler."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import numpy as np
from tinygrad import Tensor, dtypes, nn
import varscale as vs

init = vs.lecun_normal(7, layout="torch")  # weights are (out, in), as torch's
layer = nn.Linear(8, 4)
layer.weight.assign(Tensor(init((4, 8))))
assert np.array_equal(layer.weight.numpy(), init((4, 8)))
half = Tensor(init((4, 8), "bfloat16").view(np.uint16)).bitcast(dtypes.bfloat16)
assert np.array_equal(half.float().numpy(), init((4, 8), "bfloat16").astype(np.float32))
"""


def test_tensors() -> None:
    """If this fails a tensor of tinygrad has other values, or the bits of bfloat16 are not its own."""
    environment = os.environ | {"DEV": "PYTHON"}
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, env=environment, timeout=300)
