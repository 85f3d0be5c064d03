"""The native stream in plain `jnp`: the core's bits in every case of the matrix, and what each guard is for."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import varscale as vs
from oracle import matrix
from varscale._devices.jnp import arithmetic, sources


def bits(array: Any) -> np.ndarray:
    array = np.asarray(array)
    return array.view(f"u{array.itemsize}")


def differing(case: matrix.Case) -> int:
    """How many of a case's values are not the core's."""
    with jax.enable_x64(True):
        found = vs.jax.sample(case.init, case.shape, case.dtype, part=case.index)
        right = case.right()
        assert (found.shape, found.dtype) == (right.shape, right.dtype)
        return np.count_nonzero(bits(found) != bits(right))


@pytest.mark.parametrize("law", matrix.LAWS)
@pytest.mark.parametrize("dtype", matrix.DTYPES)
@pytest.mark.parametrize("cases", [matrix.lines, matrix.boxes], ids=["lines", "boxes"])
def test_lines_and_boxes(cases: Any, dtype: str, law: str) -> None:
    """If this fails a program of JAX has other weights than a call."""
    chosen = [case for case in cases() if case.name.startswith(f"{law} {dtype} ")]
    assert len(chosen) == (40 if cases is matrix.lines else len(matrix.BOXES))
    assert {case.name: n for case in chosen if (n := differing(case))} == {}


@pytest.mark.parametrize("dtype", matrix.DTYPES)
def test_places(dtype: str) -> None:
    """If this fails a mean, a scale, an end or a zero makes other weights than a call."""
    chosen = [case for case in matrix.places() if case.dtype == dtype and not case.subnormal]
    assert len(chosen) >= len(matrix.PLACES)
    assert {case.name: n for case in chosen if (n := differing(case))} == {}


@pytest.mark.parametrize("case", [case for case in matrix.places() if case.subnormal], ids=lambda case: case.name)
def test_subnormal_numbers_are_refused(case: matrix.Case) -> None:
    """If this fails weights become 0 in silence."""
    with pytest.raises(ValueError, match="subnormal numbers, which XLA takes for 0"):
        differing(case)


@pytest.fixture
def afresh() -> Iterator[None]:
    """No program is kept from before, or for later: a fault is about to be made."""
    jax.clear_caches()
    yield
    jax.clear_caches()


FUSED = {
    "uniform with loc": vs.RandomUniform(-0.02, 0.07, seed=1),
    "normal": vs.RandomNormal(0.0, 0.05, seed=1),
    "truncated_normal": vs.TruncatedNormal(0.0, 0.05, seed=1),
    "truncated[-1,3]": vs.TruncatedNormal(0.0, 0.05, seed=1, lower=-1.0, upper=3.0),
}


def found(init: Any, dtype: str, n: int = 2**17) -> int:
    return differing(matrix.Case("", init, dtype, (n,)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", FUSED)
def test_products_have_a_rounding_of_their_own(
    law: str, dtype: str, monkeypatch: pytest.MonkeyPatch, afresh: None
) -> None:
    """If this fails the guard of products does nothing, or the matrix would not see it gone."""
    assert found(FUSED[law], dtype) == 0
    monkeypatch.setattr(arithmetic, "LIFT", 0)
    jax.clear_caches()
    if (law, dtype) == ("truncated[-1,3]", "float32"):
        # Of float64's last places float32 shows few. The place is what is left.
        assert found(vs.TruncatedNormal(1.0, 0.05, seed=1, lower=-1.0, upper=3.0), dtype) > 0
    else:
        assert found(FUSED[law], dtype) > 0


class Rough(SimpleNamespace):
    """A `jax.lax` whose quotients and roots are up to two steps off, as those of a GPU are."""

    def __getattr__(self, name: str) -> Any:
        return getattr(jax.lax, name)

    @staticmethod
    def off(x: Any) -> Any:
        steps = (arithmetic.bits(x) * 37 >> 5) % 5 - 2
        return arithmetic.real(arithmetic.bits(x) + steps)

    def div(self, a: Any, b: Any) -> Any:
        return self.off(jax.lax.div(a, b))

    def sqrt(self, x: Any) -> Any:
        return self.off(jax.lax.sqrt(x))


@pytest.mark.parametrize("corrected", [True, False])
def test_rough_quotients_and_roots_are_corrected(
    corrected: bool, monkeypatch: pytest.MonkeyPatch, afresh: None
) -> None:
    """If this fails weights on a GPU, whose quotients and roots are rough, are not those of the core."""
    monkeypatch.setattr(arithmetic, "lax", Rough())
    if not corrected:
        monkeypatch.setattr(arithmetic, "nearest_quotient", lambda near, a, b: near)
        monkeypatch.setattr(arithmetic, "nearest_root", lambda near, x: near)
    for law in ("truncated_normal", "normal"):
        assert (found(FUSED[law], "float32") == 0) == corrected


def stepped(right: np.ndarray, off: int) -> np.ndarray:
    return (right.view(np.int32) + np.int32(off)).view(np.float32)


# Most of what is next to powers of two, where steps change their length.
EDGES = np.concatenate([2.0**k * (1 + np.arange(-200, 200) * 2.0**-24) for k in range(-30, 7)]).astype(np.float32)


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_nearest_quotient(off: int) -> None:
    """If this fails a quotient of the truncated law is wrong from some start."""
    u = np.arange(1, 2**24, 16, dtype=np.float32) * np.float32(2.0**-24)
    b = np.random.default_rng(1).uniform(1.0, 2.0, (len(EDGES), 9)).astype(np.float32)
    a = np.concatenate([u * u * np.float32(12.3), (EDGES[:, None] * b).ravel()])
    b = np.concatenate([np.float32(1) + u, b.ravel()])
    assert np.array_equal(bits(jax.jit(arithmetic.nearest_quotient)(stepped(a / b, off), a, b)), bits(a / b))


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_nearest_root(off: int) -> None:
    """If this fails a radius of the normal law is wrong from some start."""
    x = np.concatenate([np.exp2(np.random.default_rng(1).uniform(-30, 6, 2**20)).astype(np.float32), EDGES])
    right = np.sqrt(x)
    assert np.array_equal(bits(jax.jit(arithmetic.nearest_root)(stepped(right, off), x)), bits(right))


@pytest.mark.parametrize("scale", [2.0**-99, 2.0**-115])
def test_constants_in_a_row_are_refused_where_they_count(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails XLA makes one constant of the uniform law's step and of a scale, and that one is 0."""
    init, shape = vs.RandomUniform(-scale, scale, seed=3), (4096,)
    program = jax.jit(lambda: vs.jax.sample(init, shape))
    if scale < 2.0**-100:
        with pytest.raises(ValueError, match="subnormal numbers, which XLA takes for 0"):
            program()
        monkeypatch.setattr(sources, "limit", lambda *rest: None)
    wrong = np.count_nonzero(bits(program()) != bits(init(shape)))
    assert (wrong > 0) == (scale < 2.0**-100), "or there is no need of the limit"


def hazards(dtype: Any) -> np.ndarray:
    """Every finite 16-bit value, every midpoint between neighbours, and one step to each side, but subnormal ones."""
    every = np.arange(2**16, dtype=np.uint16).view(dtype)
    with np.errstate(invalid="ignore"):
        exact = every.astype(np.float32)
    exact = np.unique(exact[np.isfinite(exact)])
    points = np.concatenate([exact, exact[:-1] + (exact[1:] - exact[:-1]) / 2])
    around = np.concatenate(
        [points, np.nextafter(points, np.float32(-np.inf)), np.nextafter(points, np.float32(np.inf))]
    )
    return around[np.isfinite(around) & ((around == 0) | (np.abs(around) >= 2.0**-126))].astype(np.float32)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_rounding(dtype: str) -> None:
    """If this fails a 16-bit weight is not the nearest one, or a tie does not go to even."""
    kind = jnp.dtype(dtype)
    points = hazards(kind)
    with np.errstate(over="ignore"):
        right = points.astype(kind)
    assert np.array_equal(bits(jax.jit(lambda x: arithmetic.rounded(x, kind))(points)), bits(right))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_no_rounding_is_left_to_xla(dtype: str) -> None:
    """If this fails XLA leaves the rounding out on a GPU, where the program goes on in float32."""
    init = vs.lecun_normal(7)
    program = str(jax.make_jaxpr(lambda: vs.jax.sample(init, (8, 8), dtype))())
    short = {"float16": "f16", "bfloat16": "bf16"}[dtype]
    assert f"bitcast_convert_type[new_dtype={dtype}]" in program
    assert f"convert_element_type[new_dtype={dtype}" not in program
    assert f"{short}[8,8] = reduce_precision" not in program
    wide = jax.jit(lambda: vs.jax.sample(init, (64, 33), dtype).astype(jnp.float32))()
    assert np.array_equal(bits(wide), bits(init((64, 33), dtype).astype(np.float32)))


def test_the_laws_are_truncated_within_35_deviations() -> None:
    """If this fails masses are subnormal numbers, and values are anything."""
    for bounds in ((35.5, np.inf), (-np.inf, -35.5)):
        init = vs.TruncatedNormal(seed=1, lower=bounds[0], upper=bounds[1])
        with pytest.raises(ValueError, match=r"its bounds .* lie more than 35 standard deviations out"):
            vs.jax.sample(init, (4,))


def test_a_tpu_has_no_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails float64 weights on a TPU are none of the core's."""
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    with pytest.raises(ValueError, match="it needs float64, which a TPU does not have"):
        vs.jax.sample(FUSED["truncated[-1,3]"], (4,), "bfloat16")
    with jax.enable_x64(True), pytest.raises(ValueError, match="which a TPU does not have"):
        vs.jax.sample(FUSED["normal"], (4,), "float64")
    assert vs.jax.sample(FUSED["normal"], (4,), "bfloat16").shape == (4,)


def test_one_program_for_a_law_a_dtype_and_a_shape(afresh: None) -> None:
    """If this fails each tensor of a model costs a compilation: its seed, scale, mean or start is in the program."""
    compiled: list[str] = []

    def listen(event: str, duration: float, **rest: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        first = vs.RandomNormal(0.0, 0.02, seed=1)
        vs.jax.sample(first, (64, 32))
        vs.jax.sample(first, (64, 32), part=slice(0, 16))
        made = len(compiled)
        assert made >= 2
        vs.jax.sample(vs.RandomNormal(0.5, 0.3, seed=2).fold_in("a"), (64, 32))
        vs.jax.sample(vs.RandomNormal(0.0, 1e-9, seed=-5), (64, 32), key=np.array([0, 3], np.uint32))
        vs.jax.sample(first, (64, 32), part=slice(48, 64))
        assert len(compiled) == made
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
