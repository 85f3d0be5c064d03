"""The look at a device's values before it makes any for users, and the setting that keeps it from them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from varscale._arguments.dtypes import FLOAT_TYPES
from varscale._devices import check, setting
from varscale._devices.crossing import LAWS, crossing
from varscale._filling.fill import make


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_verdicts", {})


@pytest.mark.parametrize("dtype", FLOAT_TYPES)
@pytest.mark.parametrize("law", LAWS)
def test_a_device_that_agrees(law: str, dtype: str) -> None:
    """If this fails a good device is not used, too little is compared, or each array costs a comparison."""
    made: list[np.ndarray] = []
    laws = set()

    def device(source: Any, part: Any) -> np.ndarray:
        laws.add(crossing(source).law)
        made.append(make(source, part))
        return made[-1]

    kind = FLOAT_TYPES[dtype]
    for _ in range(2):
        assert check.is_exact("a device", law, kind, device, make)
    assert laws == {law}
    assert sum(array.size for array in made) >= 100_000
    assert {array.dtype for array in made} == {kind.dtype}


@pytest.mark.thread_unsafe(reason="warnings are caught")
@pytest.mark.parametrize("dtype", FLOAT_TYPES)
def test_a_device_that_differs(dtype: str) -> None:
    """If this fails one wrong place of one value goes unseen, or users are not told, or told for each array."""

    def device(source: Any, part: Any) -> np.ndarray:
        array = make(source, part)
        if source.plan.loc:
            array.reshape(-1).view(f"u{array.itemsize}")[-1] ^= 1
        return array

    kind = FLOAT_TYPES[dtype]
    with pytest.warns(
        UserWarning, match=rf"^a GPU does not make .* of the law normal in {dtype}: 2 of 10\d{{4}} differ"
    ):
        assert not check.is_exact("a GPU", "normal", kind, device, make)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not check.is_exact("a GPU", "normal", kind, device, make)
        assert check.is_exact("another GPU", "normal", kind, make, make)
        assert check.is_exact("a GPU", "uniform", kind, make, make)


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails nobody can keep values off a device, or a misspelt word is taken for a legal one."""
    monkeypatch.delenv("VARSCALE_DEVICE", raising=False)
    assert not setting.on_the_host()
    monkeypatch.setenv("VARSCALE_DEVICE", "")
    assert not setting.on_the_host()
    monkeypatch.setenv("VARSCALE_DEVICE", "cpu")
    assert setting.on_the_host()
    monkeypatch.setenv("VARSCALE_DEVICE", "gpu")
    with pytest.raises(ValueError, match="`VARSCALE_DEVICE` must be 'cpu' or unset, got 'gpu'"):
        setting.on_the_host()
