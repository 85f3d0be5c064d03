"""MLX: modules by path, with the fans of one unit of each layer; and what is refused instead of guessed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten
from test_mlx_initializers import network, weights

import varscale as vs

AVERAGE = vs.glorot_normal()


def arrays_of(module: Any) -> dict[str, Any]:
    return dict(tree_flatten(module.parameters()))


def test_modules() -> None:
    """If this fails a parameter has another stream than its path names, or biases and norms become random."""
    module = network()
    assert vs.mlx.init_(module, vs.he_normal(), seed=7) is module
    starts = {"layers.2.weight": vs.ones(), "layers.2.bias": vs.zeros()}
    for name, array in weights(module).items():
        init = starts.get(name, vs.zeros() if name.endswith("bias") else vs.he_normal(7, layout="mlx").fold_in(name))
        assert np.array_equal(array, init(array.shape)), name
    half = network()
    half.set_dtype(mx.bfloat16)
    vs.mlx.init_(half, vs.he_normal(7))  # the initializer's own seed
    kernel = half.layers[3].weight
    assert kernel.dtype == mx.bfloat16
    expected = vs.he_normal(7, layout="mlx").fold_in("layers.3.weight")((1, 144), "bfloat16")
    assert np.array_equal(np.array(kernel.astype(mx.float32)), expected.astype(np.float32))


LAYERS: list[tuple[Any, str, int, int]] = [
    (nn.Linear(64, 32), "weight", 64, 32),
    (nn.Bilinear(4, 8, 64), "weight", 32, 512),
    (nn.Conv1d(64, 32, 3), "weight", 192, 96),
    (nn.Conv2d(64, 64, 3, groups=64), "weight", 9, 9),
    (nn.Conv2d(32, 64, 3, groups=4), "weight", 72, 144),
    (nn.Conv3d(8, 16, 3), "weight", 216, 432),
    (nn.ConvTranspose2d(64, 32, 3), "weight", 576, 288),
    (nn.RNN(64, 32), "Wxh", 64, 32),
    (nn.RNN(64, 32), "Whh", 32, 32),
    (nn.GRU(64, 32), "Wx", 64, 32),
    (nn.GRU(64, 32), "Wh", 32, 32),
    (nn.LSTM(64, 32), "Wx", 64, 32),
    (nn.LSTM(64, 32), "Wh", 32, 32),
    (nn.MultiHeadAttention(64, 4), "query_proj.weight", 64, 64),
    (nn.AllToShardedLinear(64, 32), "weight", 64, 32),
]


@pytest.mark.parametrize(("layer", "name", "fan_in", "fan_out"), LAYERS, ids=lambda thing: str(thing)[:20])
def test_fans_are_those_of_one_unit(layer: Any, name: str, fan_in: int, fan_out: int) -> None:
    """If this fails a layer's fans are others than what one of its units is connected with."""
    vs.mlx.init_(layer, AVERAGE, seed=7)
    made = np.array(arrays_of(layer)[name])
    by_hand = vs.glorot_normal(7, fan_in=fan_in, fan_out=fan_out).fold_in(name)
    assert np.array_equal(made, by_hand(made.shape))
    others = [np.array(array) for other, array in arrays_of(layer).items() if array.ndim == 1]
    assert not any(np.any(array) for array in others), "biases are zeros"


def test_gates_are_blocks() -> None:
    """If this fails the orthogonal matrices of gates are parts of one."""
    cell = vs.mlx.init_(nn.LSTM(16, 16), vs.orthogonal(), seed=7)
    for gate in np.split(np.array(cell.Wh), 4):
        assert np.allclose(gate @ gate.T, np.eye(16), atol=1e-5)


def test_classes_tell() -> None:
    """If this fails an embedding gets the law of weights, or a norm's running values change their start."""
    module = nn.Sequential(nn.Embedding(100, 16), nn.BatchNorm(16), nn.RMSNorm(16))
    made = weights(vs.mlx.init_(module, vs.he_normal(), seed=7))
    assert np.array_equal(made["layers.0.weight"], vs.RandomNormal(0.0, 0.02, 7).fold_in("layers.0.weight")((100, 16)))
    ones = {"layers.1.weight", "layers.1.running_var", "layers.2.weight"}
    assert all(np.all(array == (name in ones)) for name, array in made.items() if array.ndim == 1)


class Experts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = mx.zeros((8, 64, 32))
        self.count = mx.array([3])


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.scale = mx.zeros((8, 64, 32)), mx.ones((1, 32))


def test_what_nothing_tells() -> None:
    """If this fails fans of a stack of matrices are guessed, or what is no weight becomes random."""
    stack = vs.mlx.init_(Experts(), vs.lecun_normal(), seed=7)
    by_hand = vs.lecun_normal(7, fan_in=32, fan_out=64).fold_in("weight")
    assert np.array_equal(np.array(stack.weight), by_hand((8, 64, 32)))
    assert stack.count.tolist() == [3]
    scaled = Scaled()
    with pytest.raises(ValueError, match=r"2 of 2 without one:\n  'weight' \(8, 64, 32\)[^\n]*\n  'scale' \(1, 32\)"):
        vs.mlx.init_(scaled, vs.lecun_normal(), 7)
    assert not np.any(np.array(scaled.weight))
    model = vs.Model(arrays_of(scaled), [("weight", vs.lecun_normal(batch_axis=0)), ("scale", vs.ones())], layout="mlx")
    vs.mlx.init_(scaled, model, 7)
    assert np.std(np.array(scaled.weight)) == pytest.approx(32**-0.5, rel=0.03)
    assert np.all(np.array(scaled.scale) == 1)
    with pytest.raises(ValueError, match=r"'weight' \(1,\): slopes of PReLU"):
        vs.mlx.init_(nn.PReLU(), vs.lecun_normal(), 7)


def test_quantized_or_shared() -> None:
    """If this fails the scales of integers become random, or every process has the same part of a matrix."""
    for mode in ("affine", "mxfp8"):
        with pytest.raises(ValueError, match="`module` must be filled before it is quantized, got 'weight' of 'mlx"):
            vs.mlx.init_(nn.QuantizedLinear(64, 64, mode=mode), vs.lecun_normal(), 7)
    layer = nn.AllToShardedLinear(64, 32)
    layer.group = SimpleNamespace(size=lambda: 2)
    with pytest.raises(ValueError, match="`module` must be filled before it is shared among processes, got 'AllToShar"):
        vs.mlx.init_(layer, vs.lecun_normal(), 7)
    with pytest.raises(TypeError, match=r"`module` must be a module of mlx\.nn"):
        vs.mlx.init_({"weight": mx.zeros((3, 4))}, vs.lecun_normal(), 7)


SHARED = """
import mlx.core as mx
import mlx.nn as nn
from mlx.nn.layers.distributed import fully_shard, shard_linear
from mlx.utils import tree_flatten
import varscale as vs
mx.distributed.init(strict=True, backend="ring")
for module in (fully_shard(nn.Sequential(nn.Linear(8, 4))), shard_linear(nn.Linear(8, 4), "sharded-to-all")):
    for init in (vs.he_normal(), vs.Model(tree_flatten(module.parameters()), layout="mlx")):
        try:
            vs.mlx.init_(nn.Sequential(module), init, 7)
        except ValueError as error:
            print(error)
whole = vs.mlx.init_(nn.Linear(8, 4), vs.he_normal(), 7)
assert whole.weight.tolist() == vs.he_normal(7, layout="mlx").fold_in("weight")((4, 8)).tolist()
"""


def test_two_processes(tmp_path: Path) -> None:
    """If this fails each process has the same part of a matrix, whose halves are then equal."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        ports = [each.getsockname()[1] for each in sockets]
    hosts = tmp_path / "hosts.json"
    hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in ports]))
    environment = os.environ | {"MLX_HOSTFILE": str(hosts)}
    command = [sys.executable, "-W", "ignore", "-c", SHARED]
    processes = [
        subprocess.Popen(command, env=environment | {"MLX_RANK": rank}, stdout=subprocess.PIPE, text=True)
        for rank in ("0", "1")
    ]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        expected = "`module` must be filled before it is shared among processes, got "
        lines = [f"{expected}{name!r}" for name in ("FullyShardedModule", "ShardedToAllLinear") for _ in range(2)]
        assert (process.returncode, said.splitlines()) == (0, lines)


def tied() -> Any:
    module = nn.Sequential(nn.Embedding(32, 16), nn.Linear(16, 32, bias=False))
    module.layers[1].weight = module.layers[0].weight
    return module


def test_ties() -> None:
    """If this fails one array in two places becomes two."""
    by_name = vs.RandomNormal(0.0, 0.02, 7).fold_in("layers.0.weight")((32, 16))
    module = vs.mlx.init_(tied(), vs.lecun_normal(), seed=7)
    assert module.layers[0].weight is module.layers[1].weight
    assert np.array_equal(np.array(module.layers[0].weight), by_name)
    for names in (["layers.0.weight"], ["layers.0.weight", "layers.1.weight"]):
        module = vs.mlx.init_(
            tied(), vs.Model({name: ((32, 16), None, vs.RandomNormal(0.0, 0.02)) for name in names}), 7
        )
        assert module.layers[0].weight is module.layers[1].weight
        assert np.array_equal(np.array(module.layers[0].weight), by_name)
    two = vs.Model({"layers.0.weight": ((32, 16), None, vs.ones()), "layers.1.weight": ((32, 16), None, vs.zeros())})
    with pytest.raises(ValueError, match=r"one law for 'layers.0.weight' and 'layers.1.weight', which are one array"):
        vs.mlx.init_(module, two, 7)


def test_models() -> None:
    """If this fails a model's rules do not reach a module, or one for other parameters leaves some out in silence."""
    module = network()
    arrays = arrays_of(module)
    model = vs.Model(arrays, [("layers.2.weight", vs.ones()), ("*.weight", vs.he_normal())], layout="mlx")
    vs.mlx.init_(module, model, seed=7)
    assert all(np.array_equal(array, model.init(7)[name]) for name, array in weights(module).items())
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"layers.9.weight": (3, 4)}, r"every parameter of the module, lacks \['layers\.0\.weight', "),
        ({**arrays, "layers.9.weight": (3, 4)}, r"no other parameters than the module, has \['layers\.9\.weight'\]"),
        (
            {**arrays, "layers.3.weight": (2, 144)},
            r"'layers\.3\.weight' as float32 \(1, 144\), has float32 \(2, 144\)",
        ),
        ({**arrays, "layers.3.weight": ((1, 144), "bfloat16")}, r"'layers\.3\.weight' as float32 .*, has bfloat16 "),
    ]
    for wrong, message in wrongs:
        with pytest.raises(ValueError, match=f"`init_or_model` must have {message}"):
            vs.mlx.init_(module, vs.Model(wrong, layout="mlx"), 7)
    with pytest.raises(TypeError, match="`init_or_model` must be one of varscale's own initializers or a model"):
        vs.mlx.init_(module, nn.init.normal(), 7)
