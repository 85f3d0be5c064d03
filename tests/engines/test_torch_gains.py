"""Gains beside torch's own."""

from __future__ import annotations

import pytest
import torch

import varscale as vs
from varscale._arguments.gains import NONLINEARITIES

NAMES = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")


@pytest.mark.parametrize("name", NONLINEARITIES)
@pytest.mark.parametrize("param", [None, 0, 0.2, -3.0])
def test_torchs_table(name: str, param: float | None) -> None:
    """If this fails torch's gain of a name is another number, in any bit, or torch knows a name of ours by now."""
    if name.startswith("conv") or name in NAMES:
        assert vs.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)
        return
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        torch.nn.init.calculate_gain(name, param)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        *((name, getattr(torch.nn.functional, name)) for name in ("gelu", "silu", "mish", "elu", "softplus", "selu")),
        *(
            (name, getattr(torch.nn.functional, name))
            for name in ("hardswish", "softsign", "relu6", "hardtanh", "tanh")
        ),
        ("gelu_tanh", lambda x: torch.nn.functional.gelu(x, approximate="tanh")),
        ("quick_gelu", lambda x: x * torch.sigmoid(1.702 * x)),
        ("relu2", lambda x: x.relu() ** 2),
        ("sigmoid", torch.sigmoid),
    ],
)
def test_nonlinearities_are_those_of_torch(name: str, function: object) -> None:
    """If this fails a name means another function than in torch, such as an approximation of it."""
    grid = torch.linspace(-12, 12, 2**18 + 1, dtype=torch.float64)
    weights = torch.exp(-(grid**2) / 2)
    weights = weights / weights.sum()
    values = function(grid)  # type: ignore[operator]
    square, mean = (weights * values**2).sum().item(), (weights * values).sum().item()
    assert vs.calculate_gain(name, convention="second_moment") == pytest.approx(square**-0.5, rel=1e-8)
    assert vs.calculate_gain(name, convention="variance") == pytest.approx((square - mean**2) ** -0.5, rel=1e-8)
