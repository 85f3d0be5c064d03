"""Real networks, small ones of every kind: each is a name and a function that builds it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import timm
import torchvision
import transformers
from peft import LoraConfig, get_peft_model
from torch import nn

Factory = Callable[[], nn.Module]

TEXT = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
"""What most configs of transformers call their sizes."""
EXPERTS = {"moe_intermediate_size": 24, "num_experts_per_tok": 2}
GPT = {"vocab_size": 96, "n_embd": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
SEQUENCE = {
    "vocab_size": 96,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
}
T5 = {"vocab_size": 96, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
IMAGE = {**TEXT, "image_size": 32, "patch_size": 8}
TOWERS = {
    "text_config": {**TEXT, "projection_dim": 16},
    "vision_config": {**IMAGE, "projection_dim": 16},
    "projection_dim": 16,
}
SPEECH = {
    **TEXT,
    "conv_dim": (16, 16),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
STATES = {"vocab_size": 96, "hidden_size": 32, "state_size": 8, "num_hidden_layers": 2}

TRANSFORMERS: dict[str, dict[str, Any]] = {
    "Llama": TEXT,
    "Mistral": TEXT,
    "Qwen2": TEXT,
    "Qwen3": {**TEXT, "head_dim": 8},
    "Gemma": {**TEXT, "head_dim": 8},
    "Gemma2": {**TEXT, "head_dim": 8},
    "Phi": TEXT,
    "Phi3": TEXT,
    "Cohere": TEXT,
    "Olmo2": TEXT,
    "GPT2": GPT,
    "GPTNeoX": TEXT,
    "GPTJ": {**GPT, "rotary_dim": 4},
    "Bloom": {"vocab_size": 96, "hidden_size": 32, "n_layer": 2, "n_head": 4},
    "Falcon": TEXT,
    "OPT": {**TEXT, "ffn_dim": 48, "word_embed_proj_dim": 32},
    "Mixtral": {**TEXT, "num_local_experts": 4},
    "Qwen2Moe": {**TEXT, **EXPERTS, "num_experts": 4, "shared_expert_intermediate_size": 24},
    "Qwen3Moe": {**TEXT, **EXPERTS, "num_experts": 4, "head_dim": 8},
    "GptOss": {**TEXT, "num_local_experts": 4, "head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "Mamba": {**STATES, "expand": 2},
    "Mamba2": {**STATES, "num_heads": 8, "head_dim": 8, "n_groups": 2, "expand": 2},
    "RecurrentGemma": {**TEXT, "lru_width": 32, "head_dim": 8},
    "Bert": TEXT,
    "Roberta": TEXT,
    "DistilBert": {"vocab_size": 96, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48},
    "Albert": {**TEXT, "embedding_size": 16},
    "Electra": {**TEXT, "embedding_size": 16},
    "DebertaV2": TEXT,
    "ModernBert": TEXT,
    "T5": T5,
    "MT5": T5,
    "Bart": SEQUENCE,
    "Pegasus": SEQUENCE,
    "Whisper": {
        **SEQUENCE,
        "pad_token_id": 0,
        "num_mel_bins": 8,
        "max_source_positions": 20,
        "max_target_positions": 20,
    },
    "Wav2Vec2": SPEECH,
    "Hubert": SPEECH,
    "ViT": IMAGE,
    "DeiT": IMAGE,
    "Beit": IMAGE,
    "Dinov2": IMAGE,
    "Swin": {
        "image_size": 32,
        "patch_size": 4,
        "embed_dim": 16,
        "depths": [2, 2],
        "num_heads": [2, 4],
        "window_size": 4,
    },
    "ConvNext": {"hidden_sizes": [16, 24, 32, 40], "depths": [1, 1, 1, 1]},
    "ResNet": {"embedding_size": 16, "hidden_sizes": [16, 24, 32, 40], "depths": [1, 1, 1, 1]},
    "CLIP": TOWERS,
    "Siglip": {key: {**value, "vision_use_head": True} for key, value in TOWERS.items() if key != "projection_dim"},
}
"""The sizes of configs, by what their classes are called before "Config"."""
TIMM = (
    "resnet18",
    "resnetv2_18",
    "resnext26ts",
    "seresnet18",
    "efficientnet_b0",
    "tf_efficientnetv2_b0",
    "mobilenetv3_small_100",
    "mobilenetv4_conv_small",
    "regnetx_002",
    "densenet121",
    "convnext_atto",
    "convnextv2_atto",
    "nf_regnet_b0",
    "vit_tiny_patch16_224",
    "vit_base_patch16_224",
    "deit3_small_patch16_224",
    "crossvit_tiny_240",
    "eva02_tiny_patch14_224",
    "swin_tiny_patch4_window7_224",
    "swinv2_tiny_window8_256",
    "mixer_s16_224",
    "cait_xxs24_224",
    "xcit_nano_12_p16_224",
    "pvt_v2_b0",
    "maxvit_pico_rw_256",
    "coatnet_pico_rw_224",
    "levit_128s",
    "poolformer_s12",
)


def of_transformers(name: str, sizes: dict[str, Any]) -> nn.Module:
    """A network of a config: with a language model's head where there is one."""
    config = getattr(transformers, f"{name}Config")(**sizes)
    try:
        return transformers.AutoModelForCausalLM.from_config(config)
    except ValueError:
        return transformers.AutoModel.from_config(config)


def tied_gpt2() -> nn.Module:
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT, tie_word_embeddings=True))


def lora() -> nn.Module:
    config = transformers.LlamaConfig(**TEXT)
    net = transformers.AutoModelForCausalLM.from_config(config)
    return get_peft_model(net, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "embed_tokens"]))


def dcgan() -> nn.Module:
    """A generator and a discriminator that are initialised as the paper says."""

    def initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.constant_(module.bias, 0)

    up = [nn.ConvTranspose2d(20, 16, 4, bias=False), nn.BatchNorm2d(16), nn.ConvTranspose2d(16, 3, 4, 2, 1)]
    down = [nn.Conv2d(3, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.Conv2d(16, 1, 4, bias=False)]
    return nn.Sequential(*up, *down).apply(initialise)


NETWORKS: dict[str, Factory] = {
    **{f"transformers {name}": partial(of_transformers, name, sizes) for name, sizes in TRANSFORMERS.items()},
    **{f"timm {name}": partial(timm.create_model, name) for name in TIMM},
    "torchvision resnet18": torchvision.models.resnet18,
    "torch Transformer": partial(nn.Transformer, 32, 4, 2, 2, 48, batch_first=True),
    "torch LSTM": partial(nn.LSTM, 8, 16, 2, bidirectional=True),
    "torch GRU": partial(nn.GRU, 8, 16),
    "torch MultiheadAttention": partial(nn.MultiheadAttention, 32, 4, add_bias_kv=True),
    "torch Embedding": partial(nn.Embedding, 50, 16, padding_idx=3),
    "DCGAN": dcgan,
    "peft LoRA": lora,
    "tied GPT-2": tied_gpt2,
}
