"""Replays of TensorFlow, tf_keras and Keras 3 on TensorFlow: known answers, parts, and what is refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from oracle.answers import known_answers
from varscale import replay
from varscale.replay import _tensorflow

pytestmark = pytest.mark.known_answers

DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
RULES = {
    "lecun_normal": lambda seed: vs.lecun_normal(seed),
    "LecunNormal": lambda seed: vs.LecunNormal(seed),
    "GlorotUniform": lambda seed: vs.GlorotUniform(seed),
    "VS untruncated": lambda seed: vs.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed),
    "VS uniform": lambda seed: vs.VarianceScaling(1.0, "fan_in", "uniform", seed),
    "RandomNormal(0,.05)": lambda seed: vs.RandomNormal(0.0, 0.05, seed),
    "TruncatedNormal(0,.05)": lambda seed: vs.TruncatedNormal(0.0, 0.05, seed),
    "RandomUniform(-.05,.05)": lambda seed: vs.RandomUniform(-0.05, 0.05, seed),
}
STREAMS = {
    "tf.v1": lambda g, s: replay.tf1(s, g),
    "tf_keras": lambda g, s: replay.tf_keras(s),
    "keras3-tf": lambda g, s: replay.keras(s),
}
QUESTION = re.compile(r"(?:graph first-run )?(?P<rule>.*?)(?: G=(?P<g>\S+))? S=(?P<s>\S+) (?P<dtype>\w+)")
CASES = [(stream, *answer) for stream in STREAMS for answer in known_answers(stream)]


def integer(text: str | None) -> int | None:
    return None if text in {None, "None"} else int(text)


def raw(array: NDArray[np.generic]) -> NDArray[np.unsignedinteger]:
    return array.view(f"u{array.itemsize}").ravel()


def test_there_are_known_answers() -> None:
    """If this fails the next test tests nothing."""
    assert len(CASES) == 48


@pytest.mark.parametrize(("stream", "question", "bits"), CASES, ids=lambda value: str(value)[:60])
def test_known_answers(stream: str, question: str, bits: NDArray[np.unsignedinteger]) -> None:
    """If this fails a replay gives other bits than the framework itself gave."""
    asked = QUESTION.fullmatch(question)
    assert asked is not None
    seed = STREAMS[stream](integer(asked["g"]), integer(asked["s"]))
    init = RULES[asked["rule"]](seed)
    array = init((2, 4), DTYPES.get(asked["dtype"], asked["dtype"]))
    assert raw(array).tolist() == bits.tolist()


# Rules of the large tensors: those of tests/originals/cases.py.
LARGE_RULES: dict[str, Callable[[replay.Replay], vs.Initializer]] = {
    "lecun_normal": vs.lecun_normal,
    "he_uniform": vs.he_uniform,
    "glorot_uniform": vs.glorot_uniform,
    "glorot_normal": vs.glorot_normal,
    "untruncated": lambda seed: vs.VarianceScaling(3.0, "fan_out", "untruncated_normal", seed),
    "random_normal": lambda seed: vs.RandomNormal(0.3, 0.05, seed),
    "truncated_normal": lambda seed: vs.TruncatedNormal(-0.1, 0.7, seed),
    "random_uniform": lambda seed: vs.RandomUniform(-0.3, 1.1, seed),
}
LARGE = (1000, 1003)
LINE = re.compile(
    r"(?P<stream>\w+)(?: G=(?P<g>\S+))? S=(?P<s>\S+)(?: run=(?P<run>\d))? (?P<rule>\w+) (?P<dtype>\w+): (?P<sha>\w+)"
)
LARGE_CASES = [
    case
    for line in (Path(__file__).parents[1] / "known_answers" / "tensorflow.txt")
    .read_text(encoding="utf-8")
    .splitlines()
    if (case := LINE.fullmatch(line))
]


def test_there_are_large_answers() -> None:
    """If this fails the next test tests nothing."""
    assert len(LARGE_CASES) == 176


@pytest.mark.parametrize("case", LARGE_CASES, ids=lambda case: case[0].partition(":")[0])
def test_large_answers(case: re.Match[str]) -> None:
    """If this fails a million values of a framework have other bits: a rejection, a carry or a rounding is wrong."""
    seed = int(case["s"])
    stream = {
        "tf_keras": lambda: replay.tf_keras(seed),
        "keras": lambda: replay.keras(seed),
        "graph": lambda: replay.tf1(seed, integer(case["g"]), skip=int(case["run"]) * 1003000),
        "eager": lambda: replay.tf1(seed, integer(case["g"]), skip=int(case["run"]) * 1003000, eager=True),
    }[case["stream"]]()
    array = LARGE_RULES[case["rule"]](stream)(LARGE, case["dtype"])
    assert hashlib.sha256(array.tobytes()).hexdigest() == case["sha"]


ALL = [
    (law, dtype)
    for law in (vs.lecun_normal, vs.lecun_uniform, vs.RandomNormal)
    for dtype in ("float32", "float16", "bfloat16", "float64")
]


@pytest.mark.parametrize(("law", "dtype"), ALL)
def test_any_part_is_that_slice(law: Callable[..., vs.Initializer], dtype: str) -> None:
    """If this fails a part, in any way of asking for it and in any memory order, is not the slice of the tensor."""
    init = law(seed=replay.tf1(42, 7, skip=11))
    full = init((37, 5, 61), dtype)
    for index in (
        np.s_[3:20, 1:4, 7:50],
        np.s_[::-3, 2, ::7],
        np.s_[[5, 1, 36], :, [0, 60, 2]],
        np.s_[..., -1],
        np.s_[36],
    ):
        expected = (
            full[np.ix_(index[0], range(5), index[2])]
            if isinstance(index, tuple) and isinstance(index[0], list)
            else full[index]
        )
        assert np.array_equal(init((37, 5, 61), dtype, index=index), expected)
        assert np.array_equal(init.lazy((37, 5, 61), dtype)[index], expected)
    info = vs.PartitionInfo((37, 5, 61), (8, 0, 3))
    assert np.array_equal(init((20, 5, 10), dtype, info), full[8:28, :, 3:13])
    out = np.empty((37, 5, 61), full.dtype, order="F")
    assert np.array_equal(init(full.shape, out=out), full)


@pytest.mark.parametrize(("law", "dtype"), ALL)
def test_threads_and_the_global_seed_change_nothing(law: Callable[..., vs.Initializer], dtype: str) -> None:
    """If this fails bits depend on the number of threads, or on `set_random_seed`."""
    init = law(seed=replay.tf_keras(5))
    expected = init((400, 401), dtype).tobytes()
    vs.set_random_seed(3)
    for threads in (1, 2, 7):
        with vs.num_threads(threads):
            assert init((400, 401), dtype).tobytes() == expected


def test_far_elements() -> None:
    """If this fails a group far inside a large tensor has another's blocks, or one past the counter's half has any."""
    init = vs.lecun_normal(seed=replay.tf1(1))
    # an element has 64 blocks, a skipped one 256
    far = init((2**28, 2**28), index=np.s_[-1, -4:])
    skipped = vs.VarianceScaling(2.0**-28 * 4, "fan_in", "truncated_normal", replay.tf1(1, skip=2**54 - 1))((4, 1))
    assert np.array_equal(far, skipped.ravel())
    with pytest.raises(
        ValueError, match=r"^`shape` must be of at most 2\^56 elements, those skipped included, to replay"
    ):
        init((2**28 + 1, 2**28), index=np.s_[0, 0])


def test_runs_follow_one_another() -> None:
    """If this fails `skip` does not count elements."""
    first, second = (vs.RandomUniform(0.0, 1.0, replay.tf1(3, skip=skip)) for skip in (0, 6))
    assert not np.array_equal(first((6,)), second((6,)))
    # each element moves the counter by 256 blocks of four values
    assert np.array_equal(first((4 * 256 * 6 + 6,))[-6:], second((6,)))


@pytest.mark.parametrize("seed", [replay.tf1(1), replay.tf_keras(1), replay.keras(1), replay.keras(1, "jax")], ids=repr)
def test_fans_are_at_least_one(seed: replay.Replay) -> None:
    """If this fails a tensor without inputs, which TensorFlow and Keras scale as if it had one, is an error."""
    for init in (vs.lecun_normal(seed), vs.glorot_uniform(seed), vs.VarianceScaling(seed=seed, mode="fan_out")):
        assert init((0, 0)).shape == (0, 0)


def test_small_negative_values_of_a_graph_are_minus_zero() -> None:
    """If this fails float16 zeros have the signs of the other mode; TensorFlow's, of N(0, 1e-6) with the op seed 1."""
    graph, eager = (
        vs.RandomNormal(0.0, 1e-6, replay.tf1(1, eager=eager))((300, 300), "float16") for eager in (False, True)
    )
    assert np.array_equal(graph, eager)
    zeros = graph == 0
    assert round(float(zeros.mean()), 6) == 0.023822
    assert np.signbit(graph[zeros]).any()
    assert not np.signbit(eager[zeros]).any()


def test_seeds_are_taken_as_the_frameworks_take_them() -> None:
    """If this fails equal streams have different values: seeds modulo 2^31 - 1, int32 casts, the pair of zeros."""

    def drawn(seed: replay.Replay) -> bytes:
        return vs.RandomUniform(seed=seed)((8,)).tobytes()

    m = 2**31 - 1
    assert drawn(replay.tf1(-3)) == drawn(replay.tf1(m - 3)) == drawn(replay.tf1(-3, 87654321))
    assert drawn(replay.tf1(m, m)) == drawn(replay.tf1(0, 0)) != drawn(replay.tf1(0, 1))
    assert drawn(replay.tf1(None, 5)) == drawn(replay.tf1(0, 5)) == drawn(replay.tf1(np.int64(0), 5 + m))
    assert drawn(replay.keras(-3)) == drawn(replay.keras(m - 1 - 3)) != drawn(replay.tf_keras(-3))
    assert drawn(replay.keras(7)) == drawn(replay.tf_keras(7)) != drawn(replay.keras(7, draw=1))


REFUSED = [
    (lambda: replay.tf1("3"), TypeError, "`seed` must be an integer, got '3'"),
    (lambda: replay.tf1(True), TypeError, "`seed` must be an integer, got True"),
    (lambda: replay.tf1(1, 2.0), TypeError, "`graph_seed` must be an integer, got 2.0"),
    (lambda: replay.tf1(None), ValueError, "`seed` or `graph_seed` must be an integer, got None for both"),
    (lambda: replay.tf1(1, skip=-1), ValueError, "`skip` must be an integer that is not negative, got -1"),
    (lambda: replay.tf1(1, eager=1), TypeError, "`eager` must be True or False, got 1"),
    (lambda: replay.tf_keras(None), TypeError, "`seed` must be an integer, got None"),
    (lambda: replay.tf_keras(2**63), ValueError, "`seed` must be an integer of 64 bits, got 9223372036854775808"),
    (lambda: replay.keras(-(2**63) - 1), ValueError, "`seed` must be an integer of 64 bits"),
    (lambda: replay.keras(1, "theano"), ValueError, "`backend` must be one of 'tensorflow'"),
    (lambda: replay.keras(1, draw=-1), ValueError, "`draw` must be an integer that is not negative, got -1"),
    (lambda: replay.keras_defaults("x"), TypeError, "`global_seed` must be an integer, got 'x'"),
    (lambda: replay.keras_defaults(1, "x"), ValueError, "`backend` must be one of"),
    (
        lambda: vs.TruncatedNormal(seed=replay.tf1(1), lower=-3)((2,)),
        ValueError,
        "`lower` and `upper` must be -2 and 2 to replay",
    ),
    (
        lambda: vs.VarianceScaling(mode="fan_geo_avg", seed=replay.tf1(1))((2, 2)),
        ValueError,
        "`mode` must be 'fan_in' or",
    ),
    (
        lambda: vs.lecun_normal(replay.tf1(1), in_axis=0, out_axis=1)((2, 2)),
        ValueError,
        "`in_axis`, `out_axis` and `batch_axis`",
    ),
    (
        lambda: vs.lecun_normal(replay.keras(1), in_axis=0, out_axis=1)((2, 2, 2)),
        ValueError,
        "`in_axis`, `out_axis` and",
    ),
    (
        lambda: vs.RandomNormal(0.0, 1e-30, replay.tf1(1))((2,)),
        ValueError,
        "`mean` and `stddev` must be 0 or at least 1e-20",
    ),
    (
        lambda: vs.RandomUniform(0.0, 1e-300, replay.tf1(1))((2,), "float64"),
        ValueError,
        "`minval` and `maxval` must be 0",
    ),
    (
        lambda: vs.lecun_normal(replay.tf1(1)).fold_in("a"),
        ValueError,
        "`fold_in` must be called on a seed that folds, got <replay.tf1",
    ),
    (lambda: vs.lecun_normal(replay.keras_defaults(1)), TypeError, "`seed` must be an integer, got <generator"),
    (lambda: vs.set_random_seed(replay.tf1(1)), TypeError, "`seed` must be an integer, got <replay.tf1"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_has_no_replay_is_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    """If this fails something that the framework does not have, or that is no argument, gives values."""
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        call()


def test_an_unproven_c_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails float64 normals come from whatever `log` and `sincos` a machine has."""
    monkeypatch.setattr(_tensorflow, "libm_is_proven", lambda: False)
    for init in (vs.lecun_normal(replay.tf1(1)), vs.RandomNormal(seed=replay.keras(1))):
        with pytest.raises(
            ValueError, match=r"^`dtype` must be 16- or 32-bit on this machine, whose C library is not glibc"
        ):
            init((2, 2), "float64")
        assert init((2, 2), "float32").shape == (2, 2)
    assert vs.lecun_uniform(replay.tf1(1))((2, 2), "float64").shape == (2, 2)
