"""Replays of TensorFlow, tf_keras and Keras 3 on TensorFlow: known answers, positions, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from answers import known_answers
from varscale import replay

DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
RULES = {
    "lecun_normal": lambda seed: vs.lecun_normal(seed),
    "LecunNormal": lambda seed: vs.LecunNormal(seed),
    "GlorotUniform": lambda seed: vs.GlorotUniform(seed),
    "VS untruncated": lambda seed: vs.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed),
    "VS uniform": lambda seed: vs.VarianceScaling(1.0, "fan_in", "uniform", seed),
    "RandomNormal(0,.05)": lambda seed: vs.RandomNormal(0.0, 0.05, seed),
    "TruncatedNormal(0,.05)": lambda seed: vs.TruncatedNormal(0.0, 0.05, seed),
    "RandomUniform(-.05,.05)": lambda seed: vs.RandomUniform(-0.05, 0.05, seed),
}
STREAMS = {
    "tf.v1": lambda g, s: replay.tf1(s, g),
    "tf_keras": lambda g, s: replay.tf_keras(s),
    "keras3-tf": lambda g, s: replay.keras(s),
}
QUESTION = re.compile(r"(?:graph first-run )?(?P<rule>.*?)(?: G=(?P<g>\S+))? S=(?P<s>\S+) (?P<dtype>\w+)")
CASES = [(stream, *answer) for stream in STREAMS for answer in known_answers(stream)]


def integer(text: str | None) -> int | None:
    return None if text in {None, "None"} else int(text)


def raw(array: NDArray[np.generic]) -> NDArray[np.unsignedinteger]:
    return array.view(f"u{array.itemsize}").ravel()


def test_there_are_known_answers() -> None:
    """If this fails the next test tests nothing."""
    assert len(CASES) == 48


@pytest.mark.parametrize(("stream", "question", "bits"), CASES, ids=lambda value: str(value)[:60])
def test_known_answers(stream: str, question: str, bits: NDArray[np.unsignedinteger]) -> None:
    """If this fails a replay gives other bits than the framework itself gave."""
    asked = QUESTION.fullmatch(question)
    assert asked is not None
    seed = STREAMS[stream](integer(asked["g"]), integer(asked["s"]))
    init = RULES[asked["rule"]](seed)
    array = init((2, 4), DTYPES.get(asked["dtype"], asked["dtype"]))
    assert raw(array).tolist() == bits.tolist()
