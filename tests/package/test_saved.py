"""Pickles and configs that earlier versions wrote are read, and mean what they meant."""

from __future__ import annotations

import json
import pickle
import pickletools

import pytest

import varscale as vs
from package.saved import EXPRESSIONS, FOLDER, Saved, config_of, digest, made, read
from varscale import checkpoint, replay

FILES = sorted(FOLDER.glob("*.json"))
KEPT = [pytest.param(saved, id=f"{file.stem}-{saved.expression[:50]}") for file in FILES for saved in read(file)]
WITHOUT_STATE = {"Initializer"}  # the base: a user's subclass is pickled as the user says


@pytest.mark.parametrize("saved", KEPT)
def test_what_was_kept_is_read(saved: Saved) -> None:
    """If this fails a user's checkpoint, job or saved network can no longer be read, or makes other values."""
    expected = made(saved.expression)
    things = [pickle.loads(saved.pickled)]
    if isinstance(expected, vs.Initializer):
        things.append(vs.deserialize(saved.config))
    elif isinstance(expected, vs.Model):
        things.append(vs.Model.from_dict(saved.config))
    elif isinstance(expected, replay.Replay):
        things.append(replay.deserialize(saved.config))
    for thing in things:
        assert type(thing) is type(expected)
        assert repr(thing) == repr(expected)
        assert thing == expected or type(thing).__eq__ is object.__eq__, "those are equal to themselves alone"
        assert digest(thing) == saved.values


def test_this_version_has_its_file() -> None:
    """If this fails what this version writes is not tried by the next one: `python -m package.saved` writes it."""
    assert [saved.expression for saved in read(FOLDER / f"{vs.__version__}.json")] == list(EXPRESSIONS)
    for expression in EXPRESSIONS:
        config = config_of(made(expression))
        assert json.loads(json.dumps(config)) == config


def test_every_class_is_kept() -> None:
    """If this fails nobody notices when pickles of a class can no longer be read."""
    kept = {type(made(expression)) for expression in EXPRESSIONS}
    things = [getattr(module, name) for module in (vs, checkpoint, replay) for name in module.__all__]
    # Of the replays of one framework, the base is none that users make.
    classes = {thing for thing in things if isinstance(thing, type)} - {replay.Replay}
    kept |= {type(row) for kept in map(made, EXPRESSIONS) for row in getattr(kept, "rows", ())}
    assert {cls.__name__ for cls in classes - kept} == WITHOUT_STATE


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda expression: expression[:50])
def test_pickles_name_what_users_import(expression: str) -> None:
    """If this fails moving a file breaks what users have saved."""
    operations = pickletools.genops(pickle.dumps(made(expression), protocol=2))
    names = {str(argument) for _, argument, _ in operations if argument is not None}
    ours = {name.partition(" ")[0] for name in names if name.startswith("varscale")}
    assert ours
    assert ours <= {"varscale", "varscale.checkpoint", "varscale.replay"}


def test_the_tests_see_what_was_changed() -> None:
    """If this fails the tests above pass whatever was kept."""
    first, second, *_ = read(FILES[0])
    with pytest.raises(AssertionError):
        test_what_was_kept_is_read(first._replace(pickled=second.pickled))
    with pytest.raises(AssertionError):
        test_what_was_kept_is_read(first._replace(config=second.config))
    with pytest.raises(AssertionError):
        test_what_was_kept_is_read(first._replace(values=second.values))
