"""Weights of every framework's layers: the arguments that say what they are, and where our fans are others and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parents[1] / "known_answers" / "fans.txt"
"""The shapes of these weights and the fans that the frameworks themselves count; tests/originals/fans.py writes it."""

GROUPS = "they count the outputs of all groups, where an input meets those of its own"
DEPTHWISE = "they count all channels, where an output meets one"
TRANSPOSED = "they take the output axis for the input axis"
BOTH = f"{TRANSPOSED}, and {GROUPS}"
BLOCKS = "they count independent matrices as one"
EXPERTS = "they count experts as the places of a kernel"


class Layer(NamedTuple):
    """A weight of a layer."""

    framework: str
    weight: str
    """The layer and its weight, as tests/originals/fans_values.py makes them."""
    ours: dict[str, Any]
    """Our arguments."""
    fans: tuple[int, int] | None = None
    """Our fans, where they are not the framework's."""
    reason: str = ""
    """Why."""


def _keras() -> list[Layer]:
    def layer(weight: str, fans: tuple[int, int] | None = None, reason: str = "", **ours: Any) -> Layer:
        return Layer("keras", weight, {"layout": "keras", **ours}, fans, reason)

    return [
        layer("Dense(300), (100,)"),
        layer("Conv1D(64, 5), (9, 32)"),
        layer("Conv2D(128, 3), (9, 9, 64)"),
        layer("Conv2D(128, (1, 7)), (9, 9, 64)"),
        layer("Conv3D(16, 3), (9, 9, 9, 8)"),
        layer("Conv1D(64, 5, groups=4), (9, 32)", (40, 80), GROUPS, groups=4),
        layer("Conv2D(128, 3, groups=8), (9, 9, 64)", (72, 144), GROUPS, groups=8),
        layer("Conv2D(128, 3, groups=64), (9, 9, 64)", (9, 18), GROUPS, groups=64),
        layer("DepthwiseConv1D(5), (9, 32)", (5, 5), DEPTHWISE, depthwise=True),
        layer("DepthwiseConv2D(3), (9, 9, 512)", (9, 9), DEPTHWISE, depthwise=True),
        layer("DepthwiseConv2D(3, depth_multiplier=4), (9, 9, 64)", (9, 36), DEPTHWISE, depthwise=True),
        layer(
            "SeparableConv2D(128, 3, depth_multiplier=2), (9, 9, 64): depthwise_kernel",
            (9, 18),
            DEPTHWISE,
            depthwise=True,
        ),
        layer("SeparableConv2D(128, 3), (9, 9, 64): pointwise_kernel"),
        layer("Conv1DTranspose(16, 5), (9, 32)", (160, 80), TRANSPOSED, transposed=True),
        layer("Conv2DTranspose(32, 4), (9, 9, 128)", (2048, 512), TRANSPOSED, transposed=True),
        layer("Conv3DTranspose(4, 3), (9, 9, 9, 8)", (216, 108), TRANSPOSED, transposed=True),
        layer("Conv2DTranspose(64, 3), (9, 9, 64)", transposed=True),
        layer("SimpleRNN(128), (9, 64): cell.kernel"),
        layer("LSTM(128), (9, 64): cell.kernel", (64, 128), BLOCKS, blocks=4),
        layer(
            "LSTM(128, recurrent_initializer='glorot_uniform'), (9, 64): cell.recurrent_kernel",
            (128, 128),
            BLOCKS,
            blocks=4,
        ),
        layer("GRU(128), (9, 64): cell.kernel", (64, 128), BLOCKS, blocks=3),
        layer("ConvLSTM2D(16, 3), (9, 9, 9, 8): cell.kernel", (72, 144), BLOCKS, blocks=4),
        layer("Embedding(1000, 64, 'glorot_uniform'), (9,): embeddings"),
        layer("MultiHeadAttention(8, 64), (9, 512), (9, 512): _query_dense.kernel", in_axis=0, out_axis=(1, 2)),
        layer("MultiHeadAttention(8, 64), (9, 512), (9, 512): _output_dense.kernel", in_axis=(0, 1), out_axis=2),
    ]


def _jax() -> list[Layer]:
    def layer(weight: str, fans: tuple[int, int] | None = None, reason: str = "", **ours: Any) -> Layer:
        return Layer("jax", weight, {"layout": "jax", **ours}, fans, reason)

    return [
        layer("Dense(300), (100,)"),
        layer("Conv(64, (5,)), (9, 32)"),
        layer("Conv(128, (3, 3)), (9, 9, 64)"),
        layer("Conv(16, (3, 3, 3)), (9, 9, 9, 8)"),
        layer("Conv(128, (3, 3), feature_group_count=8), (9, 9, 64)", (72, 144), GROUPS, groups=8),
        layer("Conv(128, (3, 3), feature_group_count=64), (9, 9, 64)", (9, 18), GROUPS, groups=64),
        layer("ConvTranspose(32, (4, 4)), (9, 9, 128)"),
        layer(
            "ConvTranspose(32, (4, 4), transpose_kernel=True), (9, 9, 128)", (2048, 512), TRANSPOSED, transposed=True
        ),
        layer("ConvTranspose(16, (5,), transpose_kernel=True), (9, 32)", (160, 80), TRANSPOSED, transposed=True),
        layer("DenseGeneral((8, 64)), (512,)", in_axis=0, out_axis=(1, 2)),
        layer("DenseGeneral(512, axis=(-2, -1)), (8, 64)", in_axis=(0, 1), out_axis=2),
        layer("variance_scaling(), (8, 64, 32)", (64, 32), EXPERTS, batch_axis=0),
        layer("variance_scaling(batch_axis=0), (8, 64, 32)", batch_axis=0),
        layer("variance_scaling(batch_axis=(0, 1)), (2, 8, 64, 32)", batch_axis=(0, 1)),
        layer("variance_scaling(in_axis=1, out_axis=0), (128, 64, 3, 3)", layout="torch"),
        layer("variance_scaling(in_axis=2, out_axis=1, batch_axis=0), (8, 32, 64)", layout="torch", batch_axis=0),
        layer("variance_scaling(in_axis=-1, out_axis=0), (128, 3, 3, 64)", layout="mlx"),
        layer("variance_scaling(), (64, 512)", (64, 128), BLOCKS, blocks=4),
    ]


def _torch() -> list[Layer]:
    def layer(weight: str, fans: tuple[int, int] | None = None, reason: str = "", **ours: Any) -> Layer:
        return Layer("torch", weight, {"layout": "torch", **ours}, fans, reason)

    return [
        layer("Linear(100, 300).weight"),
        layer("Bilinear(8, 9, 10).weight"),
        layer("Embedding(1000, 64).weight"),
        layer("Conv1d(32, 64, 5).weight"),
        layer("Conv2d(64, 128, 3).weight"),
        layer("Conv2d(64, 128, (1, 7)).weight"),
        layer("Conv3d(8, 16, 3).weight"),
        layer("Conv1d(32, 64, 5, groups=4).weight", (40, 80), GROUPS, groups=4),
        layer("Conv2d(64, 128, 3, groups=8).weight", (72, 144), GROUPS, groups=8),
        layer("Conv2d(64, 128, 3, groups=64).weight", (9, 18), GROUPS, groups=64),
        layer("ConvTranspose1d(32, 16, 5).weight", (160, 80), TRANSPOSED, transposed=True),
        layer("ConvTranspose2d(128, 32, 4).weight", (2048, 512), TRANSPOSED, transposed=True),
        layer("ConvTranspose3d(8, 4, 3).weight", (216, 108), TRANSPOSED, transposed=True),
        layer("ConvTranspose2d(128, 32, 4, groups=8).weight", (256, 64), BOTH, transposed=True, groups=8),
        layer("MultiheadAttention(64, 8).in_proj_weight", (64, 64), BLOCKS, blocks=3),
        layer("MultiheadAttention(64, 8, kdim=32).k_proj_weight"),
        layer("RNN(64, 128).weight_ih_l0"),
        layer("LSTM(64, 128).weight_ih_l0", (64, 128), BLOCKS, blocks=4),
        layer("LSTM(64, 128).weight_hh_l0", (128, 128), BLOCKS, blocks=4),
        layer("LSTM(64, 128, proj_size=32).weight_hr_l0"),
        layer("GRUCell(64, 128).weight_ih", (64, 128), BLOCKS, blocks=3),
        layer("Parameter(empty(8, 32, 64))", (64, 32), EXPERTS, batch_axis=0),
    ]


def _mlx() -> list[Layer]:
    def layer(weight: str, fans: tuple[int, int] | None = None, reason: str = "", **ours: Any) -> Layer:
        return Layer("mlx", weight, {"layout": "mlx", **ours}, fans, reason)

    return [
        layer("Linear(100, 300).weight"),
        layer("Bilinear(8, 9, 10).weight"),
        layer("Embedding(1000, 64).weight"),
        layer("Conv1d(32, 64, 5).weight"),
        layer("Conv2d(64, 128, 3).weight"),
        layer("Conv2d(64, 128, (1, 7)).weight"),
        layer("Conv3d(8, 16, 3).weight"),
        layer("Conv2d(64, 128, 3, groups=8).weight", (72, 144), GROUPS, groups=8),
        layer("Conv2d(64, 128, 3, groups=64).weight", (9, 18), GROUPS, groups=64),
        layer("ConvTranspose1d(32, 16, 5).weight", transposed=True),
        layer("ConvTranspose2d(128, 32, 4).weight", transposed=True),
        layer("ConvTranspose3d(8, 4, 3).weight", transposed=True),
        layer("MultiHeadAttention(64, 8).query_proj.weight"),
        layer("RNN(64, 128).Wxh"),
        layer("LSTM(64, 128).Wx", (64, 128), BLOCKS, blocks=4),
        layer("GRU(64, 128).Wh", (128, 128), BLOCKS, blocks=3),
        layer("zeros((8, 32, 64))", (64, 32), EXPERTS, batch_axis=0),
    ]


LAYERS = (*_keras(), *_jax(), *_torch(), *_mlx())
