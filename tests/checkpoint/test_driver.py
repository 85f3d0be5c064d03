"""Drivers: the parts of one run, made by whoever is told its order."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import varscale as vs
from checkpoint.cases import MODEL, sha, small_pieces
from varscale.checkpoint import _driver

pytestmark = pytest.mark.thread_unsafe(reason="patches the size of pieces, and the folder of the process")

Call = Callable[[int], int]
REST: dict[str, Any] = {
    "format": "safetensors",
    "max_shard": 100_000,
    "layout": None,
    "config": None,
    "like": None,
    "keep": (),
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch, 1 << 14)
    monkeypatch.setattr(_driver, "PART", 80_000)


def saved(engine: Any, out: Path, seed: int = 7, **options: Any) -> list[Path]:
    """A checkpoint of the model, by an engine."""
    flags = {"threads": 1, "resume": False, "force": False, "progress": False}
    return _driver.save_on(engine, options.pop("model", MODEL), out, seed, **{**flags, **REST, **options})


def pool(function: Call, places: Sequence[int]) -> Iterator[int]:
    """An engine of threads."""
    with ThreadPoolExecutor(3) as threads:
        yield from threads.map(function, reversed(places))


def only(*chosen: int) -> Any:
    """An engine that is interrupted when it has made some parts."""

    def engine(function: Call, places: Sequence[int]) -> Iterator[int]:
        yield from map(function, chosen)
        raise KeyboardInterrupt

    return engine


def nobody(function: Call, places: Sequence[int]) -> Iterator[int]:
    """An engine that must not be asked."""
    raise AssertionError
    yield 0


@pytest.mark.parametrize("format", ["safetensors", "npy"])
def test_an_engine_makes_the_single_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str) -> None:
    """If this fails an engine makes another checkpoint, loses an option, or says wrongly how far it is."""
    monkeypatch.chdir(tmp_path)
    vs.checkpoint.save(MODEL, "old", 3)
    Path("config.json").write_text("{}")
    options = {"format": format, "like": "old", "keep": "wte.*", "config": "config.json", "layout": "torch"}
    vs.checkpoint.save(MODEL, "one", 7, max_shard=100_000, **options)
    told: list[tuple[int, int]] = []

    def elsewhere(function: Call, places: Sequence[int]) -> Iterator[int]:
        """Workers have another working folder."""
        (tmp_path / "elsewhere").mkdir()
        os.chdir(tmp_path / "elsewhere")
        assert len(places) == 15
        return pool(function, places)

    paths = saved(elsewhere, Path("many"), progress=lambda done, total: told.append((done, total)), **options)
    assert sha(tmp_path / "many") == sha(tmp_path / "one")
    assert [path.parent for path in paths] == [tmp_path / "many"] * len(paths)
    assert len(told) == 15
    assert told[-1] == (MODEL.nbytes, MODEL.nbytes)


def test_a_run_goes_on_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails an engine's run cannot be ended, or other workers, or parts of another size, begin it anew."""
    vs.checkpoint.save(MODEL, tmp_path / "one", 7, max_shard=100_000)
    out = tmp_path / "many"
    with pytest.raises(KeyboardInterrupt):
        saved(only(9, 2), out)
    with pytest.raises(FileExistsError, match="holds an unfinished run of this checkpoint"):
        saved(nobody, out)
    with pytest.raises(ValueError, match="holds an unfinished run of another seed, 7, not 8"):
        saved(nobody, out, seed=8, resume=True)
    monkeypatch.setattr(_driver, "PART", 1 << 20)
    made = (out / ".varscale" / "done-9-of-15").stat().st_mtime_ns
    counted: list[int] = []

    def engine(function: Call, places: Sequence[int]) -> Iterator[int]:
        for nbytes in pool(function, places):
            counted.append(nbytes)
            yield nbytes
        assert (out / ".varscale" / "done-9-of-15").stat().st_mtime_ns == made or os.name == "nt"

    saved(engine, out, resume=True)
    assert (len(counted), sum(counted)) == (15, MODEL.nbytes)
    assert sha(out) == sha(tmp_path / "one")
    assert len(saved(nobody, out, resume=True)) == len(sha(out))


def test_force_begins_anew(tmp_path: Path) -> None:
    """If this fails what lies in the folder stays, or goes before the new checkpoint is whole."""
    vs.checkpoint.save(MODEL, tmp_path / "one", 7, max_shard=100_000)
    vs.checkpoint.save(MODEL, tmp_path / "many", 6)
    old = sha(tmp_path / "many")
    with pytest.raises(FileExistsError, match="must hold no checkpoint"):
        saved(nobody, tmp_path / "many")
    for seed in (8, 7):
        with pytest.raises(KeyboardInterrupt):
            saved(only(1), tmp_path / "many", seed=seed, force=True)
        assert {name: (tmp_path / "many" / name).is_file() for name in old} == dict.fromkeys(old, True)
    saved(pool, tmp_path / "many", force=True)
    assert sha(tmp_path / "many") == sha(tmp_path / "one")


def test_what_was_being_published_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a driver that was killed at the end leaves a checkpoint that nobody finishes."""
    vs.checkpoint.save(MODEL, tmp_path / "one", 7, max_shard=100_000)
    with monkeypatch.context() as patch:
        patch.setattr("varscale.checkpoint._work.Work.remove", lambda self: {}["killed"])
        with pytest.raises(KeyError, match="killed"):
            saved(pool, tmp_path / "many")
    saved(nobody, tmp_path / "many", resume=True)
    assert sha(tmp_path / "many") == sha(tmp_path / "one")


def test_who_does_not_see_the_folder_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails workers fill folders of their own, or go on after their run has ended."""
    orders: list[Any] = []

    def keep(function: Any, places: Sequence[int]) -> Iterator[int]:
        orders.extend(function.args)
        yield function(1)
        with pytest.raises(ValueError, match="must be one folder for all workers"):
            _driver.make_ordered(orders[0]._replace(plan=tmp_path / "other" / ".varscale" / orders[0].plan.name), 2)
        assert not (tmp_path / "other").exists()

        def ends_while_it_works(work: Any, plan: Any, place: int, report: Callable[[int], object]) -> None:
            orders[0].plan.unlink()
            report(1)

        monkeypatch.setattr(_driver, "make_part", ends_while_it_works)
        yield function(2)

    with pytest.raises(ValueError, match="or its run has ended"):
        saved(keep, tmp_path / "many")
    with pytest.raises(KeyboardInterrupt):
        saved(only(), tmp_path / "many", resume=True)
    assert not list((tmp_path / "many" / ".varscale").glob("order-*"))
    (tmp_path / "many" / ".varscale" / "order-killed").touch()

    def seen(function: Any, places: Sequence[int]) -> Iterator[int]:
        [path] = (tmp_path / "many" / ".varscale").glob("order-*")
        assert path == function.args[0].plan != orders[0].plan
        return iter([])

    with pytest.raises(ValueError, match="must hold all 15 parts"):
        saved(seen, tmp_path / "many", resume=True)


def test_a_worker_checks_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a worker with another version mixes its bytes in, or unpickles what somebody else wrote."""

    def older(function: Any, places: Sequence[int]) -> Iterator[int]:
        [order] = function.args
        with pytest.raises(ValueError, match=r"workers must have varscale 0\.0, as the driver has, got "):
            _driver.make_ordered(order._replace(version="varscale 0.0"), 1)
        with pytest.raises(ValueError, match=r"workers must have torch 1\.0, as the driver has, got  on "):
            _driver.make_ordered(order._replace(library="torch 1.0"), 1)
        order.plan.write_bytes(b"else")
        yield function(1)

    with pytest.raises(ValueError, match="must be what the driver wrote"):
        saved(older, tmp_path / "many")


def test_one_driver_at_a_time(tmp_path: Path) -> None:
    """If this fails two drivers, or a driver and another run, write into one folder."""
    out = tmp_path / "many"

    def busy(function: Call, places: Sequence[int]) -> Iterator[int]:
        for again in (
            lambda: saved(nobody, out, resume=True),
            lambda: saved(nobody, out, force=True),
            lambda: vs.checkpoint.save(MODEL, out, 8, force=True),
        ):
            with pytest.raises(BlockingIOError, match=f"is being written by process {os.getpid()} on"):
                again()
        yield from map(function, places)

    saved(busy, out)
    assert len(sha(out)) > 3


class Own(vs.Initializer):
    """An initializer of the user's."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return vs.Ones()(shape, dtype)


def test_what_workers_cannot_have_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a model that does not pickle, or that workers cannot import, ends in a traceback."""
    own = Own()
    model = vs.Model({"a": ((3,), None, own)})
    saved(pool, tmp_path / "own", model=model)

    def without(function: Call, places: Sequence[int]) -> Iterator[int]:
        monkeypatch.delattr(sys.modules[__name__], "Own")
        yield function(1)

    with pytest.raises(ImportError, match="workers must be able to import what the model is made of"):
        saved(without, tmp_path / "without", model=model)
    with pytest.raises(TypeError, match="`model` must pickle where workers make its tensors, got PicklingError"):
        saved(nobody, tmp_path / "none", model=model)


def test_the_number_of_parts_depends_on_the_size(tmp_path: Path) -> None:
    """If this fails a checkpoint of nothing has no part, or a huge one more than engines bear."""
    work = _driver.Work(tmp_path)
    models = [vs.Model({"a": ((n,), None, vs.Zeros())}) for n in (0, 20_000, 20_001, 1 << 40)]
    assert [_driver._parts(work, model, resume=True) for model in models] == [1, 1, 2, 1000]
