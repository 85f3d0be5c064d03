"""Replays of torch, and of Keras 3 on torch and on NumPy: known answers, positions, and what is refused."""

from __future__ import annotations

import math
import re

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from oracle.answers import known_answers
from varscale import replay

pytestmark = pytest.mark.known_answers

DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
RULES = {
    "uniform_(0,1)": vs.RandomUniform(0.0, 1.0),
    "normal_(0,1)": vs.RandomNormal(0.0, 1.0),
    "trunc_normal_(0,1,-2,2)": vs.TruncatedNormal(0.0, 1.0),
}
QUESTION = re.compile(r"(?P<rule>\S+)(?: n=(?P<n>\d+))?.* S=(?P<seed>-?\d+) (?P<dtype>\w+)")
ANSWERS = known_answers("torch")
KERAS = (replay.keras(42, backend="torch"), replay.keras(42, backend="numpy"))


def raw(array: NDArray[np.generic]) -> list[int]:
    return array.view(f"u{array.itemsize}").ravel().tolist()


def seeded(init: vs.Initializer, seed: replay.Replay, **changes: object) -> vs.Initializer:
    return type(init).from_config(init.get_config() | changes | {"seed": seed})


def test_there_are_known_answers() -> None:
    """If this fails the next test tests nothing."""
    assert len(ANSWERS) == 27


@pytest.mark.parametrize(("question", "bits"), ANSWERS, ids=lambda value: str(value)[:60])
def test_known_answers(question: str, bits: NDArray[np.unsignedinteger]) -> None:
    """If this fails a replay gives other bits than torch itself gave."""
    asked = QUESTION.fullmatch(question)
    assert asked is not None
    seed, dtype = replay.torch(int(asked["seed"])), DTYPES[asked["dtype"]]
    if asked["rule"].startswith("nn.Linear"):
        array = seed.draws().linear(4, 2, dtype=dtype)[asked["rule"].endswith("bias")]
    else:
        array = seeded(RULES[asked["rule"]], seed)((int(asked["n"]),), dtype)
    assert raw(array)[:8] == bits.tolist()


@pytest.mark.parametrize(
    ("init", "dtype", "size", "words"),
    [
        (RULES["uniform_(0,1)"], "bfloat16", 17, 17),
        (RULES["uniform_(0,1)"], "float64", 17, 34),
        (RULES["normal_(0,1)"], "float32", 64, 64),
        (RULES["normal_(0,1)"], "float32", 65, 65 + 16),
        (RULES["normal_(0,1)"], "float16", 65, 64 + 16),
        (RULES["normal_(0,1)"], "float64", 65, 2 * (65 + 16)),
        (RULES["normal_(0,1)"], "float32", 14, 28),
        (RULES["normal_(0,1)"], "float32", 0, 0),
    ],
)
def test_words_that_a_draw_takes(init: vs.Initializer, dtype: str, size: int, words: int) -> None:
    """If this fails `skip` does not mean what its documentation says."""
    draws = replay.torch(3, skip=100).draws()
    draws(init, (size,), dtype)
    assert draws.position == replay.torch(3, skip=100 + words)


def test_a_kept_value_lasts_until_the_next_short_draw() -> None:
    """If this fails the second value of a pair is lost, or taken by a tensor that torch does not give it to."""
    normal, uniform = RULES["normal_(0,1)"], RULES["uniform_(0,1)"]
    pair = seeded(normal, replay.torch(5))((2,))
    draws = replay.torch(5).draws()
    assert draws(normal, (1,)).tolist() == pair[:1].tolist()
    assert draws.position == replay.torch(5, skip=4, spare=0)
    draws(uniform, (7,))
    draws(normal, (16,))
    assert draws.position == replay.torch(5, skip=27, spare=0)
    assert draws(normal, (1,)).tolist() == pair[1:].tolist()
    assert draws.position == replay.torch(5, skip=27)
    draws(normal, (15,))
    assert draws.position == replay.torch(5, skip=59, spare=55)


def test_draws_are_no_seed_and_take_none() -> None:
    """If this fails what changes at every use is taken for what stays the same."""
    draws = replay.torch(1).draws()
    with pytest.raises(TypeError, match="`seed` must be an integer"):
        vs.RandomNormal(seed=draws)
    with pytest.raises(ValueError, match="`initializer` must have neither seed nor path"):
        draws(vs.RandomNormal(seed=1), (3,))
    with pytest.raises(ValueError, match="`initializer` must have neither seed nor path"):
        draws(vs.RandomNormal().fold_in("a"), (3,))
    with pytest.raises(TypeError, match="`initializer` must be a random initializer"):
        draws(vs.Zeros(), (3,))
    assert iter(draws) is draws
    assert draws.position == replay.torch(1)
    assert [next(draws), next(draws)] == seeded(RULES["uniform_(0,1)"], replay.torch(1))((2,)).tolist()


def test_linear_as_torch_makes_it() -> None:
    """If this fails a layer's bias does not follow its weight, or an option of `nn.Linear` is another one here."""
    draws = replay.torch(0).draws()
    weight, bias = draws.linear(3, 5)
    assert weight.shape == (5, 3)
    assert bias is not None
    assert bias.shape == (5,)
    assert draws.position == replay.torch(0, skip=20)
    assert replay.torch(0).draws().linear(3, 5, bias=False, dtype="bfloat16")[1] is None
    bias = replay.torch(0).draws().linear(3, 5, dtype="float64")[1]
    bound = 1 / math.sqrt(3)  # the weight's is one last place below
    assert bias is not None
    assert raw(bias) == raw(vs.RandomUniform(-bound, bound, replay.torch(0, skip=30))((5,), "float64"))
    assert [array.shape for array in draws.linear(0, 5)] == [(5, 0), (5,)]
    with pytest.raises(ValueError, match="`out_features`"):
        draws.linear(3, -1)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("law", ["uniform", "untruncated_normal"])
def test_scales_are_torchs_own_formulas(mode: str, law: str) -> None:
    """If this fails kaiming_* or xavier_* scale otherwise: the same draw with the scale written out is equal."""
    gain, shape = 5.0 / 3, (7, 5, 3)
    fan_in, fan_out = 15, 21
    std = gain * math.sqrt(2.0 / (fan_in + fan_out)) if mode == "fan_avg" else gain / math.sqrt(locals()[mode])
    bound = math.sqrt(3.0) * std
    seed = replay.torch(8)
    plain = vs.RandomUniform(-bound, bound, seed) if law == "uniform" else vs.RandomNormal(0.0, std, seed)
    scaled = vs.VarianceScaling(gain * gain, mode, law, seed, in_axis=1, out_axis=0)
    assert raw(scaled(shape)) == raw(plain(shape))


@pytest.mark.parametrize("dtype", sorted(DTYPES.values()))
@pytest.mark.parametrize("init", [*RULES.values(), vs.TruncatedNormal(0.3, 0.7, lower=1.0, upper=3.0)])
@pytest.mark.parametrize("seed", [replay.torch(4), replay.torch(4, cpu_capability="default"), *KERAS])
def test_any_memory_order_has_the_contiguous_values(init: vs.Initializer, seed: replay.Replay, dtype: str) -> None:
    """If this fails a transposed or strided `out` is filled with other values, or with some of them twice."""
    if seed in KERAS and init.get_config().get("lower", -2.0) != -2.0:
        init = RULES["normal_(0,1)"]
    init = seeded(init, seed)
    expected = init((301, 233), dtype)
    transposed = np.empty((233, 301), expected.dtype).T
    strided = np.empty((602, 699), expected.dtype)[::-2, ::3]
    for out in (transposed, strided):
        assert init((301, 233), out=out) is out
        assert (out == expected).all()


@pytest.mark.parametrize("size", [*range(70), 2**16 - 1, 2**16 + 1, 2**16 + 15, 2**16 + 17, 200_003])
def test_one_value_for_each_number_of_threads(size: int) -> None:
    """If this fails the walk of the generator depends on who takes which part first."""
    count = vs.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            vs.set_num_threads(threads)
            for init in (*RULES.values(), vs.TruncatedNormal(0.0, 1.0, lower=1.0, upper=3.0)):
                found.append(
                    [raw(seeded(init, replay.torch(size))((size,), dtype)) for dtype in ("float32", "float16")]
                )
            found.append(raw(seeded(RULES["trunc_normal_(0,1,-2,2)"], KERAS[0])((size,))))
    finally:
        vs.set_num_threads(count)
    assert found[:5] == found[5:10] == found[10:]


def test_truncated_values_are_in_bounds() -> None:
    """If this fails a value out of bounds is not redrawn."""
    for low, high in ((-2.0, 2.0), (1.0, 3.0), (-0.1, 0.2), (-math.inf, 0.5)):
        values = vs.TruncatedNormal(0.5, 2.0, replay.torch(1), lower=low, upper=high)((100_001,))
        assert np.float32(0.5 + 2.0 * low) <= values.min()
        assert values.max() <= np.float32(0.5 + 2.0 * high)


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (vs.lecun_normal(), r"`distribution` must be 'untruncated_normal' or 'uniform' to replay torch-2.15"),
        (vs.VarianceScaling(1.0, "fan_geo_avg", "uniform", in_axis=1, out_axis=0), "`mode`"),
        (vs.VarianceScaling(1.0, "fan_in", "uniform"), "`in_axis`, `out_axis` and `batch_axis` must be 1, 0"),
        (vs.TruncatedNormal(0.0, 0.0), r"`stddev` must be at least 1.18e-38, for float32 to tell values apart"),
        # float32 rounds this mean down and the lower bound up, so that torch never finds a value within.
        (vs.TruncatedNormal(1e12 + 28671, 2.0, lower=1.1, upper=9.0), r"`stddev` must be at least 1\.38e\+05"),
        (vs.TruncatedNormal(lower=3.0, upper=1e9), r"`lower` and `upper` must be closer .*torch keeps 0\.0003,"),
        (vs.TruncatedNormal(lower=1.0, upper=math.inf), "`lower` and `upper` must be finite"),
        (vs.RandomUniform(-3e38, 3e38), "`minval` and `maxval` must be closer together"),
    ],
)
def test_what_torch_has_not_is_refused(init: vs.Initializer, message: str) -> None:
    """If this fails values are drawn that torch would not draw."""
    with pytest.raises(ValueError, match=message):
        seeded(init, replay.torch(1))((3, 4))


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("nearer", [0.6, 3.0, 9.0, 30.0])
def test_truncated_laws_that_end(nearer: float, sign: int) -> None:
    """If this fails a law is drawn for days, or refused although torch keeps a value in 10^6."""
    integral = (
        mpmath.sqrt(mpmath.pi / 2) * mpmath.erfc(nearer / mpmath.sqrt(2)) * mpmath.exp(mpmath.mpf(nearer) ** 2 / 2)
    )

    def draw(width: float) -> None:
        lower, upper = sorted((sign * nearer, sign * (nearer + width)))
        # Of no elements, so that only the law is looked at.
        vs.TruncatedNormal(0.0, 1.0, replay.torch(1), lower=lower, upper=upper)((0,))

    for width in (1e-14 * nearer, 1e-9, 1.0, 0.999e6 * float(integral)):
        draw(width)
    with pytest.raises(
        ValueError, match=r"`lower` and `upper` must be closer together: of 10\^6 values torch keeps 1,"
    ):
        draw(1.001e6 * float(integral))


@pytest.mark.parametrize("seed", [replay.torch(1), *KERAS])
def test_no_parts(seed: replay.Replay) -> None:
    """If this fails a part is drawn as though elements were independent, or a path is ignored."""
    init = vs.RandomNormal(seed=seed)
    for part in (
        {"index": 1},
        {"index": [0, 0, 0]},
        {"index": np.s_[::-1]},
        {"partition_shape": (1, 4), "partition_offset": (0, 0)},
    ):
        with pytest.raises(ValueError, match="`shape` must be the whole tensor's"):
            init((3, 4), **part)
    with pytest.raises(ValueError, match="`shape` must be the whole tensor's"):
        init((1, 4), None, vs.PartitionInfo((3, 4), (1, 0)))
    with pytest.raises(ValueError, match="`fold_in`"):
        init.fold_in("a")
    with pytest.raises(ValueError, match="`shape` must be the whole tensor's"):
        init.lazy((3, 4))[0]
    for whole in (np.asarray(init.lazy((3, 4))), init((3, 4), None, vs.PartitionInfo((3, 4), (0, 0)))):
        assert (whole == init((3, 4))).all()
    assert (init((1, 4), index=0) == init((1, 4))[0]).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": 2**64}, ValueError, "`seed` must be from"),
        ({"seed": 1.5}, TypeError, "`seed` must be an integer"),
        ({"seed": True}, TypeError, "`seed` must be an integer"),
        ({"seed": 1, "skip": -1}, ValueError, "`skip`"),
        ({"seed": 1, "skip": 2**63 + 1}, ValueError, "`skip`"),
        ({"seed": 1, "cpu_capability": "avx512"}, ValueError, "`cpu_capability` must be one of 'avx2', 'default'"),
        ({"seed": 1, "skip": 3, "spare": 0}, ValueError, "`spare`"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    """If this fails a seed that torch refuses, or a place that no generator has, is taken."""
    with pytest.raises(error, match=message):
        replay.torch(**arguments)


@pytest.mark.parametrize(
    ("backend", "seed", "draw"), [("torch", 2**31, 1), ("torch", 1, 2**31), ("numpy", -3, 0), ("numpy", 2**32, 0)]
)
def test_seeds_that_keras_refuses(backend: str, seed: int, draw: int) -> None:
    """If this fails a seed is taken with which Keras on this backend raises an error."""
    with pytest.raises(ValueError, match=r"`(seed|draw)` must be"):
        replay.keras(seed, backend=backend, draw=draw)


def test_draws_of_a_generator_differ() -> None:
    """If this fails `draw` is ignored, or Keras on torch does not add it to the seed as it does."""
    init = RULES["normal_(0,1)"]
    assert raw(seeded(init, replay.keras(4, "torch", 2))((3, 3))) == raw(seeded(init, replay.torch(6))((3, 3)))
    first, second = (seeded(init, replay.keras(4, "numpy", draw))((3, 3)) for draw in (0, 1))
    assert (first != second).any()
    expected = np.random.default_rng(np.array([4, 1], np.uint32)).normal(size=(3, 3)).astype(np.float32)
    assert raw(second) == raw(expected)


def test_truncated_values_of_keras_on_numpy() -> None:
    """If this fails a value of Keras on NumPy lies beyond two standard deviations, or is not the next within them."""
    drawn = np.random.default_rng(np.array([4, 0], np.uint32)).normal(0.5, 2.0, 1000)
    inside = drawn[abs(drawn - 0.5) <= 4.0].astype(np.float32)
    found = vs.TruncatedNormal(0.5, 2.0, replay.keras(4, "numpy"))((1000,))
    assert found[: inside.size].tolist() == inside.tolist()
    assert (abs(found - np.float32(0.5)) <= 4.0).all()
