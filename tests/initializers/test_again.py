"""Small calls that repeat: one crossing makes what all steps would."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from oracle.core import fill
from oracle.reference import DTYPES, identity
from varscale import _core, replay

CASES = [
    ("lecun_normal", vs.lecun_normal(7)),
    ("uniform", vs.RandomUniform(-1.0, 3.0, 7)),
    ("normal, folded", vs.RandomNormal(1.0, 2.0, 7).fold_in("a", 3)),
    ("other bounds", vs.TruncatedNormal(0.0, 1.0, 7, lower=-3.0, upper=1.0)),
    ("log uniform", vs.LogUniform(0.1, 3.0, 7)),
    ("replay", vs.RandomUniform(0.0, 1.0, replay.torch(7))),
    ("pieces", vs.Pieces([(..., vs.RandomNormal()), (slice(0, 1), vs.Zeros())], 7)),
    ("constant", vs.Constant(3.0)),
]
SHAPES: list[tuple[int, ...]] = [(16, 16), (1,), (3, 0), (5, 7, 3), (64, 256), (64, 257), (128, 257)]


def fresh(init: Any) -> Any:
    """The same initializer, which remembers nothing."""
    return pickle.loads(pickle.dumps(init))


@pytest.mark.parametrize(
    ("init", "dtype"),
    [
        pytest.param(init, dtype, id=f"{name}-{dtype}")
        for name, init in CASES
        for dtype in (None, *DTYPES)
        if name != "replay" or "float8" not in str(dtype)  # no framework draws them
    ],
)
def test_the_second_call_makes_what_the_first_made(init: Any, dtype: str | None) -> None:
    """If this fails a repeated call has other values, another dtype, or the array of an earlier call."""
    for shape in SHAPES:
        # A call with an index never takes the short way.
        expected = fresh(init)(shape, dtype, index=(slice(None),) * len(shape))
        arrays = [init(shape, dtype) for _ in range(3)]
        for array in arrays:
            assert array.tobytes() == expected.tobytes()
            assert (array.dtype, array.shape, type(array)) == (expected.dtype, shape, np.ndarray)
            assert array.flags.owndata or array.nbytes > 1 << 16
            assert array.flags.carray
        assert not any(np.may_share_memory(arrays[0], array) for array in arrays[1:] if array.size)


@pytest.mark.parametrize("dtype", DTYPES)
def test_repeated_values_are_the_streams(dtype: str) -> None:
    """If this fails the short way draws from another stream, or places or rounds otherwise."""
    init = vs.RandomNormal(1.0, 2.0, 7, dtype).fold_in("a")
    for shape in ((3,), (50, 50), (100, 81)):
        expected = fill("normal", dtype, shape, identity(None, 7, ("a",)), loc=1.0, scale=2.0)
        for _ in range(3):
            assert init(shape).tobytes() == expected.tobytes()


def test_sizes_that_only_equal_integers() -> None:
    """If this fails a bool or a float is taken for the size that an earlier call had, or a subclass is asked."""
    init = vs.lecun_normal(7)
    expected = init((1, 16))
    for shape in ((True, 16), (1.0, 16), (1, np.float64(16))):
        with pytest.raises(TypeError, match="`shape` must hold integers only"):
            init(shape)  # type: ignore[arg-type]
    for legal in ([1, 16], (np.int64(1), 16), np.array([1, 16])):
        assert init(legal).tobytes() == expected.tobytes()  # type: ignore[arg-type]

    class Odd(tuple):  # type: ignore[type-arg]
        __slots__ = ()

        def __hash__(self) -> int:
            raise RuntimeError("asked")

    assert init(Odd((1, 16))).tobytes() == expected.tobytes()


def test_dtypes_that_an_out_or_a_word_tells() -> None:
    """If this fails a call without a dtype gets the dtype of an earlier `out`, or a word means another dtype."""
    init = vs.lecun_normal(7)
    wide = init((4, 4), out=np.empty((4, 4), np.float64))
    for _ in range(2):
        assert init((4, 4)).dtype == np.float32
        assert init((4, 4), out=wide) is wide
        assert (init((4, 4), "double") == wide).all()
        assert init((4, 4), "half").dtype == np.float16
        with pytest.raises(ValueError, match="`out` must have the dtype 'float32'"):
            init((4, 4), "float32", out=wide)
        with pytest.raises(ValueError, match="`dtype` must be a floating-point or complex dtype"):
            init((4, 4), "int8")


@pytest.mark.thread_unsafe(reason="sets the process's global seed")
def test_seeds_that_change_between_two_calls() -> None:
    """If this fails a call repeats the values of another seed, of another path, or of no global seed."""
    init = vs.RandomNormal(0.0, 1.0, 7)
    unseeded = vs.RandomNormal(0.0, 1.0)

    def name_of(made: NDArray[Any]) -> tuple[int | None, int | None, tuple[str, ...]]:
        names = [(g, s, p) for g in (None, 5, 6) for s in (None, 7, 8) for p in ((), ("a",))]
        return next(n for n in names if made.tobytes() == fill("normal", "float32", (4,), identity(*n)).tobytes())

    for seed in (None, 5, None, 6, 5):
        vs.set_random_seed(seed)
        for _ in range(2):
            assert name_of(init((4,))) == (seed, 7, ())
            assert name_of(init.fold_in("a")((4,))) == (seed, 7, ("a",))
            assert name_of(init._with_seed(8)((4,))) == (seed, 8, ())
            replayed = init._with_seed(replay.jax(3))
            assert replayed((4,)).tobytes() == vs.RandomNormal(0.0, 1.0, replay.jax(3))((4,)).tobytes()
            if seed is not None:
                assert name_of(unseeded.fold_in("a")((4,))) == (seed, None, ("a",))
        draws = {unseeded((4,)).tobytes() for _ in range(5)} | {unseeded.fold_in("b")((4,)).tobytes() for _ in range(3)}
        assert len(draws) == (8 if seed is None else 6)
    vs.set_random_seed(5)
    numbered = [unseeded((4,)).tobytes() for _ in range(4)]
    vs.set_random_seed(5)
    assert [unseeded((4,)).tobytes() for _ in range(4)] == numbered


def test_arrays_that_are_filled_again() -> None:
    """If this fails an `out` in another order, of another shape or kind, or read-only, is written like a plain one."""
    init = vs.lecun_normal(7)
    expected = init((6, 6)).copy()
    for _ in range(2):
        plain = np.zeros((6, 6), np.float32)
        assert init((6, 6), out=plain) is plain
        assert (plain == expected).all()
        around = np.zeros((12, 12), np.float32)
        for view in (around[::2, 1::2], around[3:9, 3:9], around[:6, :6].T, around[6:, 6:][::-1]):
            around[...] = 0
            assert init((6, 6), out=view) is view
            assert (view == expected).all()
            assert np.count_nonzero(around) == np.count_nonzero(expected)
        matrix = np.zeros((6, 6), np.float32).view(np.matrix)
        assert init((6, 6), out=matrix) is matrix
        assert (np.asarray(matrix) == expected).all()
        plain.flags.writeable = False
        with pytest.raises(ValueError, match="not writable"):
            init((6, 6), out=plain)
        for wrong in (np.zeros((6, 5), np.float32), np.zeros(36, np.float32)):
            with pytest.raises(ValueError, match="`out` must have the shape"):
                init((6, 6), out=wrong)
        with pytest.raises(ValueError, match="not aligned"):
            init((6, 6), out=np.frombuffer(bytearray(145), np.float32, 36, 1).reshape(6, 6))
        with pytest.raises(TypeError, match="`out` must be a NumPy array"):
            init((6, 6), out=[0.0] * 36)  # type: ignore[arg-type]


def test_empty_arrays_at_any_address() -> None:
    """If this fails an empty `out` that lies between two floats is an error the second time."""
    init = vs.RandomNormal(seed=7)
    nothing = np.zeros(12, np.uint8)[1:9].view(np.float32)[:0]
    for _ in range(3):
        assert init((0,), out=nothing) is nothing


def test_copies_have_laws_of_their_own() -> None:
    """If this fails an initializer with other axes, or a copy, makes what the first one remembers."""
    init = vs.lecun_normal(7)
    init((4, 9))
    other = vs.lecun_normal(7, in_axis=1, out_axis=0)
    assert abs(other((4, 9)).std() - init((4, 9)).std()) > 0.05
    assert init._with_axes(1, 0)((4, 9)).tobytes() == other((4, 9)).tobytes()
    by_hand = vs.lecun_normal(7, fan_in=100)
    assert init._with_fans(fan_in=100, fan_out=None)((4, 9)).tobytes() == by_hand((4, 9)).tobytes()
    for made in (copy.copy(init), copy.deepcopy(init), fresh(init)):
        assert made((4, 9)).tobytes() == init((4, 9)).tobytes()


def test_parts_are_not_the_whole() -> None:
    """If this fails a tensor is that part of a larger one which an earlier call made, or the other way round."""
    init = vs.lecun_normal(7)
    tensor = fresh(init)((6, 4))
    for _ in range(2):
        assert (init((6, 4), index=slice(3, 6)) == tensor[3:]).all()
        assert (init((6, 4), partition_shape=(3, 4), partition_offset=(3, 0)) == tensor[3:]).all()
        assert (init((3, 4), None, vs.PartitionInfo((6, 4), (3, 0))) == tensor[3:]).all()
        assert (init((3, 4)) == fresh(init)((3, 4))).all()


def test_a_subclass_with_a_call_of_its_own() -> None:
    """If this fails a user's call is passed by."""

    class Tripled(vs.RandomNormal):
        def __call__(self, *arguments: Any, **keywords: Any) -> Any:
            return 3 * super().__call__(*arguments, **keywords)

    init = Tripled(0.0, 1.0, 7)
    for _ in range(3):
        assert (init((3,)) == 3 * vs.RandomNormal(0.0, 1.0, 7)((3,))).all()


def test_memory_of_many_shapes_is_bounded() -> None:
    """If this fails an initializer keeps something for every shape that it has ever made."""
    init = vs.lecun_normal(7)
    for size in range(2000):
        init((size, 1))
    assert len(init._tensors) <= 256
    assert init((3, 1)).tobytes() == vs.lecun_normal(7)((3, 1)).tobytes()


def test_what_the_core_refuses() -> None:
    """If this fails memory of another size than the tensor's, or objects, are written as numbers."""
    plan = ("normal", (-2.0, 2.0), 0.0, 1.0, -np.inf, np.inf)
    float32 = np.dtype(np.float32)
    for dtype in (np.float64, np.float16, object):
        with pytest.raises(ValueError, match="`dtype` must be the element's, got"):
            _core.Tensor((3,), np.dtype(dtype), "float32", plan)
    with pytest.raises(ValueError, match="`dtype` must be the element's, got object"):
        _core.Tensor((3,), np.dtype(object), "float64", plan)
    for shape in ((2**16 + 1,), (2**40, 2**40), (2**62, 4, 0), (-1,)):
        with pytest.raises(ValueError, match="`shape` must have at most 65536 elements"):
            _core.Tensor(shape, float32, "float32", plan)
    with pytest.raises(ValueError, match="`element` must be float8_e4m3fn"):
        _core.Tensor((3,), float32, "float8", plan)
    with pytest.raises(ValueError, match="`law` must be uniform"):
        _core.Tensor((3,), float32, "float32", ("cauchy", *plan[1:]))
    tensor = _core.Tensor((3,), float32, "float32", plan)
    with pytest.raises(ValueError, match="16"):
        tensor(b"short")
