"""Users' own initializers: subclasses of the public base, and of ours."""

from __future__ import annotations

import copy
import pickle
import weakref

import numpy as np
import pytest

import varscale as vs


class Staircase(vs.Initializer):
    """A user's initializer."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def __call__(self, shape: tuple[int, ...], dtype: object = None) -> np.ndarray:
        return self.slope * np.arange(np.prod(shape), dtype=dtype or "float32").reshape(shape)

    def get_config(self) -> dict[str, float]:
        return {"slope": self.slope}


class Doubled(vs.lecun_normal):
    """A user's variant of one of ours, with an argument and an attribute of its own."""

    def __init__(self, seed: int | None = None, factor: float = 2.0) -> None:
        super().__init__(seed)
        self.factor = factor

    def __call__(self, *args: object, **kwargs: object) -> np.ndarray:
        return self.factor * super().__call__(*args, **kwargs)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "factor": self.factor}


@pytest.mark.parametrize("init", [Staircase(2.0), Doubled(3, 4.0)])
def test_a_users_subclass_works_everywhere(init: vs.Initializer) -> None:
    """If this fails users cannot extend the library without registering things by hand."""
    cls = type(init)
    for other in (
        vs.deserialize(vs.serialize(init)),
        vs.get({"class_name": cls.__name__, "config": init.get_config()}),
        cls.from_config(init.get_config()),
        pickle.loads(pickle.dumps(init)),
        copy.deepcopy(init),
        vs.deserialize({"class_name": "Mine", "config": init.get_config()}, {"Mine": cls}),
    ):
        assert type(other) is cls
        assert other == init
        assert hash(other) == hash(init)
        assert np.array_equal(other((2, 3)), init((2, 3)))
    assert vs.get(cls) == cls()
    assert vs.get(cls.__name__) == cls()
    assert init != cls()


def test_ambiguous_names_are_refused() -> None:
    """If this fails one of two classes of the same name is taken by chance."""
    for module in ("one", "two"):
        type("Twin", (vs.Initializer,), {"__module__": module})
    with pytest.raises(ValueError, match="`class_name` 'Twin' needs its `module`, one of \\['one', 'two'\\]"):
        vs.get("Twin")
    assert type(vs.get({"module": "two", "class_name": "Twin"})).__module__ == "two"


def test_a_subclass_that_is_not_callable_says_so() -> None:
    """If this fails a subclass without `__call__` fails with a riddle."""

    class Silent(vs.Initializer):
        pass

    with pytest.raises(NotImplementedError, match="Silent must define `__call__`"):
        Silent()((2, 2))
    assert Silent() == Silent.from_config({})
    assert repr(Silent()) == "Silent()"


def test_ours_stay_immutable_in_a_subclass_that_adds_attributes() -> None:
    """If this fails a subclass can change the rule it inherits, or cannot have attributes of its own."""
    init = Doubled(3)
    init.factor = 5.0
    assert init.factor == 5.0
    for name in ("scale", "mode", "seed", "dtype", "in_axis", "path"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(init, name, 1)


def test_attributes_of_ours_cannot_be_taken() -> None:
    """If this fails a subclass that happens to use the name of one of ours breaks at its first call."""

    class Taker(vs.VarianceScaling):
        pass

    init = Taker()
    for name in ("_seed", "_kind", "_plans", "_path", "scale", "seed", "path"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(init, name, 1)
    init.input_axes = init._mine = 3  # names that are not ours
    assert (init.input_axes, init._mine) == (3, 3)


class Gated(vs.Rule):
    """A user's rule, with slots of its own."""

    __slots__ = ("gate",)


class Bare(vs.PartitionInfo):
    __slots__ = ()


class Loose(vs.PartitionInfo):
    """A user's class that keeps something."""

    def __init__(self, full_shape: tuple[int, ...], var_offset: tuple[int, ...]) -> None:
        super().__init__(full_shape, var_offset)
        self.__dict__["note"] = "mine"


class Noted(vs.Model):
    """A user's model, whose constructor takes something else."""

    def __init__(self, layers: int) -> None:
        super().__init__({f"{layer}.weight": (4, 4) for layer in range(layers)})
        self.note = "mine"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_subclasses_of_values_compare_show_and_pickle(protocol: int) -> None:
    """If this fails two different rules of a user are one, or cannot be sent to another process."""
    rules = Gated("a", vs.Zeros()), Gated("b", vs.Ones(), rank=2)
    assert rules[0] != rules[1]
    assert rules[0] != vs.Rule("a", vs.Zeros()), "a subclass may match otherwise"
    assert len({*rules, Gated("a", vs.Zeros())}) == 2
    infos = Bare((4, 5), (1, 2)), Bare((4, 5), (0, 2)), Loose((4, 5), (0, 2))
    assert infos[0] != infos[1]
    assert repr(infos[0]) == "Bare(full_shape=(4, 5), var_offset=(1, 2))"
    model = Noted(3)
    part = next(vs.Model({"w": (2, 2)}).jobs(1)).run()[0]
    for thing in (*rules, *infos, model):
        back = pickle.loads(pickle.dumps(thing, protocol))
        assert back == thing == copy.copy(thing) == copy.deepcopy(thing)
        assert type(back) is type(thing)
        assert weakref.ref(thing)() is thing
    assert pickle.loads(pickle.dumps(model, protocol)).note == "mine"
    assert pickle.loads(pickle.dumps(infos[2], protocol)).note == "mine"
    back = pickle.loads(pickle.dumps(part, protocol))
    assert (back.name, back.index, back.values.tolist()) == (part.name, part.index, part.values.tolist())
    match part:
        case vs.ModelPart(name, index, _):
            assert (name, index) == (part.name, part.index)
