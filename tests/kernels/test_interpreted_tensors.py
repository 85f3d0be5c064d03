"""The torch adapter with Triton's kernels, interpreted on the CPU: routes, the check at first use, and modules."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs
from varscale._devices import check
from varscale._devices.triton import fill as filling
from varscale._devices.triton.launch import Fill
from varscale.torch import _devices

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tensors the kernels were given, call by call."""
    found: list[int] = []
    inner = filling.fill

    def fill(fills: list[filling.Fill]) -> None:
        found.append(len(fills))
        inner(fills)

    monkeypatch.setattr(filling, "fill", fill)
    return found


def on_cpu(monkeypatch: pytest.MonkeyPatch, *args: object, **kwargs: object) -> torch.Tensor:
    """What the CPU makes."""
    with monkeypatch.context() as patch:
        patch.setenv("VARSCALE_DEVICE", "cpu")
        return vs.torch.init_(*args, **kwargs)


def network() -> nn.Module:
    """Weights, norms, an embedding with a padding row, a grouped convolution, statistics."""
    return nn.Sequential(
        nn.Embedding(11, 6, padding_idx=2),
        nn.LayerNorm(6),
        nn.Conv1d(6, 9, 3, groups=3),
        nn.BatchNorm1d(9),
        nn.Linear(9, 40),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_module_is_filled_by_kernels(
    launches: list[int], monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    """A module on a device has other weights than on the CPU, or is made by the CPU without a word."""
    module = vs.torch.init_(network().to(dtype), vs.he_normal(3))
    assert launches[-1] == 6  # the embedding on both sides of its padding row, two weights and their biases
    wanted = on_cpu(monkeypatch, network().to(dtype), vs.he_normal(3))
    for (name, found), right in zip(module.state_dict().items(), wanted.state_dict().values(), strict=True):
        assert torch.equal(found, right), name


def test_a_network_of_its_own_laws(launches: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """`model_of` on meta, `to_empty`, `init_`: pieces, constants and laws of several kinds on a device."""
    with torch.device("meta"):
        net = nn.TransformerEncoderLayer(16, 2, 24)
    model = vs.torch.model_of(nn.TransformerEncoderLayer, 16, 2, 24)
    vs.torch.init_(net.to_empty(device="cpu"), model, 5)
    assert sum(launches) > 5
    for name, right in model.init(5).items():
        assert np.array_equal(net.state_dict()[name].numpy(), right), name


@pytest.mark.parametrize("init", [vs.Identity(0.5), vs.Constant(-0.25), vs.Constant(np.arange(30.0)), vs.Zeros()])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_drawn(init: vs.Initializer, dtype: torch.dtype) -> None:
    """An identity matrix or a constant is another one on a device."""
    found = vs.torch.init_(torch.full((5, 6), 7.0, dtype=dtype), init)
    assert np.array_equal(found.double().numpy(), np.asarray(init((5, 6))).astype(float))


def test_replays_are_copied(launches: list[int]) -> None:
    """A replay has words of its own, which no kernel makes."""
    init = vs.RandomNormal(seed=vs.replay.torch(3))
    found = vs.torch.init_(torch.empty(30, 50), init)
    assert not launches
    assert np.array_equal(found.numpy(), init((30, 50)))


def test_unseeded_calls_take_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device takes no number for a call, or two, and the calls after it have other values than on the CPU."""
    found, wanted = [], []
    for values, route in ((found, "auto"), (wanted, "cpu")):
        monkeypatch.setenv("VARSCALE_DEVICE", route)
        vs.set_random_seed(11)
        for shape in ((4, 5), (0, 3), (7,)):
            values.append(vs.torch.init_(torch.empty(shape), vs.RandomNormal()))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_views_that_share_memory_are_filled_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two parameters in one memory the first wins, for their launches are put together."""
    module = nn.Module()
    memory = torch.empty(8, 6)
    module.a, module.b = nn.Parameter(memory[:6]), nn.Parameter(memory[4:])
    vs.torch.init_(module, vs.RandomNormal(seed=1), everything=True)
    found = memory.clone()
    on_cpu(monkeypatch, module, vs.RandomNormal(seed=1), everything=True)
    assert torch.equal(found, memory)


def test_autograd_counts_a_fill() -> None:
    """Autograd does not see that a tensor changed after it was saved for a backward pass."""
    tensor = torch.empty(4, 4)
    before = tensor._version
    vs.torch.init_(tensor, vs.RandomNormal(seed=1))
    assert tensor._version > before


class TestCheck:
    """The check at first use."""

    @pytest.fixture(autouse=True)
    def _forget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(check, "_verdicts", {})
        monkeypatch.setattr(check, "COUNT", 3000)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_one_other_bit_is_enough(
        self, launches: list[int], monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
    ) -> None:
        """A device that makes other bits fills networks all the same, or without a word."""
        inner = _devices._values

        def values(*args: object) -> np.ndarray:
            made = inner(*args)
            if made.itemsize == 4:  # bfloat16 hides what float32 arithmetic does
                made.view(np.uint32)[2999] ^= 1
            return made

        monkeypatch.setattr(_devices, "_values", values)
        tensor = torch.empty(7, 9, dtype=dtype)
        with pytest.warns(UserWarning, match=r"does not make the CPU's bits of the law normal in float32 \(1 of 3000"):
            vs.torch.init_(tensor, vs.RandomNormal(seed=1))
        launches.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            vs.torch.init_(tensor, vs.RandomNormal(seed=1))
        assert not launches
        assert torch.equal(tensor, on_cpu(monkeypatch, torch.empty(7, 9, dtype=dtype), vs.RandomNormal(seed=1)))

    def test_a_device_without_a_compiler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Triton needs a C compiler, which images often lack: that must not stop a training script."""

        def values(*args: object) -> np.ndarray:
            msg = "Failed to find C compiler"
            raise RuntimeError(msg)

        monkeypatch.setattr(_devices, "_values", values)
        with pytest.warns(UserWarning, match="RuntimeError: Failed to find C compiler"):
            found = vs.torch.init_(torch.empty(7, 9), vs.RandomNormal(seed=1))
        assert np.array_equal(found.numpy(), vs.RandomNormal(seed=1)((7, 9)))

    def test_a_cut_instead_of_a_rounding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The check compares values in which a cut bfloat16 does not show; the interpreter's own conversion cuts."""
        inner = Fill.constants
        monkeypatch.setattr(Fill, "constants", lambda fill: (*inner(fill)[:3], False, False))
        with pytest.warns(UserWarning, match="does not make the CPU's bits of the law normal in bfloat16"):
            vs.torch.init_(torch.empty(4, 4, dtype=torch.bfloat16), vs.RandomNormal(seed=1))

    def test_the_report(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody can see which way a device's tensors are filled, or what the check has found."""
        vs.torch.init_(torch.empty(4, 4, dtype=torch.bfloat16), vs.RandomNormal(seed=1))
        (row,) = (row for row in vs.torch.device_report() if row.device.startswith("cpu"))
        assert row[:3] == ("cpu (interpreted)", "triton", None)
        assert row.checks == {("normal", "bfloat16"): (3000, 0, None), ("normal", "float32"): (3000, 0, None)}
        monkeypatch.setenv("VARSCALE_DEVICE", "cpu")
        (row,) = (row for row in vs.torch.device_report() if row.device.startswith("cpu"))
        assert row[1:3] == ("cpu", "VARSCALE_DEVICE is cpu")

    def test_a_setting_of_another_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A misspelt variable changes nothing, and nobody says so."""
        monkeypatch.setenv("VARSCALE_DEVICE", "gpu")
        with pytest.raises(ValueError, match=r"`VARSCALE_DEVICE` must be auto or cpu, got 'gpu'"):
            vs.torch.init_(torch.empty(4, 4), vs.RandomNormal(seed=1))
