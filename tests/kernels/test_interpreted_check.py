"""The check at first use, with Triton's kernels interpreted on the CPU: what it finds, and what follows from it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from test_interpreted_tensors import on_cpu

import varscale as vs
from varscale._devices import check
from varscale._devices.triton import group, kernels, launch
from varscale._devices.triton.launch import Fill
from varscale.torch import _devices

PARTS = check._PARTS


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_verdicts", {})
    monkeypatch.setattr(check, "_PARTS", check._PARTS[1:])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_other_bit_is_enough(launches: list[int], monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype) -> None:
    """A device that makes other bits fills networks all the same, or without a word."""
    inner = _devices._values

    def values(*args: object) -> np.ndarray:
        made = inner(*args)
        if made.itemsize == 4:  # bfloat16 hides what float32 arithmetic does
            made.view(np.uint32)[996] ^= 1
        return made

    monkeypatch.setattr(_devices, "_values", values)
    tensor = torch.empty(7, 9, dtype=dtype)
    with pytest.warns(UserWarning, match=r"does not make the CPU's values of the law normal in float32: 2 of 1994"):
        vs.torch.init_(tensor, vs.RandomNormal(seed=1))
    launches.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vs.torch.init_(tensor, vs.RandomNormal(seed=1))
    assert not launches
    assert torch.equal(tensor, on_cpu(monkeypatch, torch.empty(7, 9, dtype=dtype), vs.RandomNormal(seed=1)))


def test_a_device_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triton needs a C compiler, which images often lack: that must not stop a training script."""

    def values(*args: object) -> np.ndarray:
        msg = "Failed to find C compiler"
        raise RuntimeError(msg)

    monkeypatch.setattr(_devices, "_values", values)
    with pytest.warns(UserWarning, match="RuntimeError: Failed to find C compiler"):
        found = vs.torch.init_(torch.empty(7, 9), vs.RandomNormal(seed=1))
    assert np.array_equal(found.numpy(), vs.RandomNormal(seed=1)((7, 9)))


def test_an_error_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device whose memory is full for a moment is not used any more, as long as the process lives."""
    inner = _devices._values

    def values(*args: object) -> np.ndarray:
        msg = "no memory"
        raise torch.OutOfMemoryError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(_devices, "_values", values)
        with pytest.raises(torch.OutOfMemoryError):
            vs.torch.init_(torch.empty(7, 9), vs.RandomNormal(seed=1))
    assert _devices._values is inner
    assert not check._verdicts
    vs.torch.init_(torch.empty(7, 9), vs.RandomNormal(seed=1))
    assert check._verdicts


def test_all_kernels_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel is used for tensors of other layouts than those that were compared."""
    monkeypatch.setattr(check, "_PARTS", PARTS)
    used: list[object] = []
    inner = launch.start
    for module in (launch, group):
        monkeypatch.setattr(module, "start", lambda kernel, *rest: used.append(kernel) or inner(kernel, *rest))
    vs.torch.init_(torch.empty(7, 9), vs.RandomNormal(seed=1))
    wanted = {kernels.rows_kernel, kernels.short_rows_kernel, kernels.elements_kernel, kernels.group_kernel}
    assert set(used) == wanted


def test_a_cut_instead_of_a_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check compares values in which a cut bfloat16 does not show; the interpreter's own conversion cuts."""
    inner = Fill.constants
    monkeypatch.setattr(Fill, "constants", lambda fill: (*inner(fill)[:3], False, True))
    with pytest.warns(UserWarning, match="does not make the CPU's values of the law normal in bfloat16"):
        vs.torch.init_(torch.empty(4, 4, dtype=torch.bfloat16), vs.RandomNormal(seed=1))


def test_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can see which way a device's tensors are filled, or what the check has found."""
    vs.torch.init_(torch.empty(4, 4, dtype=torch.bfloat16), vs.RandomNormal(seed=1))
    (row,) = (row for row in vs.torch.device_report() if row.device.startswith("cpu"))
    assert row[:3] == ("cpu (interpreted)", "triton", None)
    key = ("cpu (interpreted)", "uniform", "float16")
    monkeypatch.setitem(check._verdicts, key, check.Verdict(1994, 3))
    (failed,) = (row for row in vs.torch.device_report() if row.device.startswith("cpu"))
    assert failed[1:3] == ("partly", "the check refused uniform in float16")
    check._verdicts.pop(key)
    assert row.checks == {("normal", "bfloat16"): (1994, 0, None), ("normal", "float32"): (1994, 0, None)}
    monkeypatch.setenv("VARSCALE_DEVICE", "cpu")
    assert _devices.refusal(torch.device("cuda", 0)) == "VARSCALE_DEVICE is cpu"


def test_a_setting_of_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable changes nothing, and nobody says so."""
    monkeypatch.setenv("VARSCALE_DEVICE", "gpu")
    with pytest.raises(ValueError, match=r"`VARSCALE_DEVICE` must be 'cpu' or unset, got 'gpu'"):
        vs.torch.init_(torch.empty(4, 4), vs.RandomNormal(seed=1))
