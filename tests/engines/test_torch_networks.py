"""Real networks: the laws that are read of them make what their own construction makes."""

from __future__ import annotations

import resource
import time
import warnings
from collections.abc import Iterator
from math import hypot, sqrt
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from torch import nn

import varscale as vs
from networks import NETWORKS

SETTLED: dict[str, tuple[str, str, Any]] = {
    "transformers RecurrentGemma": ("aten.log", "*.recurrent_param", vs.RandomUniform(-8.0, -4.3)),
    "transformers Wav2Vec2": ("aten.norm", "*.parametrizations.weight.original0", vs.Ones()),
    "transformers Hubert": ("aten.norm", "*.parametrizations.weight.original0", vs.Ones()),
}
"""What is refused: the operation that is named, and the rule that settles it."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The networks' own warnings are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def rows(values: NDArray[Any]) -> NDArray[Any]:
    """Which rows are zero."""
    return ~values.reshape(len(values), -1).any(axis=1) if values.ndim > 1 else np.zeros(0)


def spread(values: NDArray[Any]) -> tuple[float, float]:
    """The standard errors of the mean and of the standard deviation."""
    centred = values - values.mean()
    variance = (centred**2).mean()
    fourth = max((centred**4).mean() - variance**2, 0.0)
    return sqrt(variance / values.size), sqrt(fourth / values.size) / (2 * sqrt(variance))


def compare(found: NDArray[Any], own: NDArray[Any]) -> str:
    """What is wrong with the values of a tensor; an empty string where nothing is."""
    if found.shape != own.shape or found.dtype != own.dtype:
        return f"{found.dtype} {found.shape} for {own.dtype} {own.shape}"
    if np.array_equal(found, own):
        return ""
    found, own = found.astype(np.float64), own.astype(np.float64)
    if not found.std() or not own.std():
        return "constants differ"
    if not np.array_equal(rows(found), rows(own)):
        return "other rows are zero"
    errors = [5 * hypot(*pair) for pair in zip(spread(found), spread(own), strict=True)]
    if abs(found.mean() - own.mean()) > errors[0] or abs(found.std() - own.std()) > errors[1]:
        return f"mean {found.mean():.4g}, own {own.mean():.4g}; stddev {found.std():.4g}, own {own.std():.4g}"
    return ""


def tensors(net: nn.Module) -> dict[str, NDArray[Any]]:
    """All parameters and buffers."""
    named = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    return {name: array(tensor.detach()) for name, tensor in named.items()}


def array(tensor: torch.Tensor) -> NDArray[Any]:
    """A tensor as an array, in bfloat16 too."""
    return tensor.view(torch.int16).numpy().view("bfloat16") if tensor.dtype == torch.bfloat16 else tensor.numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_its_own_laws(name: str) -> None:
    """If this fails a network starts from other laws than its authors gave it."""
    factory = NETWORKS[name]
    rules = []
    if name in SETTLED:
        operation, *rule = SETTLED[name]
        rules = [tuple(rule)]
        with pytest.raises(ValueError, match=operation):
            vs.torch.model_of(factory)
    made = vs.torch.model_of(factory, rules=rules).init(5)
    torch.manual_seed(0)
    own = tensors(factory())
    assert list(made) == list(own)
    settled = {key for key in own for pattern, _ in rules if key.endswith(pattern[1:])}
    wrong = {key: compare(made[key], own[key]) for key in own.keys() - settled}
    assert not {key: why for key, why in wrong.items() if why}


@pytest.mark.parametrize(
    "name", ["transformers Bert", "timm vit_tiny_patch16_224", "tied GPT-2", "torch LSTM", "peft LoRA"]
)
def test_build_is_the_model(name: str) -> None:
    """If this fails `build` makes other values than `model_of`."""
    model = vs.torch.model_of(NETWORKS[name])
    net = vs.torch.build(NETWORKS[name], seed=7)
    found, made = tensors(net), model.init(7)
    assert found.keys() == made.keys()
    assert all(np.array_equal(found[key], made[key]) for key in made)


@pytest.mark.parametrize("name", SETTLED)
def test_build_needs_no_rules(name: str) -> None:
    """If this fails a network whose laws are not all ours starts from others, in what is computed of random values."""
    found = tensors(vs.torch.build(NETWORKS[name], seed=5))
    torch.manual_seed(0)
    own = tensors(NETWORKS[name]())
    assert found.keys() == own.keys()
    wrong = {key: compare(found[key], own[key]) for key in own}
    assert not {key: why for key, why in wrong.items() if why}


def test_what_each_kind_is_known_for() -> None:
    """If this fails one of the faults that people reported is back."""
    lora = vs.torch.model_of(NETWORKS["peft LoRA"])
    assert all(lora[name].initializer == vs.Zeros() for name in lora if "lora_B" in name)
    gpt2 = vs.torch.model_of(NETWORKS["tied GPT-2"])
    assert gpt2["transformer.h.0.mlp.c_proj.weight"].initializer == vs.RandomNormal(0.0, 0.02 / sqrt(4))
    assert "lm_head.weight" not in gpt2
    bert = vs.torch.model_of(NETWORKS["transformers Bert"])["bert.embeddings.word_embeddings.weight"].initializer
    assert bert == vs.Pieces([(..., vs.RandomNormal(0.0, 0.02)), (0, vs.Zeros())])
    mamba = vs.torch.model_of(NETWORKS["transformers Mamba"])
    assert np.allclose(mamba.init(1)["backbone.layers.0.mixer.A_log"], np.log(np.arange(1, 9)))
    steps = mamba["backbone.layers.0.mixer.dt_proj.bias"].initializer
    assert steps == vs.LogUniform(0.001, 0.1, inverse_softplus=True)
    tokens = vs.torch.model_of(NETWORKS["timm vit_tiny_patch16_224"])
    assert tokens["cls_token"].initializer == vs.RandomNormal(0.0, 1e-6)
    assert tokens["pos_embed"].initializer == vs.RandomNormal(0.0, 0.02)


def test_a_large_network_takes_no_memory() -> None:
    """If this fails reading a network of 70 billion parameters allocates them, or takes minutes."""
    config = transformers.LlamaConfig(
        vocab_size=128256,
        hidden_size=8192,
        intermediate_size=28672,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    model = vs.torch.model_of(transformers.AutoModelForCausalLM.from_config, config)
    assert time.process_time() - start < 20  # 0.7 s alone
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000
    assert model.size == 70_553_706_624
    with torch.device("meta"):
        net = transformers.AutoModelForCausalLM.from_config(config)
    assert vs.torch.model_of(net) == model
