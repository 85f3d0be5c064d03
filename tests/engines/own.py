"""A network with a law of its own for every parameter, and with buffers that are computed; all sizes are uneven."""

from __future__ import annotations

import torch
from torch import nn


class Own(nn.Module):
    """An embedding with padding, a layer, a norm with statistics, a mask and frequencies."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(9, 7)
        self.up = nn.Linear(7, 26)
        self.norm = nn.BatchNorm1d(26)
        self.register_buffer("mask", torch.empty(5, 5, dtype=torch.bool), persistent=False)
        self.register_buffer("rates", torch.empty(3))
        self.init_weights()

    def init_weights(self) -> None:
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.zeros_(self.wte.weight[3])
        nn.init.trunc_normal_(self.up.weight)
        nn.init.uniform_(self.up.bias)
        self.norm.reset_parameters()
        with torch.no_grad():
            self.mask.copy_(torch.tril(torch.ones(5, 5)))
            self.rates.copy_(10000 ** -torch.linspace(0, 1, 3))
