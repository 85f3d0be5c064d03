"""Complex weights beside JAX's own: the laws are JAX's, but for the scale of the truncated one."""

from __future__ import annotations

from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import SingleDeviceSharding
from scipy import stats

import varscale as vs

SHAPE = (512, 1024)


def squares(values: Any) -> np.ndarray:
    """|w|^2 / E |w|^2, where E |w|^2 is what was asked for: 1 / 512."""
    return (np.abs(np.asarray(values).astype(np.complex128)) ** 2).ravel() * SHAPE[0]


def z(found: np.ndarray) -> float:
    """How far the mean of squares is from 1, in standard errors."""
    return float((found.mean() - 1) / (found.std() / sqrt(found.size)))


def made(distribution: str) -> tuple[np.ndarray, np.ndarray]:
    """Ours and JAX's."""
    theirs = jax.nn.initializers.variance_scaling(1.0, "fan_in", distribution)
    own = {"normal": "untruncated_normal"}.get(distribution, distribution)
    ours = vs.VarianceScaling(1.0, "fan_in", own, 7, "complex64")
    return squares(ours(SHAPE)), squares(theirs(jax.random.key(3), SHAPE, jnp.complex64))


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_laws_are_those_of_jax(distribution: str) -> None:
    """If this fails a complex network starts from another law than in JAX."""
    ours, theirs = made(distribution)
    assert abs(z(ours)) < 4
    assert abs(z(theirs)) < 4
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-4


def test_the_truncated_law_is_that_of_jax_at_the_right_scale() -> None:
    """If this fails ours has JAX's error, by which weights are 1.0093 times too large, or JAX has corrected it."""
    ours, theirs = made("truncated_normal")
    assert abs(z(ours)) < 4
    assert z(theirs) > 10
    factor = 0.9619618280082135 / 0.95311164380491208
    assert factor == pytest.approx(1.0093, abs=5e-5)
    assert abs(z(theirs / factor**2)) < 4
    assert stats.ks_2samp(ours, theirs).pvalue < 1e-6
    assert stats.ks_2samp(ours, theirs / factor**2).pvalue > 1e-4


@pytest.mark.parametrize("name", ["uniform", "truncated_normal"])
def test_jax_has_no_complex_values_of_these_laws(name: str) -> None:
    """If this fails JAX has defined what `RandomUniform` refuses, and `TruncatedNormal` may have another law."""
    with pytest.raises(ValueError, match="must be a float dtype"):
        getattr(jax.nn.initializers, name)(1.0)(jax.random.key(0), (2, 2), jnp.complex64)


def test_orthogonal_matrices_are_unitary_in_both() -> None:
    """If this fails complex matrices are orthogonal in another sense than in JAX."""
    for matrix in (
        vs.Orthogonal(1.0, 7, "complex64")((40, 40)),
        np.asarray(jax.nn.initializers.orthogonal()(jax.random.key(0), (40, 40), jnp.complex64)),
    ):
        assert np.abs(matrix.conj().T @ matrix - np.eye(40)).max() < 1e-5


@pytest.mark.parametrize("dtype", ["complex64", "float8_e4m3fn", "float8_e5m2"])
def test_arrays_and_programs(dtype: str) -> None:
    """If this fails an array of JAX has other values than a call, or a program rounds in its own way."""
    init = vs.lecun_normal(7)
    array = vs.jax.make_array(init, (16, 8), SingleDeviceSharding(jax.devices()[0]), dtype)
    assert np.asarray(array).tobytes() == init((16, 8), dtype).tobytes()
    with pytest.raises(ValueError, match="`init` must have values that XLA makes"):
        vs.jax.sample(init, (16, 8), dtype)


def test_complex128_needs_64_bits() -> None:
    """If this fails complex128 weights silently become complex64."""
    with pytest.raises(ValueError, match="`jax_enable_x64` is off, got 'complex128'"):
        vs.jax.make_array(vs.lecun_normal(7), (4, 4), SingleDeviceSharding(jax.devices()[0]), "complex128")
