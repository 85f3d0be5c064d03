"""Every way to name a part gives exactly that slice of the full tensor, with the full tensor's fans."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import varscale as vs
from oracle.parts import Box, boxed, boxes

INITIALIZERS = (
    vs.lecun_normal(3),
    vs.VarianceScaling(2.0, "fan_avg", "uniform", 3, "bfloat16"),
    vs.TruncatedNormal(1.0, 2.0, 3, "float64", lower=-1.0, upper=3.0),
    vs.RandomUniform(-1, 2, 3, "float16"),
    vs.Constant(3.5),
    vs.Zeros("int8"),
    vs.Ones(bool),
)


@settings(max_examples=300, deadline=None)
@given(boxes(inside=True), st.sampled_from(INITIALIZERS))
def test_all_ways_give_the_slice(box: Box, init: vs.Initializer) -> None:
    """If this fails a partitioned variable differs from the whole one: TensorFlow's own fault."""
    full, offset, part = box
    expected = boxed(init(full), box).tobytes()
    info = vs.PartitionInfo(full, offset)
    assert init(part, None, info).tobytes() == expected  # type: ignore[call-arg]
    assert (
        init(part, partition_info=SimpleNamespace(full_shape=list(full), var_offset=list(offset))).tobytes() == expected
    )  # type: ignore[call-arg]
    assert init(full, partition_shape=part, partition_offset=offset).tobytes() == expected  # type: ignore[call-arg]
    out = np.empty(part, init(()).dtype)
    assert init(part, None, info, out=out) is out  # type: ignore[call-arg]
    assert out.tobytes() == expected


@given(boxes(inside=True, rank=2))
def test_identity_parts_are_slices(box: Box) -> None:
    """If this fails the diagonal of a partitioned identity is broken."""
    full, offset, part = box
    expected = boxed(np.eye(*full, dtype=np.float32) * 2, box)
    assert np.array_equal(vs.Identity(2.0)(part, None, vs.PartitionInfo(full, offset)), expected)


def test_shards_are_neither_alike_nor_scaled_by_their_own_fan() -> None:
    """If this fails shards repeat each other (TensorFlow 1) or take the fan of the shard (TensorFlow 2)."""
    init = vs.lecun_normal(1)
    shards = [init((100, 64), None, vs.PartitionInfo((10_000, 64), (100 * i, 0))) for i in range(100)]
    assert len({shard.tobytes() for shard in shards}) == 100
    assert abs(np.concatenate(shards).std() * 100 - 1) < 0.01


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"partition_info": vs.PartitionInfo((4, 4), (0, 0)), "partition_shape": (2, 2)}, TypeError, "in one way"),
        ({"partition_info": vs.PartitionInfo((4, 4), (0, 0)), "partition_offset": (0, 0)}, TypeError, "in one way"),
        ({"partition_shape": (2, 2)}, TypeError, "must be given together"),
        ({"partition_offset": (2, 2)}, TypeError, "must be given together"),
        ({"partition_info": (4, 4)}, TypeError, "must have `full_shape` and `var_offset`"),
        ({"partition_info": vs.PartitionInfo((4, 4), (1, 0))}, ValueError, "must lie inside the tensor"),
        ({"partition_info": vs.PartitionInfo((4,), (0,))}, ValueError, "must have the rank of the tensor"),
        ({"partition_shape": (5, 1), "partition_offset": (0, 0)}, ValueError, "must lie inside the tensor"),
        ({"partition_shape": (1,), "partition_offset": (0,)}, ValueError, "must have the rank of the tensor"),
        ({"partition_shape": (1, 1), "partition_offset": (-1, 0)}, ValueError, "must not hold negative sizes"),
        ({"partition_shape": (1, 1), "partition_offset": (0.0, 0)}, TypeError, "must hold integers only"),
    ],
)
@pytest.mark.parametrize("init", [vs.lecun_normal(1), vs.Zeros()])
def test_wrong_parts_are_refused(
    init: vs.Initializer, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    """If this fails a wrong part silently gives other values."""
    with pytest.raises(error, match=message):
        init((4, 4), **arguments)  # type: ignore[call-arg]


def test_too_large_a_tensor_is_refused_before_anything_is_made() -> None:
    """If this fails element numbers wrap around the stream."""
    with pytest.raises(ValueError, match=r"at most 2\^64 elements"):
        vs.lecun_normal(1)((2**40, 2**25), partition_shape=(1, 1), partition_offset=(0, 0))
    assert vs.lecun_normal(1)((2**40, 2**24), partition_shape=(1, 1), partition_offset=(2**40 - 1, 5)).shape == (1, 1)


@pytest.mark.parametrize(
    ("full", "offset", "error"),
    [
        ((4,), (4,), ValueError),
        ((4, 4), (0,), ValueError),
        ((4,), (-1,), ValueError),
        (4, (0,), TypeError),
        ((4,), 0, TypeError),
        ((4.0,), (0,), TypeError),
    ],
)
def test_partition_info_checks_itself(full: object, offset: object, error: type[Exception]) -> None:
    """If this fails a wrong offset is found only where it is used, or never."""
    with pytest.raises(error, match=r"full_shape|var_offset"):
        vs.PartitionInfo(full, offset)  # type: ignore[arg-type]


def test_partition_info_is_a_value() -> None:
    """If this fails it cannot be compared, hashed, printed, pickled, or can be changed under way."""
    info = vs.PartitionInfo([4, 5], np.array([1, 2]))
    assert info == vs.PartitionInfo((4, 5), (1, 2)) == pickle.loads(pickle.dumps(info)) == eval(repr(info), vars(vs))
    assert hash(info) == hash(vs.PartitionInfo((4, 5), (1, 2)))
    assert info != vs.PartitionInfo((4, 5), (1, 3))
    with pytest.raises(AttributeError, match="immutable"):
        info.full_shape = (1, 1)
