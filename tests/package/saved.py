"""What users keep: a pickle and a config of every class, in tests/saved/, a file per version that wrote them.

    PYTHONPATH=tests python -m package.saved

writes the file of this version anew. A file of a released version is frozen, and later versions read it.
"""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import frozen
import varscale as vs
from varscale import checkpoint, replay

FOLDER = Path(__file__).parents[1] / "saved"
MODEL = "vs.Model({'w': (3, 4), 'b': ((4,), 'bfloat16', vs.Ones())}, [('w', vs.he_normal(in_axis=1, out_axis=0))])"
NUMBERS = "0.0, 1.0, -1.0, 1.0, 0, 0, 0.0, 1.0, 0.5"
EXPRESSIONS = (
    "vs.VarianceScaling(2.0, 'fan_geo_avg', 'uniform', 3, 'float16', in_axis=(0, 1), out_axis=2, batch_axis=3)",
    "vs.VarianceScaling(gain='gelu', seed=3, lower=-1, upper=np.inf)",
    "vs.residual(vs.he_normal(5), 12)",
    "vs.lecun_normal(2**70, dtype='bfloat16').fold_in('encoder', 0, 'kernel')",
    "vs.lecun_uniform(-1)",
    "vs.glorot_normal(1, in_axis=1, out_axis=0)",
    "vs.glorot_uniform()",
    "vs.he_normal(5)",
    "vs.he_normal(5, fan_in=64, fan_out=2.5)",
    "vs.he_normal(5, layout='torch', groups=2, transposed=True, blocks=3)",
    "vs.glorot_normal(5, layout='keras', depthwise=True, fan_in=9, fan_out=18)",
    "vs.he_uniform(6)",
    "vs.RandomNormal(1.0, 2.0, 3, 'float64')",
    "vs.RandomNormal(0.0, 1.0, 3, 'float8_e4m3fn')",
    "vs.he_uniform(7, dtype='complex64').fold_in('spectrum')",
    "vs.TruncatedNormal(0.0, 1.0, 4, lower=-np.inf, upper=0.5)",
    "vs.RandomUniform(-1.0, 1.0, 9)",
    "vs.LogUniform(0.001, 0.1, 9, 'float64', floor=1e-2, inverse_softplus=True)",
    "vs.Orthogonal(1.4, 7, 'float64', axis=0, blocks=4).fold_in('recurrent')",
    "vs.DeltaOrthogonal(0.5, 7)",
    "vs.Constant([[1, 2], [3, 4]], 'int32')",
    "vs.Zeros('float8_e4m3fn')",
    "vs.Ones('bool')",
    "vs.Identity(-2.0, 'float64')",
    "vs.Constant([1, 2], verify_shape=True)",
    "vs.Dirac(2, 'int8', layout='torch')",
    "vs.Bilinear('float64', layout='mlx')",
    "vs.Sparse(0.5, 0.02, 9, 'bfloat16').fold_in('cell')",
    "vs.UniformUnitScaling(1.43, 9, in_axis=1, out_axis=0)",
    "vs.Pieces([(..., vs.RandomNormal()), ((slice(1, 3), -1), vs.Ones())], 7, 'float64').fold_in('wte')",
    "vs.lecun_normal(replay.tf1(42, 7, skip=3, eager=True))",
    "vs.he_uniform(replay.tf_keras(42))",
    "vs.he_normal(replay.keras(3, 'tensorflow'))",
    "vs.he_normal(replay.keras(3, 'jax', 2))",
    "vs.he_normal(replay.keras(3, 'torch'))",
    "vs.RandomUniform(seed=replay.keras(3, 'numpy'))",
    "vs.lecun_normal(replay.jax(42, True, jit=True).fold_in(5))",
    "vs.RandomNormal(seed=replay.torch(0, 10, 'default', spare=4))",
    "replay.tf1(42)",
    "replay.tf_keras(42)",
    "replay.keras(42, 'jax')",
    "replay.jax(42)",
    "replay.torch(42)",
    "replay.torch(42).draws()",
    "vs.lecun_normal(7).describe((30, 40))",
    "vs.lecun_normal(7).lazy((6, 4), 'bfloat16')",
    "vs.PartitionInfo((6, 4), (3, 0))",
    "vs.Rule('*.weight', vs.RandomNormal(0.0, 0.02), rank=range(2, 5))",
    "vs.default_rules(weight=vs.he_normal())",
    MODEL,
    f"{MODEL}['b']",
    f"{MODEL}.describe()",
    f"{MODEL}.describe().rows[0]",
    f"next({MODEL}.jobs(7))",
    f"next({MODEL}.jobs(7)).run()[1]",
    "checkpoint.Diff((checkpoint.Difference('w', 'values', 'F32', 'F32', 3, 0.5),), 7)",
    f"checkpoint.Inspection((checkpoint.Inspected('w', 'float32', (2,), {NUMBERS}, 'ab', None, ('dead',)),), ('b',))",
)


class Saved(NamedTuple):
    """One thing that was kept."""

    expression: str
    """What made it."""
    pickled: bytes
    config: Any
    """What `serialize` returned, or a model's `to_dict`; None for what has no config."""
    values: str | None
    """The digest of a seeded tensor."""


def made(expression: str) -> Any:
    """What an expression makes."""
    return eval(expression, {"vs": vs, "checkpoint": checkpoint, "replay": replay, "np": np})


def config_of(thing: Any) -> Any:
    """A config of what has one."""
    if isinstance(thing, vs.Initializer):
        return vs.serialize(thing)
    if isinstance(thing, vs.Model):
        return thing.to_dict()
    return thing.serialize() if isinstance(thing, replay.Replay) else None


SHAPES: dict[type, tuple[int, ...]] = {vs.DeltaOrthogonal: (3, 3, 4, 6)}
"""Those of classes that make no matrices."""


def digest(thing: Any) -> str | None:
    """Of the values that a seeded thing makes."""
    if isinstance(thing, vs.Lazy):
        return sha256(thing[...].tobytes()).hexdigest()
    if isinstance(thing, vs.Model):
        return sha256(b"".join(array.tobytes() for array in thing.init(7).values())).hexdigest()
    if isinstance(thing, vs.ModelJob):
        return sha256(b"".join(part.values.tobytes() for part in thing.run())).hexdigest()
    if isinstance(thing, vs.Initializer) and getattr(thing, "seed", None) is not None:
        shape = (3, 4, 5, 2) if getattr(thing, "batch_axis", ()) else SHAPES.get(type(thing), (4, 6))
        return sha256(thing(shape).tobytes()).hexdigest()
    return None


def read(file: Path) -> Iterator[Saved]:
    """What a version kept."""
    for expression, kept in json.loads(file.read_text(encoding="utf-8")).items():
        yield Saved(expression, base64.b64decode(kept["pickle"]), kept["config"], kept["values"])


def write() -> None:
    """Keeps everything as this version writes it."""
    rows = {
        expression: {
            "pickle": base64.b64encode(pickle.dumps(made(expression), protocol=2)).decode(),
            "config": config_of(made(expression)),
            "values": digest(made(expression)),
        }
        for expression in EXPRESSIONS
    }
    frozen.write(f"saved/{vs.__version__}.json", [json.dumps(rows, indent=1), "\n"])


if __name__ == "__main__":
    write()
