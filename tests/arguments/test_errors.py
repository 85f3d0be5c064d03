"""Bad arguments: TypeError for the kind, ValueError for the value, each naming argument, value and what is legal."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import varscale as vs

NAN, INF = float("nan"), float("inf")
CASES: list[tuple[Callable[[], object], type[Exception], str]] = [
    # scale
    *(
        (lambda x=x: vs.VarianceScaling(x), ValueError, r"`scale` must be a positive, finite number, got ")
        for x in (0, 0.0, -1.0, -0.0, NAN, INF, -INF, np.float32(0), 10**400, np.int64(-2), np.array(0.0))
    ),
    *(
        (lambda x=x: vs.VarianceScaling(x), TypeError, r"`scale` must be a real number, got ")
        for x in (True, False, np.True_, "1", "x", None, 1j, [1.0], np.array([1.0]), Decimal(1), b"1")
    ),
    # mode
    *(
        (lambda x=x: vs.VarianceScaling(1.0, x), ValueError, r"`mode` must be one of 'fan_in', 'fan_out', 'fan_avg', ")
        for x in ("FAN_IN", "fanin", "", "fan_in ", "avg")
    ),
    *(
        (lambda x=x: vs.VarianceScaling(1.0, x), TypeError, r"`mode` must be a string, got ")
        for x in (None, 1, ["fan_in"], b"fan_in")
    ),
    # distribution
    *(
        (
            lambda x=x: vs.VarianceScaling(1.0, "fan_in", x),
            ValueError,
            r"`distribution` must be one of 'truncated_normal', 'untruncated_normal', 'uniform', got ",
        )
        for x in ("gaussian", "", "normal ", "truncated")
    ),
    *(
        (lambda x=x: vs.VarianceScaling(1.0, "fan_in", x), TypeError, r"`distribution` must be a string, got ")
        for x in (None, 1, b"normal")
    ),
    # axes
    (lambda: vs.VarianceScaling(in_axis=1.0), TypeError, "`in_axis` must be an integer, got 1.0"),
    (lambda: vs.VarianceScaling(batch_axis=None), TypeError, "`batch_axis` must be an integer, got None"),
    (lambda: vs.lecun_normal(batch_axis=(0, True)), TypeError, "`batch_axis` must be an integer, got True"),
    (
        lambda: vs.lecun_normal(batch_axis="others"),
        ValueError,
        "`batch_axis` must be an axis, several, or 'rest' for all that are not named, got 'others'",
    ),
    (
        lambda: vs.lecun_normal(in_axis=0, batch_axis="rest"),
        ValueError,
        "`batch_axis` must name its axes where `in_axis` and `out_axis` do not, or `depthwise` is, got 'rest'",
    ),
    (lambda: vs.lecun_normal(in_axis="01"), TypeError, "`in_axis` must be an integer, got '01'"),
    # mean, stddev, bounds
    *((lambda x=x: vs.RandomNormal(x), ValueError, "`mean` must be a finite number, got ") for x in (NAN, INF, -INF)),
    *(
        (lambda x=x: vs.RandomNormal(0.0, x), ValueError, "`stddev` must be a finite number that is not negative, got ")
        for x in (-1e-9, NAN, INF)
    ),
    *(
        (lambda x=x: vs.RandomNormal(0.0, x), TypeError, "`stddev` must be a real number, got ")
        for x in ("1", None, True)
    ),
    (lambda: vs.TruncatedNormal(0.0, -1.0), ValueError, "`stddev` must be a finite number that is not negative"),
    *(
        (lambda a=a, b=b: vs.TruncatedNormal(lower=a, upper=b), ValueError, "`lower` must be less than `upper`, got ")
        for a, b in ((1, 1), (2, -2), (NAN, 1), (0, NAN), (INF, INF), (INF, -INF))
    ),
    *(
        (lambda a=a, b=b: vs.TruncatedNormal(lower=a, upper=b), ValueError, "must not underflow float64, got ")
        for a, b in ((37, 99), (-INF, -40), (40, INF), (-99.0, -37.0))
    ),
    (lambda: vs.TruncatedNormal(lower="0"), TypeError, "`lower` must be a real number"),
    (lambda: vs.RandomUniform(1, 0), ValueError, "`minval` must not be greater than `maxval`, got 1 and 0"),
    (lambda: vs.RandomUniform(NAN, 0), ValueError, "`minval` must be a finite number, got nan"),
    (lambda: vs.RandomUniform(0, INF), ValueError, "`maxval` must be a finite number, got inf"),
    (lambda: vs.RandomUniform(None), TypeError, "`minval` must be a real number, got None"),
    (lambda: vs.Identity("1"), TypeError, "`gain` must be a real number"),
    (lambda: vs.Identity(INF), ValueError, "`gain` must be a finite number"),
    # values that overflow the dtype
    (lambda: vs.RandomNormal(0.0, 2e4)((2,), "float16"), ValueError, "overflow `dtype` 'float16'"),
    (lambda: vs.TruncatedNormal(0.0, 4e4, dtype="float16")((2,)), ValueError, "overflow `dtype` 'float16'"),
    (lambda: vs.RandomUniform(0.0, 65520.0)((2,), "float16"), ValueError, "overflow `dtype` 'float16'"),
    (lambda: vs.VarianceScaling(1e300)((2, 2)), ValueError, "overflow `dtype` 'float32'"),
    (
        lambda: vs.VarianceScaling(1e300, "fan_in", "uniform")((2, 2), "bfloat16"),
        ValueError,
        "overflow `dtype` 'bfloat16'",
    ),
    (lambda: vs.RandomNormal(1e308, 1e308, dtype="float64")((2,)), ValueError, "overflow `dtype` 'float64'"),
    (lambda: vs.TruncatedNormal(-3e38, 3e38, lower=0.0)((2,)), ValueError, "overflow `dtype` 'float32'"),
    (lambda: vs.TruncatedNormal(0.0, 4e37, lower=0.0, upper=INF)((2,)), ValueError, "overflow `dtype` 'float32'"),
    # unknown arguments
    (lambda: vs.lecun_normal(scale=2.0), TypeError, "unexpected keyword argument 'scale'"),
    (lambda: vs.lecun_normal(1, "float16"), TypeError, "positional argument"),
    (lambda: vs.lecun_normal(1)((2, 2), layout=None), TypeError, "unexpected keyword argument 'layout'"),
]


@pytest.mark.parametrize(("call", "error", "message"), CASES)
def test_bad_arguments(call: Callable[[], object], error: type[Exception], message: str) -> None:
    """If this fails a bad argument passes, crashes, or is reported as something else."""
    with pytest.raises(error, match=message) as caught:
        call()
    assert type(caught.value) is error


@pytest.mark.parametrize("scale", [1, 2.5, np.float16(2), np.int8(3), np.array(1.5), Fraction(1, 3)])
def test_every_real_number_is_a_scale(scale: float) -> None:
    """If this fails a scale that was computed with NumPy is refused."""
    assert vs.VarianceScaling(scale).scale == float(scale)
    assert type(vs.VarianceScaling(scale).scale) is float


def test_values_just_below_overflow_are_made() -> None:
    """If this fails the overflow check refuses what fits."""
    assert np.isfinite(vs.RandomUniform(-65504.0, 65504.0, 1, "float16")((100_000,))).all()
    assert np.isfinite(vs.TruncatedNormal(0.0, 3.2e4, 1, "float16")((100_000,))).all()
    assert np.isfinite(vs.RandomUniform(-1.7e308, 1.7e308, 1, "float64")((100_000,))).all()
    assert np.isfinite(vs.RandomNormal(0.0, 9600.0, 1, "float16")((100_000,))).all()
