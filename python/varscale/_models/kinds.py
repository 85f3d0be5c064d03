"""Kinds of parameters: what names and shapes say about first values, and where they do not say enough."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from .._initializers.base import Initializer
from .._initializers.constant import Constant, Ones, Zeros
from .._initializers.orthogonal import Orthogonal
from .._initializers.random import RandomNormal
from .._initializers.variance_scaling import VarianceScaling
from .layouts import T, each, has_default_axes, placed, stacked

Shape = tuple[int, ...]


class Form(NamedTuple):
    """The shapes that a kind of parameters has."""

    words: str
    fits: Callable[[Shape], bool]


_ANY = Form("any", lambda shape: True)
_SCALAR = Form("0", lambda shape: not shape)
_SHAPED = Form("1 or more", lambda shape: len(shape) > 0)
_LINE = Form("1", lambda shape: len(shape) == 1)
_ELEMENT = Form("1, one element", lambda shape: shape == (1,))
_VECTOR = Form("1, or broadcast", lambda shape: len(shape) > 0 and prod(shape) == max(shape))
_MATRIX = Form("2", lambda shape: len(shape) == 2)
_WIDE = Form("2, (n, more)", lambda shape: len(shape) == 2 and shape[0] < shape[1])
_TALL = Form("2, (n, less)", lambda shape: len(shape) == 2 and shape[0] > shape[1])
_WEIGHT = Form("2 or more", lambda shape: len(shape) >= 2)
_CUBE = Form("3", lambda shape: len(shape) == 3)
_KERNEL = Form("3 or more", lambda shape: len(shape) >= 3)


class Laws(NamedTuple):
    """The initializers that users choose for the usual kinds."""

    weight: Initializer
    embedding: Initializer
    norm: Initializer
    bias: Initializer


Law = Callable[[Laws], Initializer]


class Kind(NamedTuple):
    """A kind of parameters, known by their names and shapes."""

    what: str
    names: tuple[str, ...]
    """Some of their names."""
    form: Form
    start: str
    """What they start from, in words; the reason, where their names do not tell that."""
    law: Law | None
    """What they start from; None where their names do not tell that."""
    pattern: str
    """What the last segments of a path must match."""
    layout: str | None
    """The one layout that has the kind; None for all."""

    @property
    def is_weight(self) -> bool:
        """Whether it starts from the initializer that users choose for weights."""
        return self.law is not None and self.law(_CHOSEN) is _CHOSEN.weight


_CHOSEN = Laws(Zeros(), Ones(), Ones(), Ones())
"""Initializers to tell apart which of them a kind takes: none has fans, so it takes it as it is."""


def _kind(
    what: str, names: str, form: Form, start: str, law: Law | None, pattern: str, layout: str | None = None
) -> Kind:
    return Kind(what, tuple(names.split()), form, start, law, pattern, layout)


# Pieces of patterns: a layer that norms, one whose last word says so, one that embeds, what follows LoRA's matrices,
# attention as Flax and Keras name it by themselves, and a layer of experts with what it holds.
_NORM = r"(?:\w*norm(?!al(?!iz))\w*|(?:\w*_)?[bl]n\d*(?:_\w*)?)"
_A_NORM = r"(?:\w*norm(?:alization)?|(?:\w+_)?[bl]n)(?:_?(?:\d+d?|[a-z]))?"
_EMBED = (
    r"(?!\w*(?:patch|proj|mapping|transform|linear|dense|conv|head|2emb|class_embed(?![a-z])|emb\w*_out))"
    r"\w*(?:emb(?:ed(?:ding)?)?s?|embd|wte|wpe)(?:_\w+|\d+)?"
)
_ADAPTER = r"(?:\.[^.]+){0,3}"
_HEADS = (
    r"(?:MultiHead(?:DotProduct)?Attention|SelfAttention|multi_head_attention|group(?:ed)?_query_attention)(?:_\d+)?"
)
_EXPERT = r"[^.]*(?:expert|(?<![a-z])moe)[^.]*\.(?!.*conv)(?:[^.]+\.)*"

_TINY = Constant(1e-6)
_LORA_A = VarianceScaling(1 / 3, "fan_in", "uniform")  # the limits are ±1/√in
_MLX_LORA_A = VarianceScaling(1 / 3, "fan_in", "uniform", in_axis=0, out_axis=1)
_MLX_LORA_A_OF_EXPERTS = VarianceScaling(1 / 3, "fan_in", "uniform", in_axis=2, out_axis=1, batch_axis=0)
_LORA_EMBEDDING_B = RandomNormal(0.0, 1.0)
_COUNT = Zeros("int64")
_NIL, _UNIT = Zeros(), Ones()

# Sentences of the table.
_ZEROS, _ONES, _NORMAL, _LECUN = "zeros", "ones", "`RandomNormal(0.0, 0.02)`", "`lecun_normal`"
_OWN = "a number of the network's own"
_FANS = "`lecun_normal` with `in_axis` and `out_axis`"

KINDS = (
    # What looks like another kind comes first.
    _kind("state spaces, recurrences", "A_log D dt_bias dt_proj.bias time_decay", _ANY, "a law of their own", None,
          r"(?-i:A|A_logs?|Ds?)|dt_bias|dt_projs?(?:\.\w+)?[._]bias|time_(?:decay|first|mix\w*)|recurrent_param"),
    _kind("scales of logits", "logit_scale logit_bias temperature", _ANY, _OWN, None,
          r"(?:\w+_)?logit_(?:scale|bias)(?:_\w+)?|temperature"),
    _kind("numbers to mask with", "masked_bias", _ANY, _OWN, None, r"masked_bias"),
    _kind("norms of weights", "weight_g parametrizations.weight.original0 lora_magnitude_vector", _ANY,
          "the norms of the weights that they scale", None,
          rf"weight_(?:\w+_)?g|parametrizations\.\w+\.original0|lora_magnitude_vector{_ADAPTER}"),
    _kind("power iterations", "weight_u vector_u kernel.sigma", _ANY, "what the weights give", None,
          r"(?:weight|vector)_u|parametrizations\.\w+\.\d+\._[uv]|kernel\.(?:u|sigma)"),
    _kind("slopes of PReLU", "prelu.weight p_re_lu.alpha negative_slope", _ANY,
          "0.25 in torch, 0.01 in Flax, 0 in Keras", None,
          r"\w*p_?re_?lu\w*[._](?:weight|alpha)|negative_slope"),
    _kind("slopes of PReLU, maybe", "activation.weight relu1.weight", _LINE, "0.25, or ones if they are norms", None,
          r"\w*(?:act(?:ivation)?(?:_fn)?|relu)\d*\.weight"),
    _kind("extra keys and values", "bias_k bias_v", _ANY, "random values or zeros, by network", None, r"bias_[kv]"),
    _kind("computed tables", "inv_freq position_ids relative_position_index", _ANY, "what the network computes", None,
          r"(?:\w+_)?inv_freq|(?:\w+_)?(?:position|token_type)_ids|\w+_(?:index|idxs)|freqs_cis|(?:cos|sin)_cached"),
    _kind("states of random generators", "seed_generator_state rngs.key", _ANY, "a seed: they are no parameters", None,
          r"seed_generator_state|rngs\.(?:\w+\.)?(?:key|count)"),
    _kind("LayerScale, called `ls`", "ls1.gamma", _VECTOR, "1e-6", lambda laws: _TINY, r"ls\d*\.gamma"),
    _kind("LayerScale, otherwise", "layer_scale.gamma layer_scale_1 gamma_1 lambda_1", _ANY, f"{_OWN}, 1e-6 to 1", None,
          r"\w*(?:layer_?scale|res_scale)\w*(?:\.(?:gamma|scale|weight|lambda\d*))?|(?:lambda|gamma)_?\d"),

    _kind("counters", "num_batches_tracked global_step mean_ema.counter", _SCALAR, "zero, int64", lambda laws: _COUNT,
          rf"num_batches_tracked|global_step|\w+_ema\.counter|{_NORM}\.count"),
    _kind("running means", "running_mean moving_mean BatchNorm_0.mean mean_ema.average", _VECTOR, _ZEROS,
          lambda laws: _NIL,
          rf"(?:\w+_)?(?:running|moving)_mean|_mean|{_NORM}\.(?:mean|w_1)|batch_stats\.(?:.*\.)?mean"
          r"|(?:mean|var)_ema\.(?:hidden|average)"),
    _kind("running variances", "running_var moving_variance BatchNorm_0.var", _VECTOR, _ONES, lambda laws: _UNIT,
          rf"(?:\w+_)?(?:running|moving)_var(?:iance)?|_variance|{_NORM}\.(?:var|variance|w_2)"
          r"|batch_stats\.(?:.*\.)?var"),

    _kind("LoRA's A of an embedding", "lora_embedding_A.default embed_tokens.lora_A", _MATRIX, _ZEROS,
          lambda laws: _NIL, rf"lora_embedding_a{_ADAPTER}|{_EMBED}\.lora_a{_ADAPTER}"),
    _kind("LoRA's B of an embedding", "lora_embedding_B.default embed_tokens.lora_B", _MATRIX,
          "`RandomNormal(0.0, 1.0)`", lambda laws: _LORA_EMBEDDING_B,
          rf"lora_embedding_b{_ADAPTER}|{_EMBED}\.lora_b{_ADAPTER}"),
    _kind("LoRA's A (in, rank)", "q_proj.lora_a", _MATRIX, "uniform in ±1/√in", lambda laws: _MLX_LORA_A,
          r"lora_a", "mlx"),
    _kind("LoRA's A (experts, rank, in)", "switch_mlp.up_proj.lora_a", _CUBE, "uniform in ±1/√in",
          lambda laws: _MLX_LORA_A_OF_EXPERTS, r"lora_a", "mlx"),
    _kind("LoRA's A", "lora_A.default.weight lora_a lora_down.weight", _WEIGHT, "uniform in ±1/√in",
          lambda laws: _LORA_A, rf"lora_(?:a|down){_ADAPTER}"),
    _kind("LoRA's B", "lora_B.default.weight lora_b lora_up.weight", _WEIGHT, _ZEROS, lambda laws: _NIL,
          rf"lora_(?:b|up){_ADAPTER}"),

    _kind("tokens", "cls_token mask_token dist_token register_tokens class_embedding cls", _SHAPED, _NORMAL,
          lambda laws: laws.embedding,
          r"cls|(?:\w+_)?(?:cls|class|mask|dist|distill(?:ation)?|reg|register|storage)_"
          r"(?:tokens?|emb(?:ed(?:ding)?)?s?)(?:_?\d+)?"),
    _kind("positional embeddings", "pos_embed position_embeddings positional_embedding", _SHAPED, _NORMAL,
          lambda laws: laws.embedding,
          r"(?:\w+_)?pos(?:ition(?:al)?)?_?emb(?:ed(?:ding)?)?s?(?:_?(?:\d+|win(?:dow)?|table))?"),
    _kind("tables of relative positions", "relative_position_bias_table relative_attention_bias.weight rel_pos_h",
          _WEIGHT, _NORMAL, lambda laws: laws.embedding,
          r"relative_(?:position|attention)_bias(?:_table|\.(?:weight|embedding))?|rel_pos_[hwt]|rel_embedding"),

    _kind("global response norms", "grn.weight grn.beta", _VECTOR, _ZEROS, lambda laws: _NIL,
          r"(?:\w*grn\d*|\w*global_?response_?norm\w*)\.(?:weight|gamma|bias|beta)"),
    _kind("scales of norms", "LayerNorm_0.scale bn.gamma batchnorm0_gamma", _VECTOR, _ONES, lambda laws: laws.norm,
          rf"{_NORM}[._](?:gamma|scale)|{_NORM}\.w_0|\A(?:gamma|scale)"),
    _kind("scales of norms", "norm.weight ln_1.weight", _LINE, _ONES, lambda laws: laws.norm, rf"{_NORM}\.weight"),
    _kind("weights of one element", "1.weight", _ELEMENT, "1 for norms, 0.25 for slopes of PReLU", None,
          r"weight"),
    _kind("weights of one axis", "1.weight", _LINE, _ONES, lambda laws: laws.norm, r"weight"),
    _kind("scales of norms of several axes", "norm.weight q_norm.scale", _WEIGHT, _ONES, lambda laws: laws.norm,
          rf"{_A_NORM}\.(?:weight|gamma|scale)"),
    _kind("shifts of norms", "bn.beta batch_norm.offset layer_norm.bias", _SHAPED, _ZEROS, lambda laws: laws.bias,
          rf"{_NORM}[._](?:beta|offset)|\A(?:beta|offset)|{_A_NORM}\.bias"),
    _kind("biases", "bias biases b bias_ih_l0 in_proj_bias fc1_bias", _VECTOR, _ZEROS, lambda laws: laws.bias,
          r"(?:\w+_)?bias(?:es)?(?:_(?:ih|hh|hr|n)(?:_l\d+(?:_reverse)?)?)?|b(?:_(?:\d+|i|h))?"),
    _kind("biases of heads, GRUs, experts", "query.bias gru_cell.bias experts.down_proj_bias", _MATRIX, _ZEROS,
          lambda laws: laws.bias,
          rf"(?:query|key|value|[qkv](?:_proj)?|\w*gru\w*|\w*(?:dense|linear)_?general\w*)\.bias|{_EXPERT}(?:\w+_)?bias"),
    _kind("biases of several axes", "attn.bias", _WEIGHT, "zeros, or a mask", None, r"(?:\w+_)?bias(?:es)?"),

    _kind("embeddings", "embed_tokens.weight wte.weight wpe tok_emb Embed_0.embedding embedding.embeddings", _MATRIX,
          _NORMAL, lambda laws: laws.embedding,
          rf"(?:{_EMBED}|shared|\w*(?<!linear)_tokens?)\.(?:weights?|embeddings?|table|w_0)|{_EMBED}"),
    _kind("stacked experts", "experts.down_proj moe.input_linear.weight MoeBlock_0.wi_0", _CUBE, f"{_LECUN} of each",
          lambda laws: stacked(laws.weight),
          rf"{_EXPERT}(?:(?:\w+_)?(?:weights?|kernel|proj|linear|w[io]?(?:_?\d)?|v\d|fc\d?|up|down|gate)"
          rf"|(?:experts?|moe)_\w*(?:proj|weights?|kernel|w\d))|\w*experts?_(?:\w+_)?(?:weights?|kernel|proj)"),
    _kind("depthwise kernels of Keras", "depthwise_kernel depthwise_conv2d.kernel depthwise_weights", _KERNEL,
          f"{_LECUN}, fan_in of the kernel alone", lambda laws: placed(laws.weight, (), -1, -2),
          r"depthwise_(?:kernel|weights)|depthwise_conv\w*\.kernel"),
    _kind("transposed convolutions (out, …, in)", "conv_transpose1.weight", _KERNEL, _LECUN,
          lambda laws: placed(laws.weight, -1, 0),
          r"\w*(?:deconv|conv_?transposed?|convtr|conv_?t(?![a-z]))\w*[._]weight", "mlx"),
    _kind("transposed convolutions (in, out, …)", "deconv.weight conv_transpose1.weight", _KERNEL, _LECUN,
          lambda laws: placed(laws.weight, 0, 1),
          r"\w*(?:deconv|conv_?transposed?|convtr|conv_?t(?![a-z]))\w*[._]weight"),
    _kind("transposed convolutions (…, out, in)", "conv2d_transpose.kernel conv2_d_transpose.w", _KERNEL, _LECUN,
          lambda laws: placed(laws.weight, -1, -2), r"\w*conv\d_?d_transpose\w*\.(?:kernel|weights|w)"),
    _kind("other transposed convolutions", "deconv.kernel ConvTranspose_0.kernel", _KERNEL, _FANS, None,
          r"\w*(?:deconv|conv_?transpose)\w*\.(?:kernel|weights|w)"),
    _kind("GPT-2's Conv1D", "Conv1D.weight", _MATRIX, f"{_LECUN} of (in, out)", lambda laws: placed(laws.weight, 0, 1),
          r"(?-i:Conv1D)\.weight"),
    _kind("GPT-2's Conv1D, by name", "c_attn.weight c_fc.weight", _WIDE, f"{_FANS}: they seem to be (in, out)", None,
          r"c_(?:attn|fc)\.weight", "torch"),
    _kind("GPT-2's Conv1D, by name", "mlp.c_proj.weight", _TALL, f"{_FANS}: they seem to be (in, out)", None,
          r"mlp\.c_proj\.weight", "torch"),
    _kind("queries, keys and values of heads", "multi_head_attention.query.kernel SelfAttention_0.key.kernel", _CUBE,
          f"{_LECUN} of (in, heads, out)", lambda laws: placed(laws.weight, 0, (1, 2)),
          rf"{_HEADS}\.(?:query|key|value)\.kernel"),
    _kind("outputs of heads", "multi_head_attention.attention_output.kernel SelfAttention_0.out.kernel", _CUBE,
          f"{_LECUN} of (heads, in, out)", lambda laws: placed(laws.weight, (0, 1), 2),
          rf"{_HEADS}\.(?:out|attention_output)\.kernel"),
    _kind("kernels of heads or places", "query.kernel out.kernel DenseGeneral_0.kernel ConvLocal_0.kernel", _KERNEL,
          _FANS, None,
          r"(?:conv_?local\w*|locally_connected\w*|query|key|value|out|attention_output|[qkvo](?:_proj)?"
          r"|\w*dense_?general\w*|\w*einsum\w*)\.kernel"),
    _kind("kernels of convolutions", "conv1d.kernel", _CUBE, _LECUN, lambda laws: laws.weight,
          r"[^.]*conv[^.]*\.(?:.*\.)?kernel"),
    _kind("other kernels of rank 3", "mlp.kernel", _CUBE, _FANS, None, r"kernel"),
    _kind("weights", "weight kernel w weights weight_ih_l0 in_proj_weight recurrent_kernel lm_head.weight fc1_weight",
          _WEIGHT, _LECUN, lambda laws: laws.weight,
          r"weights?|kernel|w(?:_(?:\d+|i|h))?|(?:recurrent|pointwise)_kernel|pointwise_weights|weight_(?:v|orig|ih|hh)"
          r"|weight_(?:ih|hh|hr)_l\d+(?:_reverse)?|(?:in|q|k|v)_proj_weight|\w*(?:\d|_[ih]2h)_weight"
          r"|parametrizations\.\w+\.original1?"),
    _kind("scales and shifts elsewhere", "blocks.0.gamma scale.scale snake.alpha", _ANY,
          "1 or 0 for norms, other numbers elsewhere", None, r"gamma|beta|scale|offset|alpha"),
)  # fmt: skip
"""The first that matches counts."""
_COMPILED: dict[str, re.Pattern[str]] = {}


def kind_of(path: str, shape: Shape, layout: str | None) -> Kind | None:
    """The kind of a parameter; None for one that is of no usual kind."""
    for kind in KINDS:
        if kind.form.fits(shape) and kind.layout in {None, layout} and _compiled(kind.pattern).fullmatch(path):
            return kind
    return None


def fitted(initializer: T, kind: Kind | None) -> T:
    """The initializer with the axes of the weights of a kind, where it names none of its own."""
    law: Any = None if kind is None or not kind.is_weight else kind.law

    def change(init: VarianceScaling) -> Any:
        return law(Laws(init, init, init, init)) if has_default_axes(init) and init.batch_axis == () else init

    if law is None:
        return initializer
    return each(each(initializer, change), lambda init: law(Laws(init, init, init, init)), Orthogonal)


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of whole paths, compiled when it is first asked for: all of them take as long as importing varscale."""
    try:
        return _COMPILED[pattern]
    except KeyError:
        return _COMPILED.setdefault(pattern, re.compile(rf"(?:.*\.)?(?:{pattern})", re.IGNORECASE | re.DOTALL))


def path_of(name: str) -> str:
    """A name as kinds know it: its segments are joined by dots, and TensorFlow's number of an output is gone."""
    return name.removesuffix(":0").replace("/", ".")
