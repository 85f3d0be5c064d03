"""Initializers of JAX by name: its signatures and meanings, the values of a key's seed, and objects that are values."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import varscale as vs

# A raw key of NumPy: JAX's own would choose its devices now, before other files say how many there are.
KEY, SHAPE = np.array([0, 7], np.uint32), (33, 8)
THEIRS = {
    name: value
    for name, value in vars(jax.nn.initializers).items()
    if not name.startswith("_") and callable(value) and name != "Initializer"
}
# What each makes, and the initializer of ours of the seed 7 that makes it.
MEANINGS: list[tuple[Any, Any]] = [
    (vs.jax.variance_scaling(0.7, "fan_out", "normal"), vs.VarianceScaling(0.7, "fan_out", "untruncated_normal", 7)),
    (vs.jax.variance_scaling(2.0, "fan_geo_avg", "uniform"), vs.VarianceScaling(2.0, "fan_geo_avg", "uniform", 7)),
    (vs.jax.variance_scaling(3, "fan_avg", "truncated_normal"), vs.VarianceScaling(3, "fan_avg", seed=7)),
    (vs.jax.lecun_normal(-1, -2), vs.lecun_normal(7, in_axis=-1, out_axis=-2)),
    (vs.jax.lecun_normal(), vs.lecun_normal(7)),
    (vs.jax.lecun_uniform(), vs.lecun_uniform(7)),
    (vs.jax.glorot_normal(), vs.glorot_normal(7)),
    (vs.jax.glorot_uniform(), vs.glorot_uniform(7)),
    (vs.jax.he_normal(), vs.he_normal(7)),
    (vs.jax.he_uniform(), vs.he_uniform(7)),
    (vs.jax.normal(), vs.RandomNormal(0, 0.01, 7)),
    (vs.jax.truncated_normal(0.1, lower=-1.0, upper=3.0), vs.TruncatedNormal(0, 0.1, 7, lower=-1.0, upper=3.0)),
    (vs.jax.uniform(0.5), vs.RandomUniform(0, 0.5, 7)),
    (vs.jax.orthogonal(2.0), vs.Orthogonal(2.0, 7)),
    (vs.jax.orthogonal(1.0, 0), vs.Orthogonal(1.0, 7, axis=0)),
    (vs.jax.constant(3), vs.Constant(3)),
    (vs.jax.zeros, vs.Zeros()),
    (vs.jax.ones, vs.Ones()),
]
INITS = [init for init, _ in MEANINGS] + [vs.jax.delta_orthogonal(), vs.jax.normal(dtype="bfloat16")]


def same(array: Any, right: np.ndarray) -> bool:
    found = np.asarray(array)
    return (found.shape, found.dtype, found.tobytes()) == (right.shape, right.dtype, right.tobytes())


def parameters(thing: Any) -> list[Any]:
    return [(found.name, found.default, found.kind) for found in inspect.signature(thing).parameters.values()]


def test_every_name_has_jaxs_signature() -> None:
    """If this fails a user's arguments mean something else, or a name of JAX is missing."""
    assert len(THEIRS) > 17
    assert {name: parameters(getattr(vs.jax, name)) for name in THEIRS} == {n: parameters(t) for n, t in THEIRS.items()}
    assert {*THEIRS, "Initializer"} <= {*vs.jax.__all__}


@pytest.mark.parametrize(("init", "right"), MEANINGS, ids=lambda init: repr(init)[:40])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_key_makes_what_its_seed_makes(init: Any, right: Any, dtype: str) -> None:
    """If this fails a name has another law, or a key other weights than its seed."""
    assert same(init(KEY, SHAPE, dtype), right(SHAPE, dtype))
    assert same(jax.jit(lambda key: init(key, SHAPE, dtype))(KEY), right(SHAPE, dtype))


def test_column_axis() -> None:
    """If this fails the columns of an orthogonal kernel are always its last axis."""
    shape, right = (8, 3, 2), vs.Orthogonal(1.0, 7, axis=0)((8, 3, 2))
    assert same(vs.jax.orthogonal(column_axis=0)(KEY, shape), right)
    assert not same(vs.jax.orthogonal()(KEY, shape), right)


def test_delta_orthogonal() -> None:
    """If this fails a kernel has another centre, or the column axis, which changes no value, is refused."""
    shape, right = (3, 3, 4, 8), vs.DeltaOrthogonal(2.0, 7)((3, 3, 4, 8))
    assert same(vs.jax.delta_orthogonal(2.0)(KEY, shape), right)
    assert same(jax.jit(lambda key: vs.jax.delta_orthogonal(2.0, 0)(key, shape))(KEY), right)
    with pytest.raises(ValueError, match="`column_axis` must be an axis of a matrix, got 2"):
        vs.jax.delta_orthogonal(column_axis=2)


@pytest.mark.parametrize("dtype", ["complex64", "float8_e4m3fn", "float8_e5m2"])
def test_other_dtypes(dtype: str) -> None:
    """If this fails a dtype that JAX has is refused or rounded elsewhere."""
    init = vs.jax.lecun_normal(dtype=dtype)
    assert same(init(KEY, SHAPE), vs.lecun_normal(7)(SHAPE, dtype))
    assert same(jax.jit(lambda key: init(key, SHAPE))(KEY), vs.lecun_normal(7)(SHAPE, dtype))


def test_the_dtype_that_counts() -> None:
    """If this fails None is not JAX's default, or what a call says does not come before what the initializer says."""
    init, half = vs.jax.lecun_normal(), vs.jax.lecun_normal(dtype=jnp.bfloat16)
    assert [init(KEY, SHAPE).dtype, half(KEY, SHAPE).dtype, half(KEY, SHAPE, "float16").dtype] == [
        np.float32,
        jnp.bfloat16,
        np.float16,
    ]
    assert init(KEY, SHAPE, float).dtype == np.float32
    assert vs.jax.ones(KEY, SHAPE, "int32").dtype == np.int32
    with pytest.raises(ValueError, match="`dtype` must have at most 32 bits while `jax_enable_x64` is off"):
        init(KEY, SHAPE, np.float64)
    with jax.enable_x64(True):
        for made in (init(KEY, SHAPE), jax.jit(lambda key: init(key, SHAPE))(KEY)):
            assert same(made, vs.lecun_normal(7)(SHAPE, "float64"))
        assert vs.jax.zeros(KEY, SHAPE).dtype == np.float64


def test_shared_axes_have_jaxs_fans() -> None:
    """If this fails Flax's embeddings, which name one axis twice, are refused or have other fans."""
    embed = vs.jax.variance_scaling(1.0, "fan_in", "normal", out_axis=0)
    assert same(embed(KEY, (50, 16)), vs.RandomNormal(0, 0.25, 7)((50, 16)))
    theirs = jax.nn.initializers.variance_scaling(1.0, "fan_out", "uniform", (0, 1), 1)
    ours = vs.jax.variance_scaling(1.0, "fan_out", "uniform", (0, 1), 1)
    found, wanted = (np.abs(np.asarray(init(KEY, (40, 50)))).max() for init in (ours, theirs))
    assert found == pytest.approx(wanted, rel=0.01)
    assert vs.jax.lecun_normal(out_axis=0)(KEY, (0, 4)).shape == (0, 4)
    with pytest.raises(ValueError, match="must leave fans of 1 at least"):
        vs.jax.lecun_normal(0, 0, 0)(KEY, (40, 2))


def test_constants_are_repeated() -> None:
    """If this fails an array as a constant needs as many values as the shape, or loses them in silence."""
    assert same(vs.jax.constant(jnp.arange(3))(None, (2, 3)), np.array([[0, 1, 2]] * 2, np.float32))
    assert same(jax.jit(lambda: vs.jax.constant([[1], [2]])(None, (2, 2)))(), np.array([[1, 1], [2, 2]], np.float32))
    with pytest.raises(ValueError, match="`value` must be one that the dtype 'float16' can hold"):
        vs.jax.constant(1e6)(None, (2,), "float16")


@pytest.mark.parametrize("init", INITS, ids=repr)
def test_initializers_are_values(init: Any) -> None:
    """If this fails a jitted function is compiled anew for an equal initializer, or an object cannot be saved."""
    found = pickle.loads(pickle.dumps(init))
    assert found == init == copy.deepcopy(init)
    assert hash(found) == hash(init)
    assert eval(repr(init), vars(vs.jax)) == init
    assert isinstance(init, jax.nn.initializers.Initializer)
    assert same(found(KEY, (3, 4, 8)), np.asarray(init(KEY, (3, 4, 8))))
    with pytest.raises(AttributeError, match="is immutable"):
        init.dtype = "float16"


def test_equality() -> None:
    """If this fails different initializers share a compiled program."""
    assert len({*INITS}) == len(INITS)
    assert vs.jax.lecun_normal(in_axis=-2) == vs.jax.lecun_normal()
    assert vs.jax.normal(0.5, "bfloat16") == vs.jax.normal(jnp.float32(0.5), jnp.bfloat16)
    assert vs.jax.xavier_normal is vs.jax.glorot_normal
    traces = []
    start = jax.jit(lambda init, key: traces.append(init) or init(key, SHAPE), static_argnums=0)
    start(vs.jax.he_normal(), KEY), start(vs.jax.he_normal(), KEY), start(vs.jax.he_uniform(), KEY)
    assert traces == [vs.jax.he_normal(), vs.jax.he_uniform()]


def test_reprs() -> None:
    """If this fails a printed module does not say how it was begun."""
    assert repr(vs.jax.truncated_normal(jnp.bfloat16(0.5), jnp.bfloat16)) == (
        "truncated_normal(stddev=0.5, dtype='bfloat16')"
    )
    assert [repr(vs.jax.lecun_normal()), repr(vs.jax.zeros)] == ["lecun_normal()", "zeros"]


def test_an_argument_is_copied() -> None:
    """If this fails a list or an array that changes later changes an initializer, or its repr alone."""
    axes, values = [0], np.zeros(3)
    scaled, held = vs.jax.lecun_normal(axes), vs.jax.constant(values)
    axes[0], values[0] = 1, 5.0
    assert pickle.loads(pickle.dumps(scaled)) == scaled == vs.jax.lecun_normal([0])
    assert pickle.loads(pickle.dumps(held)) == held == vs.jax.constant(np.zeros(3))


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_seeds_of_keys(impl: str) -> None:
    """If this fails a key stands for another integer than its words."""
    key = jax.random.key(2**31 + 5, impl=impl)
    words = [int(word) for word in jax.random.key_data(key)]
    seed = sum(word << 32 * place for place, word in enumerate(reversed(words)))
    assert vs.jax.seed_of(key) == seed == vs.jax.seed_of(jax.random.key_data(key))
    assert same(vs.jax.lecun_normal()(key, SHAPE), vs.lecun_normal(seed)(SHAPE))
    assert same(jax.jit(lambda key: vs.jax.lecun_normal()(key, SHAPE))(key), vs.lecun_normal(seed)(SHAPE))


def test_seeds_whatever_is_set() -> None:
    """If this fails one key makes other weights under a flag of JAX, or under the global seed others than its seed."""
    assert vs.jax.seed_of(KEY) == vs.jax.seed_of(jax.random.PRNGKey(7)) == 7
    with jax.threefry_partitionable(False), jax.enable_x64(True):
        assert same(vs.jax.lecun_normal()(KEY, SHAPE, "float32"), vs.lecun_normal(7)(SHAPE))
    vs.set_random_seed(3)
    right = vs.lecun_normal(7)(SHAPE)
    assert same(vs.jax.lecun_normal()(KEY, SHAPE), right)
    start = jax.jit(lambda key: vs.jax.lecun_normal()(key, SHAPE))
    assert same(start(KEY), right)
    vs.set_random_seed(None)
    assert same(start(KEY), right), "a program keeps the global seed under which it was traced"
    assert not same(vs.jax.lecun_normal()(KEY, SHAPE), right)


def test_an_array_is_taken_without_a_copy() -> None:
    """If this fails memory and time double, or an array is bound to a device and meets no other."""
    made: list[Any] = []
    put = jax.device_put
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "device_put", lambda array: made.append(array) or put(array))
        array = vs.jax.lecun_normal()(KEY, (512, 256))
    assert array.unsafe_buffer_pointer() == made[0].ctypes.data
    assert not array._committed


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vs.jax.lecun_normal()(3, SHAPE), TypeError, "`key` must be a key of JAX or an array of uint32, got 3"),
        (lambda: vs.jax.lecun_normal()(jax.random.split(KEY), SHAPE), ValueError, "`key` must be one key"),
        (lambda: vs.jax.lecun_normal()(KEY, (5,)), ValueError, "`shape` must have two axes at least, or `in_axis`"),
        (lambda: vs.jax.lecun_normal(5)(KEY, SHAPE), ValueError, "`in_axis` must name an axis of the shape"),
        (lambda: vs.jax.lecun_normal()(KEY, 5), TypeError, "`shape` must be a sequence of integers, got 5"),
        (lambda: vs.jax.lecun_normal()(KEY, SHAPE, "int32"), ValueError, "`dtype` must be a floating-point or complex"),
        (lambda: vs.jax.lecun_normal(dtype="records"), ValueError, "`dtype` must name a dtype"),
        (lambda: vs.jax.lecun_normal()(KEY, SHAPE, None, "a"), TypeError, "`out_sharding` must be a NamedSharding"),
        (lambda: vs.jax.uniform(-1), ValueError, "`scale` must be a finite number that is not negative, got -1"),
        (lambda: vs.jax.orthogonal(np.nan), ValueError, "`scale` must be a finite number, got nan"),
        (lambda: vs.jax.variance_scaling(1.0, "fan_in", "untruncated_normal"), ValueError, "`distribution` must be"),
        (lambda: jax.jit(lambda s: vs.jax.normal(s)(KEY, SHAPE))(1.0), TypeError, "`stddev` must be a real number"),
        (lambda: jax.jit(vs.jax.seed_of)(KEY), ValueError, "`key` must be known, not traced"),
        (lambda: vs.jax.nothing, AttributeError, "module 'varscale.jax' has no attribute 'nothing'"),
    ],
)
def test_bad_arguments(call: Any, error: Any, message: str) -> None:
    """If this fails a mistake is found late, or not at all."""
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("way", ["key", "PRNGKey", "traced key", "traced PRNGKey"])
def test_what_takes_no_key_says_what_does(way: str) -> None:
    """If this fails who gives Flax a function or one of our plain initializers is not told what to give instead."""
    key = getattr(jax.random, way.split()[-1])(7)

    def called(init: Any) -> None:
        if "traced" in way:
            jax.eval_shape(lambda traced: init(traced, SHAPE, jnp.float32), key)
        else:
            init(key, SHAPE, jnp.float32)

    for name in ["lecun_normal", "normal", "uniform", "orthogonal", "constant", "variance_scaling"]:
        remedy = rf"{name}` makes an .* and takes no key, got <?\w+.*: give `varscale\.jax\.{name}\(\.\.\.\)`, called"
        with pytest.raises(TypeError, match=remedy):
            called(getattr(vs.jax, name))
    for plain in [vs.lecun_normal(), vs.zeros()]:
        with pytest.raises(TypeError, match=r"`shape` must be a sequence of integers, got .* one of `varscale\.jax`"):
            called(plain)


def test_values_that_look_like_a_key() -> None:
    """If this fails a constant of uint32 is taken for a key."""
    values = jnp.array([0, 7], jnp.uint32)
    assert vs.jax.constant(values, jnp.float32)(KEY, (3, 2)).tolist() == [[0, 7]] * 3
    with pytest.raises(TypeError, match=r"`shape` must be a sequence of integers, got Array\(\[3, 4\], dtype=int32\)$"):
        vs.lecun_normal()(jnp.array([3, 4]))  # type: ignore[arg-type]


def test_haiku_is_not_imported() -> None:
    """If this fails every user of JAX waits for Haiku, or one without it gets an error that names no remedy."""
    script = """
import sys
sys.modules["haiku"] = None
import varscale as vs
dir(vs.jax)
try:
    vs.jax.haiku
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert "`varscale.jax.haiku` needs a package that is not installed" in done.stdout, done.stderr
    assert "pip install dm-haiku" in done.stdout
