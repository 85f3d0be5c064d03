"""Checkpoints of networks: what transformers reads, and what it would have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import transformers
from safetensors.torch import load_file

import varscale as vs
from varscale._command.main import main
from varscale._command.source import read_source

SMALL = {
    "GPT2LMHeadModel": transformers.GPT2Config(
        n_layer=2, n_embd=32, n_head=4, vocab_size=100, n_positions=16, bos_token_id=0, eos_token_id=0
    ),
    "BertForMaskedLM": transformers.BertConfig(
        num_hidden_layers=2, hidden_size=32, num_attention_heads=4, intermediate_size=64, vocab_size=100
    ),
    "LlamaForCausalLM": transformers.LlamaConfig(
        num_hidden_layers=2, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
        vocab_size=100, dtype="bfloat16",
    ),
    "MixtralForCausalLM": transformers.MixtralConfig(
        num_hidden_layers=2, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
        vocab_size=100, num_local_experts=4,
    ),
    "ResNetForImageClassification": transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], num_labels=3
    ),
}  # fmt: skip


def config_of(name: str, folder: Path) -> Path:
    """A folder with the config.json of a small network."""
    config = SMALL[name]
    config.architectures = [name]
    config.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("max_shard", ["5GB", "20KB"])
def test_a_config_of_transformers_is_loaded_by_from_pretrained(tmp_path: Path, name: str, max_shard: str) -> None:
    """If this fails a config does not become a checkpoint that `from_pretrained` loads, with the network's own laws."""
    folder, out = config_of(name, tmp_path / "config"), tmp_path / "out"
    assert main(["init", str(folder), "-o", str(out), "--seed", "7", "--max-shard", max_shard, "--quiet"]) == 0
    cls = getattr(transformers, name)
    network, found = cls.from_pretrained(out, output_loading_info=True)
    assert not any(found[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    model = read_source(str(folder), [], None).model
    state = network.state_dict()
    for key, values in model.init(7).items():
        wanted = torch.from_numpy(values.astype("float32")).to(state[key].dtype) if values.ndim else values
        assert (state[key] == torch.as_tensor(wanted)).all(), key
    assert (out / "config.json").read_bytes() == (folder / "config.json").read_bytes()
    assert {entry.dtype.name for entry in model.values()} - {"int64"} == {
        "bfloat16" if name.startswith("Llama") else "float32"
    }


@pytest.mark.parametrize("name", ["GPT2LMHeadModel", "BertForMaskedLM", "LlamaForCausalLM"])
@pytest.mark.parametrize("max_shard", [10**9, 60_000, 9_000, 4_096])
def test_files_are_those_of_save_pretrained(tmp_path: Path, name: str, max_shard: int) -> None:
    """If this fails the files have other names, tensors or indices than transformers gives them."""
    network = getattr(transformers, name)(SMALL[name])
    network.save_pretrained(tmp_path / "theirs", max_shard_size=max_shard)
    folder = config_of(name, tmp_path / "config")
    model = read_source(str(folder), [], None).model
    vs.checkpoint.save(model, tmp_path / "ours", 7, max_shard=max_shard)
    theirs, ours = (tmp_path / place for place in ("theirs", "ours"))
    files = {path.name for path in theirs.iterdir() if path.name.startswith("model")}
    assert {path.name for path in ours.iterdir()} == files
    for file in files:
        if file.endswith(".json"):
            assert (ours / file).read_text() == (theirs / file).read_text()
        else:
            assert shapes(ours / file) == shapes(theirs / file)


def shapes(file: Path) -> list[tuple[str, Any]]:
    """The header of a file in its order, without what it says of itself."""
    raw = file.read_bytes()
    entries = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert entries.pop("__metadata__")["format"] == "pt"
    return [*entries.items()]


def test_functions_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a function that builds a module, or returns a model of one, has other laws than its code."""
    (tmp_path / "torch_nets.py").write_text(
        "import torch, varscale as vs\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.fc = torch.nn.Linear(8, 4)\n"
        "        torch.nn.init.normal_(self.fc.weight, 0.0, 0.5)\n"
        "        self.register_buffer('table', torch.arange(3.0), persistent=False)\n"
        "def build(): return Net()\n"
        "def model(): return vs.torch.model_of(Net)\n"
        "def permuted(): net = Net(); net.fc.bias.data = torch.randperm(4).float(); return net\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for text in ("torch_nets:Net", "torch_nets:build"):
        model = read_source(text, [vs.Rule("fc.bias", vs.Zeros())], None).model
        assert dict(model) == {
            "fc.weight": ((4, 8), "float32", vs.RandomNormal(0.0, 0.5)), "fc.bias": ((4,), "float32", vs.Zeros()),
        }  # fmt: skip
    whole = read_source("torch_nets:model", [], None).model
    assert whole["table"].initializer == vs.Constant([0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="torch_nets:permuted: --rule must name a law"):
        read_source("torch_nets:permuted", [], None)
    assert main(["init", "torch_nets:build", "-o", str(tmp_path / "out"), "--seed", "7", "--quiet"]) == 0
    network = vs.torch.build(torch.nn.Linear, 8, 4, seed=7)
    network.load_state_dict(
        {key[3:]: value for key, value in load_file(tmp_path / "out" / "model.safetensors").items()}
    )
    assert (network.weight.detach().numpy() == whole.init(7)["fc.weight"]).all()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model_type": "nope"}', '{"model_type": "gpt2", "n_layer": "x"}'])
def test_configs_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """If this fails a broken config ends in a traceback of transformers."""
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SystemExit) as end:
        main(["init", str(tmp_path), "-o", str(tmp_path / "out"), "--seed", "7"])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert "config.json" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("architectures", "message"),
    [
        (["pipeline"], "must name a network that transformers knows first, got ['pipeline']"),
        (["GPT3Model"], "must name a network that transformers knows first, got ['GPT3Model']"),
        (["AutoModel"], "must name a network that transformers knows first, got ['AutoModel']"),
        (["GPT2PreTrainedModel"], "must name a network that has weights, got ['GPT2PreTrainedModel']"),
    ],
)
def test_an_architecture_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], architectures: list[str], message: str
) -> None:
    """If this fails a config calls anything of transformers, or becomes another network than it names."""
    folder = config_of("GPT2LMHeadModel", tmp_path / "config")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": architectures}))
    with pytest.raises(SystemExit) as end:
        main(["init", str(folder), "-o", str(tmp_path / "out"), "--seed", "7"])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_architecture_is_the_base(tmp_path: Path) -> None:
    """If this fails a config that names no architecture is no source any more."""
    SMALL["GPT2LMHeadModel"].architectures = None
    SMALL["GPT2LMHeadModel"].save_pretrained(tmp_path)
    assert "wte.weight" in read_source(str(tmp_path), [], None).model


MODELS = Path(__file__).parents[2] / "examples" / "models"


def networks(name: str) -> Any:
    """The network that an example is, on the meta device."""
    llama = {"hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8}
    if name == "resnet50":
        return torchvision.models.resnet50
    if name == "gpt2_small":
        return lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config())
    if name == "bert_base":
        return lambda: transformers.BertForMaskedLM(transformers.BertConfig())
    config = transformers.LlamaConfig(vocab_size=128256, num_hidden_layers=32, **llama)
    return lambda: transformers.LlamaForCausalLM(config)


@pytest.mark.parametrize("name", ["resnet50", "gpt2_small", "bert_base", "llama3_8b"])
def test_examples_are_the_networks_that_they_name(name: str) -> None:
    """If this fails an example has other tensors than its network, or starts them from other laws."""
    spec = read_source(str(MODELS / f"{name}.toml"), [], None).model
    with torch.device("meta"):
        stored = networks(name)().state_dict()
    model = vs.torch.model_of(networks(name))
    names = [key for key in stored if key in model]
    assert set(spec) == set(names)
    assert {key: spec[key].shape for key in names} == {key: model[key].shape for key in names}
    ours = {row.name: row for row in spec.describe().rows}
    for row in model.describe().rows:
        if row.name in ours and name != "bert_base":  # whose law is the one of its authors
            found = ours[row.name]
            assert (found.mean, found.stddev) == pytest.approx((row.mean, row.stddev), rel=1e-12), row.name
    text = (MODELS / f"{name}.toml").read_text(encoding="utf-8")
    assert f"{len(spec)} tensors" in text
    assert f"{spec.size:,} numbers" in text.replace("\n# ", " ")


def test_mixtral_is_read_by_its_names(tmp_path: Path) -> None:
    """If this fails the example of Mixtral has other names than transformers reads."""
    text = (MODELS / "mixtral_8x7b.toml").read_text(encoding="utf-8")
    whole = read_source(str(MODELS / "mixtral_8x7b.toml"), [], None).model
    assert f"{len(whole)} tensors, {whole.size:,} numbers" in text
    for large, small in (
        ("14336", "64"),
        ("4096", "32"),
        ("1024", "16"),
        ("32000", "100"),
        ("count = 32", "count = 2"),
    ):
        text = text.replace(large, small)
    (tmp_path / "small.toml").write_text(text.replace("bfloat16", "float32"), encoding="utf-8")
    config = transformers.MixtralConfig(
        num_hidden_layers=2, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
        vocab_size=100, architectures=["MixtralForCausalLM"],
    )  # fmt: skip
    config.save_pretrained(tmp_path / "out")
    assert main(["init", str(tmp_path / "small.toml"), "-o", str(tmp_path / "out"), "--seed", "7", "--quiet"]) == 0
    _, found = transformers.MixtralForCausalLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not any(found[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))


def test_a_rule_that_matches_nothing_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a slip in a rule shows lines of our own code before it says what is wrong."""
    with pytest.raises(SystemExit) as end:
        main(["describe", str(config_of("GPT2LMHeadModel", tmp_path)), "--rule", "nosuch*=zeros"])
    said = "varscale: error: --rule must match a tensor, got the pattern 'nosuch*', which matches none\n"
    assert (end.value.code, capsys.readouterr().err) == (2, said)
