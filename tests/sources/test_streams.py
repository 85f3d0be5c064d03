"""Streams by number: whatever is kept says which one it is of, and that of a newer varscale is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import varscale as vs
from varscale._initializers.seeded import Seeded
from varscale._sources.identity import PERSON, STREAM

DRAWING = [vs.VarianceScaling(), vs.lecun_normal(7).fold_in("a"), vs.RandomNormal(seed=7), vs.Orthogonal(seed=7)]
NEWER = r"`stream` must be 1, got 2, which needs a newer varscale"
SHAPES = {"a.weight": (4, 6), "b": ((4,), None, vs.Pieces([(..., vs.Zeros()), (0, vs.LogUniform())]))}


def model() -> vs.Model:
    return vs.Model(SHAPES, layout="torch")


@pytest.mark.parametrize("init", DRAWING, ids=repr)
def test_a_config_may_name_its_stream(init: Any) -> None:
    """If this fails a config that names stream 1 is refused, or one for TensorFlow has a key that it does not know."""
    config = init.get_config()
    assert "stream" not in config
    named = {**config, "stream": 1}
    assert type(init).from_config(named) == vs.deserialize({**vs.serialize(init), "config": named}) == init
    assert named["stream"] == 1, "it is not changed"


@pytest.mark.parametrize(
    ("stream", "error", "message"),
    [
        (2, ValueError, NEWER),
        (10**30, ValueError, "which needs a newer varscale"),
        (0, ValueError, "`stream` must be 1, got 0$"),
        (-1, ValueError, "`stream` must be 1, got -1$"),
        (True, TypeError, "`stream` must be an integer, got True"),
        (1.0, TypeError, "`stream` must be an integer, got 1.0"),
        ("1", TypeError, "`stream` must be an integer, got '1'"),
        (None, TypeError, "`stream` must be an integer, got None"),
    ],
)
def test_a_stream_that_is_not_here_is_refused(stream: Any, error: type[Exception], message: str) -> None:
    """If this fails what another version wrote makes other values here, in silence."""
    with pytest.raises(error, match=message):
        vs.lecun_normal.from_config({"seed": 7, "stream": stream})
    with pytest.raises(error, match=message):
        vs.get({"class_name": "LecunNormal", "config": {"seed": 7, "stream": stream}})
    with pytest.raises(error, match=message):
        vs.Model.from_dict({**model().to_dict(), "stream": stream})


KEPT = {
    "initializer": lambda: vs.lecun_normal(7),
    "lazy": lambda: vs.lecun_normal(7).lazy((4, 6)),
    "model": model,
    "job": lambda: next(model().jobs(7)),
    "rule": lambda: vs.Rule("*", vs.he_normal()),
}


@pytest.mark.parametrize("kept", KEPT)
def test_pickles_of_a_newer_stream_are_refused(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a job or a model that a newer varscale has pickled is made from another stream."""
    own = Seeded.get_config
    with monkeypatch.context() as newer:
        newer.setattr(Seeded, "get_config", lambda self: own(self) | {"stream": 2})
        pickled, document = pickle.dumps(KEPT[kept]()), model().to_dict()
    with pytest.raises(ValueError, match=NEWER):
        pickle.loads(pickled)
    with pytest.raises(ValueError, match=f"parameter 'a.weight': {NEWER}"):
        vs.Model.from_dict(document)


class Wider(vs.LecunNormal):
    """A user's class of ours, with an argument more."""

    def __init__(self, width: int, seed: int | None = None) -> None:
        super().__init__(seed)
        self.width = width

    def get_config(self) -> dict[str, Any]:
        return {"width": self.width, "seed": self.seed}


def test_classes_of_users_have_the_key_too() -> None:
    """If this fails a user's class must know of streams, or takes a name that a config of ours has."""
    assert Wider.from_config({"width": 3, "seed": 7, "stream": 1}) == Wider(3, 7)
    with pytest.raises(ValueError, match=NEWER):
        Wider.from_config({"width": 3, "seed": 7, "stream": 2})
    with pytest.raises(AttributeError, match="cannot set `stream`"):
        Wider(3).stream = 2


def test_what_is_written_says_its_stream(tmp_path: Path) -> None:
    """If this fails a plan or a checkpoint does not say what its values are of."""
    assert (STREAM, PERSON) == (1, b"varscale-stream1")
    assert model().to_dict()["stream"] == STREAM
    (file,) = vs.checkpoint.save(model(), tmp_path, 7)
    data = file.read_bytes()
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert metadata["varscale.stream"] == str(STREAM)
