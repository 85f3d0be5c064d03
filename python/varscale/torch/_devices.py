"""Devices: tensors that are filled where their memory is, by kernels that make the bits of the CPU."""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext
from functools import cache, partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from .._arguments.dtypes import float_type
from .._arguments.parts import Part
from .._devices.check import Verdict, is_exact, verdicts
from .._devices.crossing import crossing, lattices, law_of, obstacle
from .._devices.setting import VARIABLE, on_the_host
from .._filling.fill import make
from .._sources.source import Drawn, Joined, Known, Source

_TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
_log = logging.getLogger("varscale")


class DeviceRoute(NamedTuple):
    """How the tensors of a device are filled."""

    device: str
    """Its name in torch, and its model."""
    route: str
    """ "triton", where kernels fill them in place; "cpu", where the CPU makes the values and they are copied."""
    reason: str | None
    """Why not by kernels; None where they fill."""
    checks: dict[tuple[str, str], Verdict]
    """What the check at first use has compared so far, and how many values differed, by law and dtype."""


def device_report() -> tuple[DeviceRoute, ...]:
    """How each GPU that torch sees is filled, why, and what the checks at first use have found so far.

    Raises:
        ValueError: The environment variable `VARSCALE_DEVICE` has an illegal value.

    Example:
        >>> import varscale as vs
        >>> routes = [(row.device, row.route, row.reason) for row in vs.torch.device_report()]
    """
    devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    if _is_interpreted():
        devices.append(torch.device("cpu"))
    reasons = [refusal(device) for device in devices]
    return tuple(
        DeviceRoute(_named(device), "cpu" if reason else "triton", reason, verdicts(_named(device)))
        for device, reason in zip(devices, reasons, strict=True)
    )


def refusal(device: torch.device) -> str | None:
    """Why kernels fill no tensors of a device; None where they do.

    Raises:
        ValueError: The environment variable `VARSCALE_DEVICE` has an illegal value.
    """
    if on_the_host():
        return f"{VARIABLE} is cpu"
    if device.type != "cuda" and not (device.type == "cpu" and _is_interpreted()):
        return f"there are no kernels for {device.type}"
    return None if _has_triton() else "Triton is not installed"


class Elsewhere:
    """Tensors whose values their own devices make: they are taken one by one, and filled together."""

    def __init__(self) -> None:
        self._fills: dict[torch.device, list[Any]] = {}
        self._refusals: dict[torch.device, str | None] = {}

    def takes(self, tensor: torch.Tensor, source: Source, part: Part) -> bool:
        """Takes a tensor, and what a part of it gets; False, where the CPU has to make that."""
        device = tensor.device
        if device not in self._refusals:
            self._refusals[device] = refusal(device)
        # The CPU itself fills what it has in one pass.
        if device.type == "cpu" and self._refusals[device] is not None:
            return False
        tensor = tensor.detach()
        # A negated or conjugated view has other values than its memory holds, so it is filled by a copy.
        if tensor.is_neg() or tensor.is_conj() or not self._makes(tensor, source, part):
            return False
        self._put(tensor, source, part)
        return True

    def _makes(self, tensor: Any, source: Source, part: Part) -> bool:
        """Whether a tensor's device makes the values of a source."""
        if isinstance(source, Joined):
            mesh = part.mesh(tensor)
            return all(self._makes(mesh[place], values, inner) for place, inner, values in source.pieces)
        if isinstance(source, Known):
            return source.diagonal is None or _corner(part) is not None
        if not isinstance(source, Drawn) or obstacle(source) is not None or self._refusals[tensor.device] is not None:
            return False
        law, name = law_of(source.plan), _named(tensor.device)
        values = partial(_values, tensor.device)
        # What rounds to 16 bits hides most of what float32 arithmetic does, so that is looked at by itself.
        kinds = [source.kind] if source.kind.value is source.kind.dtype.type else [float_type("float32"), source.kind]
        return all(is_exact(name, law, kind, values, make) for kind in kinds)

    def _put(self, tensor: Any, source: Source, part: Part) -> None:
        if isinstance(source, Joined):
            mesh = part.mesh(tensor)
            for place, inner, values in source.pieces:
                self._put(mesh[place], values, inner)
        elif isinstance(source, Known):
            tensor.fill_(_number(source.value))
            if source.diagonal is not None:
                row, column = _corner(part) or (0, 0)
                matrix: Any = part.mesh(tensor)
                matrix.diagonal(row - column).fill_(_number(source.diagonal))
        elif isinstance(source, Drawn):
            fills = self._fills.setdefault(tensor.device, [])
            fills += _fills(tensor, source, part)

    def run(self) -> None:
        """Fills what was taken, on the current stream of each device."""
        fills, self._fills = self._fills, {}
        for device, group in fills.items():
            _launch(device, group)


def _values(device: torch.device, source: Drawn, part: Part) -> NDArray[Any]:
    """The values of a source, as a device makes them."""
    made = torch.empty(part.shape, dtype=_TYPES[source.kind.name], device=device)
    _launch(device, _fills(made, source, part))
    values: NDArray[Any] = made.cpu().view(torch.uint8).numpy().view(source.kind.dtype)
    return values


def _fills(tensor: torch.Tensor, source: Drawn, part: Part) -> list[Any]:
    """What the kernels take of a tensor. An unseeded call takes its number here."""
    from .._devices.triton.launch import Fill  # imported when a device is first used: it brings Triton

    crossed = crossing(source)
    return [Fill(tensor, crossed, lattice) for lattice in lattices(part, tensor.stride())]


def _launch(device: torch.device, fills: list[Any]) -> None:
    from .._devices.triton.fill import fill

    # Triton launches on the current device.
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        fill(fills)


def _corner(part: Part) -> tuple[int, int] | None:
    """The row and the column of a matrix that a part begins with; None where its indices are no neighbours."""
    picks = part.picks or [(0, 1, size) for size in part.full_shape]
    if not all(isinstance(pick, tuple) and (pick[1] == 1 or pick[2] < 2) for pick in picks):
        return None
    row, column = (pick[0] for pick in picks)
    return row, column


def _number(value: Any) -> Any:
    """A value as a number of Python's."""
    return np.asarray(value).item()


@cache
def _named(device: torch.device) -> str:
    """A device as users know it."""
    model = torch.cuda.get_device_name(device) if device.type == "cuda" else "interpreted"
    return str(device) + f" ({model})"


def _is_interpreted() -> bool:
    """Whether Triton interprets its kernels, which then take tensors of the CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@cache
def _has_triton() -> bool:
    found = find_spec("triton") is not None
    if not found:
        _log.info("Triton is not installed: tensors of GPUs are made by the CPU, and copied")
    return found
