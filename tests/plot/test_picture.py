"""The picture of a checkpoint: the same marks as on its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plot.cases import normal, written
from varscale.plot._figures import stddevs
from varscale.plot._picture import _stddevs, picture
from varscale.plot._survey import survey

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.thread_unsafe(reason="matplotlib")


def test_a_tensor_that_is_no_number_has_a_mark(tmp_path: Path) -> None:
    """If this fails the worst of all layers is the one that a picture does not show."""
    from matplotlib.figure import Figure

    arrays = {f"h.{layer}.weight": normal(40, 30, seed=layer) for layer in range(4)}
    arrays["h.2.weight"][:] = np.nan
    [kind] = survey(written(tmp_path / "a.safetensors", arrays), None, None).kinds
    ax = Figure().add_subplot()
    _stddevs(ax, kind)
    fine, bad = (dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in ax.lines)
    assert sorted(fine) == [0, 1, 3]
    assert bad == {2: ax.get_ylim()[1]}
    assert stddevs(kind, "").count('class="dots bad" d="M') == 1


def test_layers_without_any_number_have_a_line(tmp_path: Path) -> None:
    """If this fails a picture of a network whose numbers are lost shows none of it."""
    import matplotlib.image

    lost = {f"h.{layer}.weight": np.full((40, 30), np.nan, np.float32) for layer in range(4)}
    (tmp_path / "a.png").write_bytes(picture(survey(written(tmp_path / "a.safetensors", lost), None, None)))
    pixels = matplotlib.image.imread(tmp_path / "a.png")[..., :3]
    red = (pixels[..., 0] > 0.6) & (pixels[..., 1] < 0.4)
    assert red.sum() > 200
