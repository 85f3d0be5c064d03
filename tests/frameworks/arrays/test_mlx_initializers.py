"""MLX: the names of `mlx.nn.init`, with its arguments and meanings; and modules by path."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import varscale as vs

NAMES = [name for name, thing in vars(nn.init).items() if inspect.isfunction(thing) and not name.startswith("_")]
SHAPE = (64, 32)
EMPTY = mx.zeros(SHAPE)


def test_every_name_of_mlx() -> None:
    """If this fails a name of `mlx.nn.init` is not there, or has other arguments or defaults."""
    assert len(NAMES) > 9
    assert set(vs.mlx.__all__) == {*NAMES, "init_"}
    for name in NAMES:
        ours, theirs = inspect.signature(getattr(vs.mlx, name)), inspect.signature(getattr(nn.init, name))
        found = [(p.name, p.default) for p in ours.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert found == [(p.name, p.default) for p in theirs.parameters.values()], name


MADE: list[tuple[Any, Any, vs.Initializer]] = [
    (vs.mlx.normal(1.0, 0.5, seed=7), nn.init.normal(1.0, 0.5), vs.RandomNormal(1.0, 0.5, 7)),
    (vs.mlx.uniform(-1.0, 3.0, seed=7), nn.init.uniform(-1.0, 3.0), vs.RandomUniform(-1.0, 3.0, 7)),
    (
        vs.mlx.glorot_normal(seed=7),
        nn.init.glorot_normal(),
        vs.VarianceScaling(1.0, "fan_avg", "untruncated_normal", 7, layout="mlx"),
    ),
    (vs.mlx.glorot_uniform(seed=7), nn.init.glorot_uniform(), vs.GlorotUniform(7, layout="mlx")),
    (
        vs.mlx.he_normal(seed=7),
        nn.init.he_normal(),
        vs.VarianceScaling(1.0, "fan_in", "untruncated_normal", 7, layout="mlx"),
    ),
    (vs.mlx.he_uniform(seed=7), nn.init.he_uniform(), vs.LecunUniform(7, layout="mlx")),
]


@pytest.mark.parametrize("shape", [(300, 200), (40, 3, 3, 20)])
@pytest.mark.parametrize(("ours", "theirs", "same"), MADE, ids=lambda thing: repr(thing)[:30])
def test_laws_are_mlxs(ours: Any, theirs: Any, same: vs.Initializer, shape: tuple[int, ...]) -> None:
    """If this fails a name has another scale or law than MLX's, or other values than NumPy's."""
    mx.random.seed(3)
    made, reference = np.array(ours(mx.zeros(shape))), np.array(theirs(mx.zeros(shape)))
    assert np.array_equal(made, same(shape))
    assert made.std() == pytest.approx(reference.std(), rel=0.03)
    assert made.mean() == pytest.approx(reference.mean(), abs=0.03)
    assert np.abs(made).max() == pytest.approx(np.abs(reference).max(), rel=0.5)


def test_gains_and_modes() -> None:
    """If this fails the arguments of the function itself are lost."""
    root = 2**0.5
    he = vs.VarianceScaling(2.0, "fan_out", "untruncated_normal", 7, layout="mlx")
    assert np.allclose(vs.mlx.he_normal(seed=7)(EMPTY, "fan_out", root), he(SHAPE), rtol=1e-6)
    assert np.allclose(vs.mlx.he_uniform(seed=7)(EMPTY, gain=2.0), 2 * vs.LecunUniform(7, layout="mlx")(SHAPE))
    for name in ("glorot_normal", "glorot_uniform"):
        init = getattr(vs.mlx, name)(seed=7)
        assert np.allclose(init(EMPTY, 3.0), 3 * np.array(init(EMPTY)), rtol=1e-6)
        with pytest.raises(ValueError, match=r"`a` must have two axes at least, got \(5,\)"):
            init(mx.zeros(5))


def test_matrices() -> None:
    """If this fails zeros are counted along columns, or orthogonal rows are no rows."""
    made = np.array(vs.mlx.sparse(0.3, std=0.5, seed=7)(EMPTY))
    assert np.array_equal(made, vs.Sparse(0.3, 0.5, 7)((32, 64)).T)
    assert set((made == 0).sum(axis=1)) == set(np.array(nn.init.sparse(0.3)(EMPTY) == 0).sum(axis=1)) == {10}
    with pytest.raises(ValueError, match=r"`mean` must be 0, got 1\.0"):
        vs.mlx.sparse(0.3, 1.0)
    wide = np.array(vs.mlx.orthogonal(2.0, seed=7)(mx.zeros((16, 40))))
    assert np.allclose(wide @ wide.T, 4 * np.eye(16), atol=1e-5)
    assert np.array_equal(wide, vs.Orthogonal(2.0, 7, axis=0)((16, 40)))
    assert vs.mlx.constant is nn.init.constant
    assert vs.mlx.identity is nn.init.identity


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32])
def test_dtypes(dtype: mx.Dtype) -> None:
    """If this fails bfloat16 is rounded twice, or the dtype is that of the argument."""
    made = vs.mlx.normal(dtype=dtype, seed=7)(mx.zeros(SHAPE, mx.float16))
    assert made.dtype == dtype
    expected = vs.RandomNormal(0.0, 1.0, 7)(SHAPE, dtype)
    assert np.array_equal(np.array(made.astype(mx.float32)), expected.astype(np.float32))


def test_seeds() -> None:
    """If this fails `mx.random.seed` repeats nothing, two layers are alike, or an integer seed is drawn from."""
    init = vs.mlx.normal()
    mx.random.seed(3)
    first, second = np.array(init(EMPTY)), np.array(init(EMPTY))
    assert not np.any(first == second)
    mx.random.seed(3)
    assert np.array_equal(np.array(init(EMPTY)), first)
    mx.random.seed(4)
    assert not np.any(np.array(init(EMPTY)) == first)
    seeded = vs.mlx.normal(seed=3)
    assert mx.array_equal(seeded(EMPTY), seeded(EMPTY))
    with pytest.raises(TypeError, match=r"`seed` must be an integer, got 1\.5"):
        vs.mlx.normal(seed=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`dtype` must be a floating-point dtype"):
        vs.mlx.he_normal(mx.int32)


def network() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), lambda x: nn.relu(x).reshape(x.shape[0], -1), nn.LayerNorm(144), nn.Linear(144, 1)
    )


def weights(module: Any) -> dict[str, Any]:
    return {name: np.array(array.astype(mx.float32)) for name, array in tree_flatten(module.parameters())}


def test_apply() -> None:
    """If this fails MLX's own way over a module leaves its weights as they were, or makes layers of one shape alike."""
    module = nn.Sequential(nn.Linear(32, 32, bias=False), nn.Linear(32, 32, bias=False))
    module.apply(vs.mlx.he_uniform())
    one, other = (np.array(layer.weight) for layer in module.layers)
    assert not np.any(one == other)
    assert np.abs(one).max() == pytest.approx((3 / 32) ** 0.5, rel=0.02)


LOAD = """
import sys
sys.path[:0] = sys.argv[1], sys.argv[1] + "/../.."
import numpy as np
from test_mlx_initializers import network, weights
module = network()
module.load_weights(sys.argv[2] + "/weights.safetensors")
saved = np.load(sys.argv[2] + "/weights.npz")
assert all(np.array_equal(array, saved[name]) for name, array in weights(module).items())
"""


def test_train_save_and_load(tmp_path: Path) -> None:
    """If this fails a network of ours does not train, or its file does not open in a new process."""
    module = vs.mlx.init_(network(), vs.he_normal(), seed=7)
    images = mx.array(np.random.default_rng(0).normal(size=(32, 8, 8, 1)).astype(np.float32))
    optimizer = optim.SGD(0.01)
    step = nn.value_and_grad(module, lambda module: mx.mean((module(images) - 1) ** 2))
    losses = []
    for _ in range(20):
        loss, gradients = step(module)
        optimizer.update(module, gradients)
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    module.save_weights(str(tmp_path / "weights.safetensors"))
    np.savez(tmp_path / "weights.npz", **weights(module))
    subprocess.run([sys.executable, "-c", LOAD, str(Path(__file__).parent), str(tmp_path)], check=True)


def test_docstring_examples() -> None:
    """If this fails the examples of `help(varscale.mlx)` do not give what they show."""
    assert doctest.testmod(vs.mlx).attempted > 8
    assert doctest.testmod(vs.mlx).failed == 0
