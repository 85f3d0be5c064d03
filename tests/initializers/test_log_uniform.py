"""LogUniform: its elementary functions, its law, its parts."""

from __future__ import annotations

from collections.abc import Callable
from math import log as ln
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from varscale._initializers import elementary

STEPS = vs.LogUniform(0.001, 0.1, 7, floor=0.002, inverse_softplus=True)
KNOWN = [-6.21360793175553, -6.21360793175553, -5.17439140500388, -3.9804365219729956]


def softplus(x: NDArray[Any]) -> NDArray[Any]:
    return np.log1p(np.exp(x.astype(np.float64)))


@pytest.mark.parametrize(
    ("function", "exact", "arguments"),
    [
        (elementary.exp, mpmath.exp, np.linspace(-20, 20, 1501)),
        (elementary.log, mpmath.log, np.exp(np.linspace(-20, 20, 1501))),
        (elementary.log, mpmath.log, np.linspace(0.5, 1.5, 1501)),
        (elementary.inverse_softplus, lambda x: mpmath.log(mpmath.expm1(x)), np.exp(np.linspace(-12, 4, 1501))),
        (elementary.inverse_softplus, lambda x: mpmath.log(mpmath.expm1(x)), np.linspace(0.3, 1.2, 1501)),
    ],
)
def test_elementary_functions(
    function: Callable[[Any], Any], exact: Callable[[Any], Any], arguments: NDArray[np.float64]
) -> None:
    """If this fails values are not the law's to the last digits of float32."""
    with mpmath.workprec(120):
        found, true = function(arguments), [exact(mpmath.mpf(x)) for x in arguments.tolist()]
        errors = [abs(mpmath.mpf(a) - b) for a, b in zip(found.tolist(), true, strict=True)]
    # Near ln 2 the inverse softplus is near 0, and right in absolute terms.
    unit = 1.0 if function is elementary.inverse_softplus else 1e-300
    assert max(map(float, errors / np.maximum(np.abs(found), unit))) < 2.0**-50.5


def test_known_answers() -> None:
    """If this fails values have changed."""
    assert STEPS((4,), "float64").tolist() == KNOWN
    assert STEPS((4,)).tolist() == np.array(KNOWN, np.float32).tolist()


def test_the_law() -> None:
    """If this fails the logarithms are not uniform, the floor is not heaped up at, or the softplus is not undone."""
    plain = vs.LogUniform(0.001, 0.1, 3)((200_000,))
    counts, _ = np.histogram(np.log(plain), 20, (ln(0.001), ln(0.1)))
    assert counts.sum() == plain.size
    assert np.abs(counts - 10_000).max() < 5 * 100
    made = softplus(STEPS((200_000,)))
    assert made.min() == pytest.approx(0.002, rel=1e-6)
    heap = np.isclose(made, 0.002, rtol=1e-6).mean()
    assert heap == pytest.approx(ln(2) / ln(100), abs=0.005)


def test_describe() -> None:
    """If this fails a model's table shows other moments than the values have."""
    for init in (vs.LogUniform(0.001, 0.1, 3), STEPS, vs.LogUniform(2, 300, 5, "float64")):
        made, found = init((400_000,)), init.describe((400_000,))
        assert made.mean() == pytest.approx(found.mean, abs=6 * found.stddev / 632)
        assert made.std() == pytest.approx(found.stddev, rel=0.01)
        assert found.low <= made.min() * (1 + 1e-6 * np.sign(made.min()))
        assert made.max() <= found.high + 1e-6 * abs(found.high)
    exact = vs.LogUniform(0.001, 0.1).describe((3,))
    assert exact.mean == pytest.approx(0.099 / ln(100), rel=1e-12)
    floored = vs.LogUniform(0.001, 0.1, floor=0.002).describe((3,))
    assert floored.mean == pytest.approx((0.002 * ln(2) + 0.098) / ln(100), rel=1e-12)
    assert exact.high == 0.1, "and not the number above it, which is e^x of its logarithm"


def test_parts_pieces_and_dtypes() -> None:
    """If this fails a part holds other values than the tensor, or a value is rounded twice."""
    whole = STEPS((60, 7))
    index = (slice(50, 3, -4), slice(None, None, 2))
    assert np.array_equal(STEPS((60, 7), index=index), whole[index])
    out = np.empty((60, 14), np.float32)[:, ::2]
    assert STEPS((60, 7), out=out) is out
    assert np.array_equal(out, whole)
    halves = STEPS((60, 7), "float64").astype("bfloat16")
    assert STEPS((60, 7), "bfloat16").tobytes() == halves.tobytes()
    pieces = vs.Pieces([(..., vs.LogUniform()), (0, vs.Zeros())], seed=3)
    assert np.array_equal(pieces((4, 5))[1:], vs.LogUniform(seed=3)((4, 5))[1:])
    assert np.array_equal(
        vs.Model({"a": ((4,), None, vs.LogUniform())}).init(3)["a"], vs.LogUniform(seed=3).fold_in("a")((4,))
    )


def test_arguments() -> None:
    """If this fails a wrong argument makes values."""
    for arguments, error, message in (
        ((0.0, 1.0), ValueError, "`minval` must be a positive"),
        ((2.0, 1.0), ValueError, "`minval` must be less than `maxval`"),
        ((1.0, float("inf")), ValueError, "`maxval` must be a finite"),
    ):
        with pytest.raises(error, match=message):
            vs.LogUniform(*arguments)
    with pytest.raises(ValueError, match="`floor` must be a finite number that is not negative"):
        vs.LogUniform(floor=-1.0)
    with pytest.raises(ValueError, match="overflow"):
        vs.LogUniform(1.0, 1e6)((3,), "float16")
    with pytest.raises(ValueError, match=r"`law` must be .* got 'log_uniform'"):
        vs.LogUniform(seed=vs.replay.jax(3))((3,))
