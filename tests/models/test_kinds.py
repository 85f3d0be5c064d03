"""Kinds of parameters: what the names of every framework stand for, and that the guide's tables say the same."""

from __future__ import annotations

import pickle
import re
from itertools import takewhile
from math import sqrt
from pathlib import Path

import pytest

import varscale as vs
from varscale._models.kinds import KINDS, Kind, Laws, kind_of, path_of

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "models.md"
EXAMPLES = {
    "any": (3,), "0": (), "1 or more": (1, 1, 4), "1": (4,), "1, one element": (1,), "1, or broadcast": (4,),
    "2": (3, 4), "2, (n, more)": (3, 4), "2, (n, less)": (4, 3), "2 or more": (3, 4), "3": (2, 3, 4),
    "3 or more": (3, 3, 4, 5),
}  # fmt: skip
"""A shape of each form."""


def row(kind: Kind) -> str:
    """The kind's line in the guide."""
    names = ", ".join(f"`{name}`" for name in kind.names)
    layout = "" if kind.layout is None else f" ({kind.layout})"
    return f"| {kind.what} | {names} | {kind.form.words}{layout} | {kind.start} |"


def test_the_guide_has_every_kind() -> None:
    """If this fails users look a name up in the guide, and the code does something else."""
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    heads = [place for place, line in enumerate(lines) if line == "| parameters | names | rank | start |"]
    tables = [list(takewhile(lambda line: line.startswith("| "), lines[place + 2 :])) for place in heads]
    covered = [row(kind) for kind in KINDS if kind.law is not None]
    refused = [row(kind) for kind in KINDS if kind.law is None]
    assert [sorted(table) for table in tables] == [sorted(covered), sorted(refused)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.what}: {kind.names[0]}")
def test_every_name_of_the_guide_is_of_its_kind(kind: Kind) -> None:
    """If this fails a name that the guide promises is unknown, or another kind takes it first."""
    shape = EXAMPLES[kind.form.words]
    assert kind.form.fits(shape)
    for name in kind.names:
        for path in (name, f"model.layers.0.{name}", f"decoder/{name.replace('.', '/')}:0"):
            found = kind_of(path_of(path), shape, kind.layout)
            assert found is not None
            assert (path, found.what) == (path, kind.what)


def test_kinds_of_one_name_start_alike() -> None:
    """If this fails two lines of the guide are one rule, of which the latter decides for both."""
    laws = Laws(vs.lecun_normal(), vs.RandomNormal(), vs.Ones(), vs.Zeros())
    found: dict[str, object] = {}
    for kind in KINDS:
        start = None if kind.law is None else kind.law(laws)
        assert found.setdefault(kind.what, start) == start


LECUN, NORMAL, ONES, ZEROS = vs.lecun_normal(), vs.RandomNormal(0.0, 0.02), vs.Ones(), vs.Zeros()
LORA_A, COUNT = vs.VarianceScaling(1 / 3, "fan_in", "uniform"), vs.Zeros("int64")


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        # torch and what is built on it
        ("conv1.weight", (8, 3, 7, 7), LECUN), ("bn1.weight", (8,), ONES), ("bn1.bias", (8,), ZEROS),
        ("bn1.running_mean", (8,), ZEROS), ("bn1.running_var", (8,), ONES), ("bn1.num_batches_tracked", (), COUNT),
        ("downsample.1.weight", (8,), ONES), ("fc.bias", (8,), ZEROS), ("lm_head.weight", (9, 4), LECUN),
        ("lstm.weight_ih_l0", (8, 3), LECUN), ("lstm.weight_hh_l1_reverse", (8, 2), LECUN),
        ("lstm.weight_hr_l0", (2, 8), LECUN), ("lstm.bias_ih_l0", (8,), ZEROS), ("cell.bias_hh", (8,), ZEROS),
        ("lstm.bias_hh_l0_reverse", (8,), ZEROS), ("cell.weight_ih", (8, 3), LECUN),
        ("attn.in_proj_weight", (12, 4), LECUN), ("attn.in_proj_bias", (12,), ZEROS),
        ("attn.q_proj_weight", (4, 4), LECUN), ("attn.out_proj.weight", (4, 4), LECUN),
        ("conv.parametrizations.weight.original1", (8, 3, 3), LECUN), ("conv.weight_v", (8, 3, 3), LECUN),
        ("fc.parametrizations.weight.original", (8, 3), LECUN), ("fc.weight_orig", (8, 3), LECUN),
        ("model.embed_tokens.weight", (9, 4), NORMAL), ("transformer.wte.weight", (9, 4), NORMAL),
        ("transformer.wpe.weight", (9, 4), NORMAL), ("tok_emb.weight", (9, 4), NORMAL),
        ("shared.weight", (9, 4), NORMAL),
        ("embeddings.token_type_embeddings.weight", (2, 4), NORMAL), ("token_embd.weight", (9, 4), NORMAL),
        ("mlp.gate.weight", (8, 4), LECUN), ("mlp.shared_expert_gate.weight", (1, 4), LECUN),
        ("mlp.gate.e_score_correction_bias", (8,), ZEROS), ("mlp.experts.3.w1.weight", (8, 4), LECUN),
        ("embeddings.cls_token", (1, 1, 8), NORMAL), ("embeddings.class_embedding", (8,), NORMAL),
        ("dist_token", (1, 1, 8), NORMAL), ("mask_token", (1, 8), NORMAL), ("reg_token", (1, 4, 8), NORMAL),
        ("pos_embed", (1, 9, 8), NORMAL), ("pos_embed_window", (1, 8, 3, 3), NORMAL),
        ("embeddings.position_embeddings", (1, 9, 8), NORMAL), ("positional_embedding", (9, 8), NORMAL),
        ("attn.relative_position_bias_table", (9, 2), NORMAL), ("attn.rel_pos_h", (9, 2), NORMAL),
        ("block.0.layer.0.SelfAttention.relative_attention_bias.weight", (32, 2), NORMAL),
        ("blocks.0.ls1.gamma", (8,), vs.Constant(1e-6)), ("blocks.0.mlp.grn.weight", (8,), ZEROS),
        ("grn.bias", (1, 1, 1, 8), ZEROS), ("q_norm.weight", (2, 8), ONES),
        ("LayerNorm2d.weight", (8, 1, 1), ONES), ("norm1.weight", (1,), ONES),
        ("q_proj.lora_A.default.weight", (2, 8), LORA_A), ("q_proj.lora_B.default.weight", (8, 2), ZEROS),
        ("embed_tokens.lora_embedding_A.default", (2, 9), ZEROS), ("wte.lora_A", (2, 9), ZEROS),
        ("embed_tokens.lora_embedding_B.default", (8, 2), vs.RandomNormal(0.0, 1.0)),
        ("lora_unet_to_q.lora_down.weight", (2, 8), LORA_A), ("lora_unet_to_q.lora_up.weight", (8, 2), ZEROS),
        # what must not be taken for an embedding
        ("time_embed.0.weight", (8, 4), LECUN), ("patch_embed.proj.weight", (8, 3, 4, 4), LECUN),
        ("patch_embedding.weight", (8, 48), LECUN), ("x_embedder.weight", (8, 4), LECUN),
        ("embeddings_project.weight", (8, 4), LECUN), ("embed_out.weight", (9, 4), LECUN),
        ("embedding_hidden_mapping_in.weight", (8, 4), LECUN), ("bbox_embed.layers.0.weight", (8, 4), LECUN),
        ("class_embed.weight", (8, 4), LECUN), ("ensemble.weight", (8, 4), LECUN),
        # Keras and TensorFlow
        ("conv2d/kernel", (3, 3, 3, 8), LECUN), ("dense_1/bias:0", (8,), ZEROS),
        ("batch_normalization/gamma", (8,), ONES), ("batch_normalization/beta:0", (8,), ZEROS),
        ("batch_normalization/moving_mean", (8,), ZEROS), ("bn_conv1/moving_variance:0", (8,), ONES),
        ("embedding/embeddings", (9, 4), NORMAL), ("lstm/lstm_cell/recurrent_kernel", (4, 16), LECUN),
        ("gru/gru_cell/bias", (2, 9), ZEROS), ("multi_head_attention/query/bias", (2, 4), ZEROS),
        ("separable_conv2d/pointwise_kernel", (1, 1, 4, 8), LECUN), ("global_step:0", (), COUNT),
        ("normalization/mean", (4,), ZEROS), ("normalization/variance", (4,), ONES), ("normalization/count", (), COUNT),
        ("InceptionV3/Conv2d_1a_3x3/weights", (3, 3, 3, 8), LECUN), ("Logits/biases", (8,), ZEROS),
        ("InceptionV3/Conv2d_1a_3x3/BatchNorm/beta", (8,), ZEROS), ("BatchNorm/moving_variance", (8,), ONES),
        # Flax, Haiku
        ("params/Dense_0/kernel", (3, 4), LECUN), ("params/LayerNorm_0/scale", (4,), ONES),
        ("params/Embed_0/embedding", (9, 4), NORMAL), ("batch_stats/BatchNorm_0/mean", (4,), ZEROS),
        ("batch_stats/stem/var", (4,), ONES),
        ("params/Conv_0/kernel", (3, 4, 8), LECUN), ("cls", (1, 1, 8), NORMAL),
        ("Transformer/posembed_input/pos_embedding", (1, 9, 8), NORMAL), ("relpos_bias/rel_embedding", (2, 32), NORMAL),
        ("lora/lora/lora_a", (8, 2), LORA_A), ("lora/lora/lora_b", (2, 8), ZEROS),
        ("mlp/~/linear_0/w", (3, 4), LECUN), ("mlp/~/linear_0/b", (4,), ZEROS), ("gru/w_i", (3, 12), LECUN),
        ("batch_norm/offset", (1, 1, 1, 4), ZEROS), ("batch_norm/scale", (1, 1, 1, 4), ONES),
        ("batch_norm/~/var_ema/average", (1, 1, 1, 4), ZEROS), ("batch_norm/~/mean_ema/counter", (), COUNT),
        # MXNet, Paddle
        ("resnetv10_conv0_weight", (8, 3, 7, 7), LECUN), ("fc1_bias", (8,), ZEROS), ("batchnorm0_gamma", (8,), ONES),
        ("stage1_batchnorm0_beta", (8,), ZEROS), ("batchnorm0_running_var", (8,), ONES),
        ("lstm0_l0_i2h_weight", (8, 3), LECUN),
        ("bn0_moving_mean", (8,), ZEROS), ("linear_0.w_0", (3, 8), LECUN), ("linear_0.b_0", (8,), ZEROS),
        ("batch_norm_0.w_0", (8,), ONES), ("batch_norm_0.w_1", (8,), ZEROS), ("batch_norm_0.w_2", (8,), ONES),
        ("bn1._mean", (8,), ZEROS), ("bn1._variance", (8,), ONES), ("embedding_0.w_0", (9, 4), NORMAL),
    ],
)  # fmt: skip
def test_names_of_every_framework(name: str, shape: tuple[int, ...], expected: vs.Initializer) -> None:
    """If this fails a usual parameter starts from an unusual law."""
    found = vs.Model({name: shape}, layout="jax")[name]
    assert found.initializer == expected
    assert found.dtype == expected.dtype


@pytest.mark.parametrize(
    ("name", "shape", "layout", "stddev"),
    [
        ("mlp.experts.down_proj", (8, 32, 16), "torch", 1 / 4), ("mlp.experts.down_proj", (8, 16, 32), "jax", 1 / 4),
        ("block_sparse_moe.input_linear.weight", (8, 32, 16), "torch", 1 / 4),
        ("MoeBlock_0/wi_0", (8, 16, 32), "jax", 1 / 4),
        ("shared_experts.up_proj", (2, 8, 4), "torch", 1 / 2),
        ("experts.0.conv.weight", (8, 4, 3), "torch", sqrt(1 / 12)),
        ("depthwise_conv2d/kernel", (3, 3, 64, 1), "keras", 1 / 3),
        ("x/depthwise_weights:0", (3, 3, 64, 2), "keras", 1 / 3),
        ("conv2d_transpose/kernel", (3, 3, 8, 4), "keras", 1 / 6), ("conv2_d_transpose/w", (3, 3, 8, 4), "jax", 1 / 6),
        ("deconv1.weight", (4, 8, 3, 3), "torch", 1 / 6),
        ("layers.0.conv.weight", (8, 4, 3, 3), "torch", 1 / 6), ("q.lora_A.weight", (2, 48), "torch", 1 / 12),
        ("q_proj.lora_a", (48, 2), "mlx", 1 / 12), ("switch_mlp.up_proj.lora_a", (8, 2, 48), "mlx", 1 / 12),
        ("deconv1.weight", (8, 3, 3, 4), "mlx", 1 / 6), ("conv.weight", (8, 3, 3, 4), "mlx", 1 / 6),
        ("attn.c_attn.weight", (12, 4), "torch", 1 / 2), ("attn.c_attn.weight", (4, 12), "jax", 1 / 2),
    ],
)  # fmt: skip
def test_fans_of_every_kind(name: str, shape: tuple[int, ...], layout: str, stddev: float) -> None:
    """If this fails experts, depthwise or transposed kernels have the fans of something else."""
    (found,) = vs.Model({name: shape}, layout=layout).describe()  # type: ignore[arg-type]
    assert found.stddev == pytest.approx(stddev, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("mixer.A_log", (64, 16), "state spaces"), ("mixer.D", (64,), "state spaces"),
        ("mixer.dt_bias", (64,), "state sp"),
        ("mixer.dt_proj.bias", (64,), "state spaces"), ("attention.time_decay", (64,), "state spaces"),
        ("h.0.attn.bias", (1, 1, 8, 8), "biases of several axes"), ("attn.masked_bias", (), "numbers to mask with"),
        ("dense/bias", (3, 4), "biases of several axes"), ("logit_scale", (), "scales of logits"),
        ("attn.logit_scale", (4, 1, 1), "scales of logits"), ("logit_bias", (1,), "scales of logits"),
        ("conv.weight_g", (8, 1, 1), "norms of weights"), ("lstm.weight_hh_l0_g", (8, 1), "norms of weights"),
        ("conv.parametrizations.weight.original0", (8, 1), "norms of w"),
        ("q.lora_magnitude_vector.default.weight", (8,), "norms of weights"), ("fc.weight_u", (8,), "power iterations"),
        ("prelu.weight", (8,), "slopes of PReLU"), ("p_re_lu/alpha", (8,), "slopes of PReLU"),
        ("1.weight", (1,), "0.25 for"),
        ("act.weight", (8,), "slopes of PReLU, maybe"), ("attn.bias_k", (1, 1, 8), "extra keys"),
        ("layer_scale.gamma", (8,), "LayerScale"), ("blocks.0.gamma_1", (8,), "LayerScale"),
        ("stages.0.blocks.0.gamma", (8,), "scales and shifts elsewhere"),
        ("snake1.alpha", (1, 8, 1), "scales and shifts"),
        ("rotary_emb.inv_freq", (8,), "computed"), ("embeddings.position_ids", (1, 8), "computed"),
        ("seed_generator/seed_generator_state", (2,), "random generators"), ("d/rngs/key", (), "random generators"),
        ("attention/query/kernel", (8, 2, 4), "kernels of heads"),
        ("attention_output/kernel", (2, 4, 8), "kernels of heads"),
        ("DenseGeneral_0/kernel", (4, 2, 3), "kernels of heads"),
        ("mlp/wi/kernel", (8, 2, 4), "other kernels of rank 3"),
        ("ConvLocal_0/kernel", (8, 8, 36, 4), "kernels of heads or places"),
        ("deconv/kernel", (3, 3, 4, 8), "other transp"), ("ConvTranspose_0/kernel", (3, 3, 4, 8), "other transp"),
        ("attn.c_attn.weight", (4, 12), "Conv1D"), ("h.0.mlp.c_proj.weight", (16, 4), "Conv1D"),
    ],
)  # fmt: skip
def test_what_names_do_not_tell_is_refused(name: str, shape: tuple[int, ...], reason: str) -> None:
    """If this fails a mask is zeros, a state space noise, or a slope 1, and nobody is told."""
    for rules in ((), vs.default_rules(weight=vs.he_normal(), bias=vs.Ones())):
        with pytest.raises(ValueError, match=f"got 1 of 1 without one:\n  {re.escape(repr(name))}.*: .*{reason}"):
            vs.Model({name: shape}, rules, layout="torch")
    assert vs.Model({name: shape}, [("*", vs.Zeros())], layout="torch")[name].initializer == vs.Zeros()


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (1, 3, 4)])
@pytest.mark.parametrize(
    "name", ["big", "foo.bar", "scaling", "latents", "sinks", "weights_dist", "q", "in_proj", "mask"]
)
def test_there_is_no_rule_for_everything(name: str, shape: tuple[int, ...]) -> None:
    """If this fails what has an unknown name starts from a guess."""
    with pytest.raises(ValueError, match="got 1 of 1 without one"):
        vs.Model({name: shape})


def test_the_usual_rules_are_values() -> None:
    """If this fails the rules cannot be shown, compared, sent to another process, or asked."""
    rules = vs.default_rules(norm=vs.Zeros())
    assert rules == vs.default_rules(norm=vs.Zeros()) != vs.default_rules()
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert b"_models" not in pickle.dumps(rules)
    assert len({*rules, *vs.default_rules(norm=vs.Zeros())}) == len(rules)
    biases = next(rule for rule in rules if rule.pattern == "biases")
    assert repr(biases) == "<usual rule: biases are Zeros(dtype='float32')>"
    assert biases.matches("a/bias:0", (3,))
    assert not biases.matches("a.dt_bias", (3,))
    assert not biases.matches("a.bias", (3, 3))


def test_roles_reach_their_kinds() -> None:
    """If this fails a user's choice for weights leaves out the experts, or that for embeddings the tokens."""
    chosen = vs.default_rules(weight=vs.he_normal(), embedding=vs.Zeros(), norm=vs.Zeros(), bias=vs.Ones())
    shapes = {"w": (4, 3), "experts.w1": (2, 4, 3), "cls_token": (1, 4), "pos_embed": (1, 2, 4), "wte": (9, 4),
              "ln.weight": (4,), "bn.running_var": (4,), "b": (4,), "bn.beta": (4,)}  # fmt: skip
    found = {name: parameter.initializer for name, parameter in vs.Model(shapes, chosen, layout="torch").items()}
    assert found["w"] == vs.he_normal(in_axis=1, out_axis=0)
    assert found["experts.w1"] == vs.he_normal(in_axis=2, out_axis=1, batch_axis=0)
    assert {found[name] for name in ("cls_token", "pos_embed", "wte", "ln.weight")} == {vs.Zeros()}
    assert found["bn.running_var"] == vs.Ones(), "which no choice for norms changes"
    assert {found["b"], found["bn.beta"]} == {vs.Ones()}
    explicit = vs.default_rules(weight=vs.he_normal(in_axis=1, out_axis=0))
    assert vs.Model({"experts.w1": (2, 4, 3)}, explicit)["experts.w1"].initializer == found["experts.w1"]
    uniform = vs.default_rules(weight=vs.RandomUniform())
    assert vs.Model({"experts.w1": (2, 4, 3)}, uniform)["experts.w1"].initializer == vs.RandomUniform()
