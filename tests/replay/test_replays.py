"""What all replays share: immutable, hashable, in configs, and in a seed's place everywhere."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import varscale as vs
from varscale import replay
from varscale._sources.request import Law

pytestmark = pytest.mark.known_answers

# Two equal ones and another one of every maker.
MAKERS: list[Callable[[int], replay.Replay]] = [
    replay.tf1,
    lambda seed: replay.tf1(seed, 7, skip=3, eager=True),
    replay.tf_keras,
    replay.keras,
    lambda seed: replay.keras(seed, "tensorflow", 2),
    replay.jax,
    lambda seed: replay.jax(seed, True, jit=True, partitionable=False, fused_half=True),
    lambda seed: replay.keras(seed, "jax", 2),
    replay.torch,
    lambda seed: replay.torch(seed, 8, "default", spare=4),
    lambda seed: replay.keras(seed, "torch", 2),
    lambda seed: replay.keras(seed, "numpy", 2),
]


@pytest.mark.parametrize("maker", MAKERS)
def test_an_immutable_description(maker: Callable[[int], replay.Replay]) -> None:
    """If this fails a replay is not what an integer seed is: equal, hashable, fixed, the same in another process."""
    seed, equal, other = maker(3), maker(np.int64(3)), maker(4)
    assert seed == equal != other
    assert hash(seed) == hash(equal)
    assert len({seed, equal, other}) == 2
    assert pickle.loads(pickle.dumps(seed)) == copy.deepcopy(seed) == seed
    with pytest.raises(AttributeError):
        seed.seed = 4  # type: ignore[attr-defined]
    assert seed.version in repr(seed)
    assert f"replay.{seed.name}(" in repr(seed)


@pytest.mark.parametrize("maker", MAKERS)
def test_inside_an_initializers_config(maker: Callable[[int], replay.Replay]) -> None:
    """If this fails a model's config loses what its weights were made of."""
    init = vs.VarianceScaling(2.0, "fan_out", "uniform", maker(3))
    again = vs.deserialize(json.loads(json.dumps(vs.serialize(init))))
    assert again == init
    assert again.seed == init.seed == maker(3)
    assert hash(again) == hash(init)
    assert again((4, 4)).tobytes() == init((4, 4)).tobytes() == pickle.loads(pickle.dumps(init))((4, 4)).tobytes()
    assert (
        init
        != vs.VarianceScaling(2.0, "fan_out", "uniform", maker(4))
        != vs.VarianceScaling(2.0, "fan_out", "uniform", 3)
    )
    assert repr(maker(3)) in repr(init)
    assert init.get_config()["seed"]["config"]["version"] == maker(3).version
    lazy = pickle.loads(pickle.dumps(init.lazy((4, 4))))
    assert lazy == init.lazy((4, 4))
    assert np.asarray(lazy).tobytes() == init((4, 4)).tobytes()


@pytest.mark.parametrize("maker", MAKERS)
def test_another_version_is_refused(maker: Callable[[int], replay.Replay]) -> None:
    """If this fails a config written for other numbers silently gives these."""
    config = maker(3).serialize()
    assert replay.deserialize(config) == maker(3)
    config["config"]["version"] = "tensorflow-1.15"
    message = f"^`version` must be '{maker(3).version}', the one that is replayed, got 'tensorflow-1.15'"
    with pytest.raises(ValueError, match=message):
        replay.deserialize(config)
    with pytest.raises(ValueError, match=message):
        vs.lecun_normal.from_config({"seed": config})


def test_other_configs_are_refused() -> None:
    """If this fails a wrong config is taken for a replay, or fails with a riddle."""
    for config, error, message in (
        ({"class_name": "SeedGenerator", "config": {"seed": 1}}, ValueError, "`seed` must be the config of 'jax' or"),
        ({"class_name": ["tf1"]}, ValueError, "`seed` must be the config of"),
        ({"class_name": "tf1", "config": {"sed": 1}}, TypeError, r"`config` of tf1 has unknown keys \['sed'\]"),
        ({"class_name": "tf1", "config": {"seed": 1}, "more": 2}, TypeError, r"`config` of seed has unknown keys"),
        ({"class_name": "tf1", "config": {"skip": 1}}, TypeError, "seed"),
        (3, TypeError, "`config` of seed must be a mapping, got 3"),
    ):
        with pytest.raises(error, match=message):
            replay.deserialize(config)  # type: ignore[arg-type]


def test_every_public_name_is_documented() -> None:
    """If this fails `help()` says nothing about a replay, or `__all__` promises what is not there."""
    assert sorted(replay.__all__) == list(replay.__all__)
    for name in replay.__all__:
        assert len(getattr(replay, name).__doc__) > 100


def test_descriptions_need_no_stream() -> None:
    """If this fails `describe` depends on the seed."""
    assert vs.lecun_normal(replay.tf1(1)).describe((3, 4)) == vs.lecun_normal(1).describe((3, 4))


def test_a_users_subclass_takes_a_replay() -> None:
    """If this fails a subclass of ours cannot draw a framework's numbers."""

    class Halved(vs.lecun_normal):
        def __call__(self, *args: object, **kwargs: object) -> np.ndarray:
            return super().__call__(*args, **kwargs) / 2

    init = Halved(replay.tf1(3))
    assert Halved.from_config(init.get_config()) == init
    assert np.array_equal(init((3, 4)) * 2, vs.lecun_normal(replay.tf1(3))((3, 4)))


def test_what_was_folded_in_before_counts() -> None:
    """If this fails a path is forgotten where a seed is replaced, or a replay seeds what it cannot fold."""
    folded = vs.lecun_normal().fold_in(5)
    assert folded._with_seed(replay.jax(0)) == vs.lecun_normal(replay.jax(0).fold_in(5))
    assert folded._with_seed(3) == vs.lecun_normal(3).fold_in(5)
    with pytest.raises(ValueError, match="`seed` must be an integer or None where parameters have names"):
        vs.Model({"w": ((3, 4), None, folded)}, layout="keras").init(replay.tf1(1))


@pytest.mark.parametrize("maker", MAKERS)
def test_fans_by_hand_are_those_of_the_framework_or_refused(maker: Callable[[int], replay.Replay]) -> None:
    """If this fails a replay draws with fans that its framework would never compute, and says nothing."""
    law = {"distribution": "uniform", "mode": "fan_avg"}
    axes = {"in_axis": 1, "out_axis": 0} if maker(1).name == "torch" else {}
    fans = {"fan_in": 6, "fan_out": 4} if axes else {"fan_in": 4, "fan_out": 6}
    own = vs.VarianceScaling(seed=maker(1), **law, **axes)((4, 6))
    assert np.array_equal(vs.VarianceScaling(seed=maker(1), **law, **fans)((4, 6)), own)
    for bad in ({"fan_in": 5}, {"fan_out": 5.5}, {"fan_in": 5, "fan_out": 5}):
        with pytest.raises(ValueError, match=r"^`fan_in` and `fan_out` must be those of the axes"):
            vs.VarianceScaling(seed=maker(1), **law, **bad)((4, 6))


@pytest.mark.parametrize("maker", MAKERS)
def test_values_that_overflow_are_refused(maker: Callable[[int], replay.Replay]) -> None:
    """If this fails a replay makes infinite weights where a native seed raises an error."""
    with pytest.raises(ValueError, match="overflow `dtype` 'float16'"):
        vs.RandomNormal(0.0, 1e4, maker(1))((3, 4), "float16")


class Arcsine(vs.RandomUniform):
    """A law that no replay knows."""

    def _law(self, full_shape: tuple[int, ...]) -> Law:
        return super()._law(full_shape)._replace(name="arcsine")


@pytest.mark.parametrize("maker", MAKERS)
def test_a_law_that_is_not_replayed_is_refused(maker: Callable[[int], replay.Replay]) -> None:
    """If this fails a new law is silently drawn as another one."""
    with pytest.raises(ValueError, match=r"^`law` must be uniform, normal or truncated_normal .* got 'arcsine'"):
        Arcsine(seed=maker(1))((4, 4))
