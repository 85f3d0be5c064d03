"""Writes tests/known_answers/fans.txt: the fans that Keras, JAX, torch and MLX themselves count for their layers.

PYTHONPATH=python:tests .venv/bin/python tests/originals/fans.py
"""

from __future__ import annotations

from arguments.layers import FILE, LAYERS
from frameworks import answers

HEADER = """\
# The shapes of weights, and the fans that Keras 3.15, JAX 0.10 with Flax 0.12, torch 2.15 and MLX 0.32 themselves count
# for them: framework, layer, shape, fan_in and fan_out. Written by tests/originals/fans.py.
"""
ENVIRONMENTS = {"keras": "jax", "jax": "jax", "torch": "torch", "mlx": "mlx"}


def text() -> str:
    """The whole file."""
    lines = []
    for framework, environment in ENVIRONMENTS.items():
        weights = [layer.weight for layer in LAYERS if layer.framework == framework]
        found = answers(environment, "fans_values.py", framework, *weights, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
        for number, weight in enumerate(weights):
            fan_in, fan_out, *shape = map(int, found[str(number)])
            lines.append(f"{framework} | {weight} | {tuple(shape)} | {fan_in} {fan_out}\n")
    return HEADER + "".join(lines)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
