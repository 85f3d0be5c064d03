"""Networks of PyTorch's libraries: built, trained, saved, loaded in another process, copied."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import timm
import torch
from transformers import AutoModelForCausalLM, AutoModelForImageClassification, GPT2Config, LlamaConfig, ViTConfig

import varscale as vs
from process.child import run

SMALL = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}


def gpt2() -> Any:
    config = GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=100, n_positions=16, bos_token_id=0, eos_token_id=0)
    return AutoModelForCausalLM.from_config(config)


def llama() -> Any:
    return AutoModelForCausalLM.from_config(LlamaConfig(vocab_size=100, num_key_value_heads=1, **SMALL))


def vit() -> Any:
    return AutoModelForImageClassification.from_config(ViTConfig(image_size=16, patch_size=8, **SMALL))


def resnet() -> Any:
    return timm.create_model("resnet10t", num_classes=10)


TOKENS = torch.arange(24).reshape(2, 12)
IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[Any], torch.Tensor]]] = {
    "gpt2": (gpt2, lambda network: network(TOKENS, labels=TOKENS).loss),
    "llama": (llama, lambda network: network(TOKENS, labels=TOKENS).loss),
    "vit": (vit, lambda network: network(IMAGES[..., :16, :16]).logits.square().mean()),
    "resnet": (resnet, lambda network: network(IMAGES).square().mean()),
}


def digest(network: Any) -> str:
    """The SHA-256 of all parameters and buffers."""
    found = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        found.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_starts_from_its_own_laws(name: str) -> None:
    """If this fails a network of transformers or timm has other weights than NumPy's of its names and one seed."""
    make, _ = NETWORKS[name]
    model = vs.torch.model_of(make)
    network = vs.torch.build(make, seed=7)
    expected = model.init(seed=7)
    parameters = dict(network.named_parameters())
    assert len(parameters) > 10
    assert set(parameters) <= set(expected)
    for name, parameter in parameters.items():
        assert parameter.detach().numpy().tobytes() == expected[name].tobytes(), name


@pytest.mark.parametrize("name", NETWORKS)
def test_training_saving_loading_and_copying(name: str, tmp_path: Path) -> None:
    """If this fails an initialised network does not train, or another process, or a copy, has other weights."""
    make, loss = NETWORKS[name]
    network = vs.torch.build(make, seed=7)
    before = digest(network)
    assert digest(copy.deepcopy(network)) == before
    torch.save(network.state_dict(), tmp_path / "start.pt")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        found = loss(network)
        found.backward()
        optimizer.step()
        losses.append(float(found.detach()))
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    torch.save(network.state_dict(), tmp_path / "end.pt")
    script = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[2])]!r}
import torch, varscale as vs
from test_torch_families import NETWORKS, digest
make, _ = NETWORKS[{name!r}]
print(digest(vs.torch.build(make, seed=7)))
for file in ("start", "end"):
    network = make()
    network.load_state_dict(torch.load({str(tmp_path)!r} + f"/{{file}}.pt"))
    print(digest(network))
"""
    assert run(script).stdout.split()[-3:] == [before, before, digest(network)]


def test_hugging_face_saves_and_loads(tmp_path: Path) -> None:
    """If this fails `from_pretrained` in another process reads other weights than were initialised."""
    network = vs.torch.build(gpt2, seed=7)
    network.save_pretrained(tmp_path)
    script = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[2])]!r}
from transformers import AutoModelForCausalLM
from test_torch_families import digest
print(digest(AutoModelForCausalLM.from_pretrained({str(tmp_path)!r})))
"""
    assert run(script).stdout.split()[-1] == digest(network)


class Module(lightning.LightningModule):
    """A module of Lightning, whose weights are filled when it configures its model."""

    def configure_model(self) -> None:
        if not hasattr(self, "layers"):
            with torch.device("meta"):
                layers = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
            self.layers = vs.torch.init_(layers.to_empty(device="cpu"), vs.he_normal(), seed=7)
            self.start = layers[0].weight.detach().clone()

    def training_step(self, batch: torch.Tensor, number: int) -> torch.Tensor:
        return (self.layers(batch) - 1).square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


@pytest.mark.filterwarnings("ignore")
def test_lightning(tmp_path: Path) -> None:
    """If this fails a module of Lightning trains from other weights than NumPy's, or its checkpoint has others."""
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(module, torch.utils.data.DataLoader(torch.linspace(-1, 1, 64).reshape(8, 8), batch_size=4))
    start = vs.he_normal(7, in_axis=1, out_axis=0).fold_in("0.weight")((16, 8))
    assert np.array_equal(module.start.numpy(), start)
    assert not np.array_equal(module.layers[0].weight.detach().numpy(), start)
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    script = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[2])]!r}
from test_torch_families import Module, digest
module = Module()
module.configure_model()
print(digest(module))
print(digest(Module.load_from_checkpoint({str(tmp_path / "end.ckpt")!r}, map_location="cpu")))
"""
    fresh = Module()
    fresh.configure_model()
    assert run(script).stdout.split()[-2:] == [digest(fresh), digest(module)]
