"""The package as a whole: its names, its documents' examples, its files, and what importing it costs."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import varscale as vs
from varscale._engines import EXTRAS

ROOT = Path(__file__).parents[2]
MODULES = [module.name.removeprefix("varscale.") for module in pkgutil.walk_packages(vs.__path__, "varscale.")]
# tests/engines/ has the examples of the others.
WITHOUT_ENGINES = [
    name for name in MODULES if not {*name.split(".")} & {*EXTRAS, "_dcp", "_dcp_write", "jnp", "mpi", "ray", "triton"}
]
DOCUMENTS = [str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"))]
FRAMEWORKS = (
    "tensorflow",
    "keras",
    "tf_keras",
    "jax",
    "torch",
    "dask",
    "mlx",
    "orbax",
    "distributed",
    "zarr",
    "scipy",
    "pandas",
)


def test_all_names_are_public_and_every_public_class_is_named() -> None:
    """If this fails a name is missing from `__all__`, or `__all__` promises what is not there."""
    assert sorted(vs.__all__) == list(vs.__all__)
    visible = {name for name in vars(vs) if not name.startswith("_")} | {"__version__"}
    assert visible - set(MODULES) == set(vs.__all__)


@pytest.mark.parametrize("name", [name for name in vs.__all__ if name != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    """If this fails `help()` says nothing about something users can call."""
    assert len(getattr(vs, name).__doc__) > 20


def shown(thing: object) -> set[str]:
    # What ends in underscores is for another library to find, as `__array__` is.
    return {name for name in dir(thing) if not name.startswith("_") and not name.endswith("__")}


METHODS = {"describe", "fold_in", "from_config", "get_config", "lazy"}


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        *(
            (
                init,
                METHODS
                | {"scale", "mode", "distribution", "seed", "dtype"}
                | {"in_axis", "out_axis", "batch_axis", "fan_in", "fan_out", "lower", "upper"}
                | {"layout", "groups", "transposed", "depthwise", "blocks"},
            )
            for init in (vs.VarianceScaling(), vs.lecun_normal(), vs.he_uniform())
        ),
        (vs.RandomNormal(), METHODS | {"mean", "stddev", "seed", "dtype"}),
        (vs.TruncatedNormal(), METHODS | {"mean", "stddev", "seed", "dtype", "lower", "upper"}),
        (vs.RandomUniform(), METHODS | {"minval", "maxval", "seed", "dtype"}),
        (vs.LogUniform(), METHODS | {"minval", "maxval", "seed", "dtype", "floor", "inverse_softplus"}),
        (vs.Constant(), METHODS | {"value", "dtype", "verify_shape"}),
        (vs.Identity(), METHODS | {"gain", "dtype"}),
        (vs.Dirac(), METHODS | {"groups", "dtype", "layout"}),
        (vs.Bilinear(), METHODS | {"dtype", "layout"}),
        (vs.Sparse(0.5), METHODS | {"sparsity", "stddev", "seed", "dtype"}),
        (
            vs.UniformUnitScaling(),
            METHODS
            | {"factor", "scale", "mode", "distribution", "seed", "dtype"}
            | {"in_axis", "out_axis", "batch_axis", "fan_in", "fan_out", "lower", "upper"}
            | {"layout", "groups", "transposed", "depthwise", "blocks"},
        ),
        (
            vs.replay.jax(0),
            {"key", "x64", "jit", "partitionable", "fused_half", "fold_in", "split"}
            | {"get_config", "serialize", "name", "version"},
        ),
    ],
    ids=lambda thing: repr(thing)[:30],
)
def test_objects_show_what_users_may_use(thing: object, expected: set[str]) -> None:
    """If this fails a hook is shown as if it were API, and cannot be changed after the first release."""
    assert shown(thing) == expected


def test_every_initializer_is_in_the_reference() -> None:
    """If this fails a user does not learn the interval and the standard deviation of an initializer."""
    page = (ROOT / "docs" / "reference" / "initializers.md").read_text(encoding="utf-8")
    things = {name: getattr(vs, name) for name in vs.__all__ if name[0].isupper()}
    names = [
        name for name, thing in things.items() if issubclass(thing, vs.Initializer) and thing is not vs.Initializer
    ]
    assert len(names) > 15
    assert [name for name in names if f"`{name}" not in page] == []


@pytest.mark.parametrize("name", [name for name in vs.__all__ if name != "__version__"])
def test_names_say_where_users_find_them(name: str) -> None:
    """If this fails pickles, reprs and errors name a file of ours, which may move."""
    assert getattr(vs, name).__module__ == "varscale"


@pytest.mark.parametrize("name", vs.replay.__all__)
def test_replays_say_where_users_find_them(name: str) -> None:
    """If this fails pickles and reprs name a file of the replays."""
    thing = getattr(vs.replay, name)
    assert (thing.__module__, thing.__qualname__) == ("varscale.replay", name)


def test_errors_name_what_was_called() -> None:
    """If this fails an error speaks of a class that no user knows."""
    for cls in (vs.LecunNormal, vs.HeUniform, vs.RandomNormal, vs.replay.jax):
        with pytest.raises(TypeError, match=rf"^{cls.__name__}\.__init__\(\) got an unexpected keyword"):
            cls(unknown=1)


def test_adapters_are_completed() -> None:
    """If this fails an editor or a notebook offers nothing after `vs.torch.`, or fails at what is not installed."""
    assert {*vs.__all__, "replay"} <= set(dir(vs))
    for engine, package in EXTRAS.items():
        assert (engine in dir(vs)) == (importlib.util.find_spec(package) is not None)
    source = (ROOT / "python" / "varscale" / "__init__.py").read_text(encoding="utf-8")
    checking = source.split("if _TYPE_CHECKING:\n")[1].split("\n__all__")[0]
    assert all(f"from . import {name} as {name}" in checking for name in (*EXTRAS, "replay"))


class Finder(doctest.DocTestFinder):
    """Finds the examples of whatever is ours: what users import names `varscale`, and its methods name their file."""

    def _from_module(self, module: object, found: object) -> bool:
        inner = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
        return str(getattr(inner, "__module__", None)).partition(".")[0] == "varscale"


def examples() -> dict[str, doctest.DocTest]:
    """By its text, every docstring with an example, once, whatever the modules that import it."""
    modules = [vs, *(importlib.import_module(f"varscale.{name}") for name in WITHOUT_ENGINES)]
    finder = Finder(exclude_empty=True)
    found = [test for module in modules for test in finder.find(module, extraglobs={"__name__": "users_module"})]
    return {test.docstring: test for test in found if test.examples}


EXAMPLES = sorted(examples().values(), key=lambda test: test.name)


@pytest.mark.thread_unsafe(reason="doctest takes over standard output")
@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name.removeprefix("varscale."))
def test_docstring_examples(test: doctest.DocTest) -> None:
    """If this fails an example in the documentation does not give what it shows."""
    assert doctest.DocTestRunner().run(test, clear_globs=False).failed == 0


@pytest.mark.thread_unsafe(reason="doctest takes over standard output")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_examples(name: str) -> None:
    """If this fails an example of the README or its neighbours does not give what it shows."""
    assert doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8").failed == 0


def test_there_are_examples() -> None:
    """If this fails the tests above test nothing, or miss the methods of what users import."""
    parser = doctest.DocTestParser()
    assert len(parser.get_examples((ROOT / "README.md").read_text(encoding="utf-8"))) >= 5
    names = {test.name for test in EXAMPLES}
    endings = (
        "Model",
        "Model.jobs",
        "Seeded.fold_in",
        "Sampled.describe",
        "Builtin.lazy",
        "jax",
        "Draws",
        "Draws.linear",
    )
    assert [ending for ending in endings if not any(name.endswith(f".{ending}") for name in names)] == []
    assert len(names) > 25


def test_files_are_short() -> None:
    """If this fails a file has grown to more than one idea."""
    folders = ("src", "python", "tests", "benches", "tools", "examples", "release")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".rs", ".pyi"}]
    assert len(files) > 40
    long = {path.name: count for path in files if (count := lines(path)) > 300}
    assert not long


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def imported(code: str) -> set[str]:
    """The frameworks that are loaded after running the code in a new process."""
    script = f"{code}; import sys; print(*[name for name in {FRAMEWORKS} if name in sys.modules])"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_importing_varscale_imports_no_framework() -> None:
    """If this fails importing the package costs seconds and needs what it must not need."""
    assert imported("import varscale; varscale.lecun_normal(1)((100, 100))") == set()


def test_importing_varscale_does_not_import_the_replays() -> None:
    """If this fails everyone pays for what few use; or `varscale.replay` is not there when it is asked for."""
    script = "import sys, varscale; print('varscale.replay' in sys.modules); varscale.replay.tf1"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
    with pytest.raises(AttributeError, match="module 'varscale' has no attribute 'reply'"):
        _ = vs.reply


def test_the_import_test_can_fail() -> None:
    """If this fails the test above sees nothing."""
    assert imported("import scipy, varscale") == {"scipy"}


def test_the_version_is_cargos() -> None:
    """If this fails a wheel and its crate carry different versions."""
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    # Python writes the candidate 1.2.3-rc1 as 1.2.3rc1, and so does the name of a wheel.
    assert f'\nversion = "{vs.__version__.replace("rc", "-rc")}"\n' in manifest
    assert version("varscale") == vs.__version__, "install anew after a change of the version"
