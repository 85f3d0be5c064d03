"""Replays of JAX and of Keras 3 on JAX: known answers, keys, parts, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from oracle.answers import known_answers
from varscale import replay

pytestmark = pytest.mark.known_answers

DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
RULES: dict[str, Callable[[Any], vs.Initializer]] = {
    "lecun_normal": vs.lecun_normal,
    "LecunNormal": vs.LecunNormal,
    "glorot_uniform": vs.glorot_uniform,
    "GlorotUniform": vs.GlorotUniform,
    "random.normal": lambda seed: vs.RandomNormal(0.0, 1.0, seed),
    "normal(1.0)": lambda seed: vs.RandomNormal(0.0, 1.0, seed),
    "RandomNormal(0,.05)": lambda seed: vs.RandomNormal(0.0, 0.05, seed),
}
STREAMS: dict[str, Callable[[int], replay.Replay]] = {
    "jax": replay.jax,
    "jax(x64)": lambda seed: replay.jax(seed, x64=True),
    "keras3-jax": lambda seed: replay.keras(seed, "jax"),
}
QUESTION = re.compile(r"(?P<rule>\S+) S=(?P<seed>\S+) (?P<dtype>\w+)")
CASES = [(stream, *answer) for stream in STREAMS for answer in known_answers(stream)]
VALUES = [case for case in CASES if QUESTION.fullmatch(case[1])]


def raw(array: NDArray[np.generic]) -> NDArray[np.unsignedinteger]:
    return array.view(f"u{array.itemsize}").ravel()


def test_there_are_known_answers() -> None:
    """If this fails the next tests test nothing."""
    assert (len(CASES), len(VALUES)) == (27, 21)


@pytest.mark.parametrize(("stream", "question", "bits"), VALUES, ids=lambda value: str(value)[:60])
def test_known_answers(stream: str, question: str, bits: NDArray[np.unsignedinteger]) -> None:
    """If this fails a replay gives other bits than the framework itself gave."""
    asked = QUESTION.fullmatch(question)
    assert asked is not None
    init = RULES[asked["rule"]](STREAMS[stream](int(asked["seed"])))
    array = init((2, 4), DTYPES.get(asked["dtype"], asked["dtype"]))
    assert raw(array).tolist() == bits.tolist()


@pytest.mark.parametrize(("question", "bits"), [case[1:] for case in CASES if case not in VALUES], ids=str)
def test_known_keys_and_words(question: str, bits: NDArray[np.unsignedinteger]) -> None:
    """If this fails a seed makes another key than `jax.random.key`, or a key other words than `jax.random.bits`."""
    key = replay.jax(int(question.partition("S=")[2].split()[0]))
    if question.startswith("key_data"):
        assert list(key.key) == bits.tolist()
    else:
        assert question.startswith("bits u32")
        words = [child.key for child in key.split(8)]
        assert [first ^ second for first, second in words] == bits.tolist()


def test_keys_of_seeds() -> None:
    """If this fails seeds of 64 bits, NumPy's integers or words make another key than JAX's."""
    assert replay.jax(2**40 + 3).key == replay.jax(np.int64(3)).key == (0, 3)
    assert replay.jax(2**40 + 3, x64=True).key == (256, 3)
    assert replay.jax(-3, True).key == (2**32 - 1, 2**32 - 3)
    for words in ((7, 2**32 - 1), [7, 2**32 - 1], np.array([7, 2**32 - 1], np.uint32)):
        assert replay.jax(words) == replay.jax((7, 2**32 - 1))
    assert replay.jax(42) == replay.jax((0, 42)) != replay.jax(42, x64=True)


def test_folding_and_splitting() -> None:
    """If this fails a folded or split key is not what jax.random made of key(42)."""
    for partitionable, halves in ((True, (0x6D3E048F, 0x1022172D)), (False, (0x92FB20EA, 0xDB4C98DB))):
        key = replay.jax(42, partitionable=partitionable)
        assert key.fold_in(7).key == (0x97D0552F, 0x51BF719F)
        assert key.split()[0].key == halves
        assert key.split()[0].partitionable == partitionable
    assert replay.jax(42, partitionable=False).split(3)[2].key == (0x2FC69B62, 0x8CDB9797)
    assert replay.jax(42).split(3)[2].key == (0x92FB20EA, 0xF38D913)
    assert replay.jax(42).fold_in(1).fold_in(2) == replay.jax(42).fold_in(1, 2)


def test_an_initializers_fold_in_is_the_keys() -> None:
    """If this fails `fold_in` of an initializer draws from another key than `jax.random.fold_in` makes, or is lost."""
    key = replay.jax(42)
    folded = vs.lecun_normal(key).fold_in(3, 0)
    assert folded == vs.lecun_normal(key.fold_in(3, 0)) == vs.deserialize(vs.serialize(folded))
    assert vs.lecun_normal(key).fold_in() == vs.lecun_normal(key)
    for path in (("kernel",), (1, "kernel"), (-1,), (2**32,)):
        with pytest.raises(ValueError, match=r"^`path` must hold integers from 0 to 2\^32 - 1 to replay jax-0.10, got"):
            vs.lecun_normal(key).fold_in(*path)
    with pytest.raises(ValueError, match=r"keras-3\.15 on jax-0\.10"):
        vs.lecun_normal(replay.keras(1, "jax")).fold_in(1)


@pytest.mark.parametrize(("dtype", "half"), [("float16", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_scales_of_keras_are_rounded_twice(dtype: str, half: float) -> None:
    """If this fails a 16-bit scale is rounded once, although it enters JAX's functions as a float32."""
    # So little above half a last place that float32 cannot tell: it goes down to 1, and not up.
    scales = (1 + half + 2.0**-30, 1.0, 1 + 2 * half)
    found, down, up = (raw(vs.RandomUniform(0.0, scale, replay.keras(5, "jax"))((50,), dtype)) for scale in scales)
    assert np.array_equal(found, down)
    assert not np.array_equal(found, up)


SEEDS: list[replay.Replay] = [
    replay.jax(5),
    replay.jax(5, x64=True, jit=True),
    replay.jax(5, x64=True, partitionable=False),
    replay.jax(5, fused_half=True),
    replay.keras(5, "jax", 3),
]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("law", ["truncated_normal", "untruncated_normal", "uniform"])
def test_parts_threads_and_memory_orders(seed: replay.Replay, dtype: str, law: str) -> None:
    """If this fails a value depends on the part it is in, on the threads, or on the order of memory."""
    if dtype == "float64" and seed in (SEEDS[0], SEEDS[3]):
        with pytest.raises(ValueError, match=r"^`dtype` must be float32, float16 or bfloat16, without `x64`"):
            vs.VarianceScaling(1.0, "fan_in", law, seed)((3, 4), dtype)
        return
    init = vs.VarianceScaling(1.0, "fan_in", law, seed)
    shape = (70, 11, 101)
    whole = init(shape, dtype)
    for index in (np.s_[::3, 4, 90:2:-7], np.s_[69:, :, :]):
        assert init(shape, dtype, index=index).tobytes() == np.ascontiguousarray(whole[index]).tobytes()
    mesh = [3, 3, 60], range(11), [100, 0]
    assert np.array_equal(init(shape, dtype, index=mesh), whole[np.ix_(*mesh)])
    part = init((20, 11, 50), dtype, vs.PartitionInfo(shape, (50, 0, 51)))
    assert part.tobytes() == np.ascontiguousarray(whole[50:, :, 51:]).tobytes()
    assert np.array_equal(init(shape, dtype, out=np.empty(shape, whole.dtype, order="F")), whole)
    assert np.asarray(init.lazy(shape, dtype)).tobytes() == whole.tobytes()
    for threads in (1, 3):
        with vs.num_threads(threads):
            assert init(shape, dtype).tobytes() == whole.tobytes()


def test_far_parts() -> None:
    """If this fails element numbers beyond 32 bits are hashed without their high half."""
    init = vs.RandomUniform(0.0, 1.0, replay.jax(42))
    (value,) = init((2**20, 2**20), index=np.s_[2**19, 5:6])
    word = np.bitwise_xor(*replay.jax(42).fold_in(5).key)  # the same number but for its high half
    assert float(value) != (int(word) >> 9) * 2.0**-23
    assert init((2**20, 2**20), index=np.s_[0, 5:6]) == np.float32((int(word) >> 9) * 2.0**-23)


@pytest.mark.parametrize(
    ("init", "shape", "dtype", "message"),
    [
        (vs.RandomNormal(0.1, 1.0, replay.jax(1)), (3,), None, "`mean` must be 0 to replay jax-0.10, got 0.1"),
        (vs.TruncatedNormal(0.1, 1.0, replay.jax(1)), (3,), None, "`mean` must be 0 to replay"),
        (vs.RandomUniform(-1, 1, replay.jax(1)), (3,), None, "`minval` must be 0 to replay jax-0.10, got -1"),
        (vs.lecun_normal(replay.jax(1)), (3,), None, "`shape` must be of at least two axes"),
        (vs.lecun_normal(replay.jax(1)), (3, 0), None, "`shape` must be without empty axes"),
        (vs.lecun_normal(replay.jax(1)), (3, 4), "float64", "`dtype` must be float32, float16 or bfloat16, without"),
        (vs.RandomNormal(0.0, 1e-30, replay.jax(1)), (3,), None, "`scale` must be 0 or at least 8.67e-19"),
        (
            vs.TruncatedNormal(0.0, 1.0, replay.jax(1, jit=True), lower=-1.0, upper=2.0),
            (3,),
            None,
            "`lower` and `upper` must be -2 and 2, under `jit` in float32, to replay jax-0.10",
        ),
        (
            vs.RandomUniform(0, 1, replay.jax(1, partitionable=False)),
            (2**16, 2**16),
            None,
            r"`shape` must be of fewer than 2\^32 words, unless `partitionable`, to replay",
        ),
        (vs.TruncatedNormal(0.0, 1.0, replay.keras(1, "jax"), lower=-1.0), (3,), None, "`lower` and `upper` must be"),
        (vs.VarianceScaling(1, "fan_geo_avg", seed=replay.keras(1, "jax")), (3, 4), None, "`mode` must be 'fan_in' or"),
        (vs.RandomUniform(-6e4, 6e4, replay.keras(1, "jax")), (3,), "float16", "`minval` and `maxval` must be closer"),
    ],
)
def test_what_jax_does_not_make_is_refused(init: vs.Initializer, shape: Any, dtype: Any, message: str) -> None:
    """If this fails values that JAX does not make are passed off as its own, or the error does not say why."""
    with pytest.raises(ValueError, match=f"^{message}"):
        init(shape, dtype, index=np.s_[:1])  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: replay.jax(2**63), ValueError, "`key` must be an integer of 64 bits"),
        (lambda: replay.jax(True), TypeError, "`key` must be an integer, got True"),
        (
            lambda: replay.jax(1.5),
            TypeError,
            "`key` must be a seed, or the two words of `jax.random.key_data`",
        ),
        (lambda: replay.jax("ab"), TypeError, "`key` must be"),
        (lambda: replay.jax((1, 2, 3)), TypeError, "`key` must be a seed, or the two words"),
        (lambda: replay.jax((1, 2**32)), ValueError, r"`key` must hold two words from 0 to 2\^32 - 1"),
        (lambda: replay.jax(1, x64=1), TypeError, "`x64` must be True or False, got 1"),
        (lambda: replay.jax(1, jit=None), TypeError, "`jit` must be True or False, got None"),
        (lambda: replay.jax(1).split(0), ValueError, r"`num` must be from 1 to 2\^31 - 1"),
        (lambda: replay.jax(1).split(2.0), TypeError, "`num` must be an integer, got 2.0"),
        (
            lambda: replay.keras(-3, "jax"),
            ValueError,
            r"`seed` must be from 0 to 2\^32 - 1 to replay keras",
        ),
        (lambda: replay.keras(1, "jax", 2**32), ValueError, r"`draw` must be from 0 to 2\^32 - 1 to replay"),
    ],
)
def test_bad_arguments(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    """If this fails an argument is misread, or the error does not say what is allowed."""
    with pytest.raises(error, match=f"^{message}"):
        make()


def test_vectors_with_an_input_axis() -> None:
    """If this fails JAX's fans of a vector, which it has where `in_axis` is given, are refused."""
    init = vs.VarianceScaling(1.0, "fan_in", "uniform", replay.jax(1), in_axis=0, out_axis=())
    assert init((100,)).std() == pytest.approx(0.1, rel=0.3)
