"""Devices: tensors that are filled where their memory is, by kernels that make the bits of the CPU."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from .._arguments.parts import Part, indexed_part
from .._devices.check import Verdict, makes_right, verdicts
from .._devices.crossing import crossing, lattices, obstacle
from .._devices.setting import VARIABLE, is_interpreted, on_the_host
from .._filling.fill import make
from .._sources.source import Drawn, Joined, Known, Source

_TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
_PASSING = tuple(
    error for name in ("OutOfMemoryError", "AcceleratorError") if (error := getattr(torch, name, None)) is not None
)
"""Errors of a device that say nothing of its arithmetic: no memory, a stream that is being captured, a fault before."""
_OLDEST = (3, 4)
"""The first version of Triton that compiles the kernels."""
_log = logging.getLogger("varscale")


class DeviceRoute(NamedTuple):
    """How the tensors of a device are filled."""

    device: str
    """Its name in torch, and its model."""
    route: str
    """ "triton", where kernels fill them in place; "cpu", where the CPU makes the values and they are copied; "partly",
    where that depends on the law and the dtype."""
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
    if is_interpreted():
        devices.append(torch.device("cpu"))
    return tuple(_route(device) for device in devices)


def _route(device: torch.device) -> DeviceRoute:
    """How a device is filled."""
    found, reason = verdicts(_named(device)), refusal(device)
    failed = [" in ".join(key) for key, verdict in found.items() if verdict.error or verdict.different]
    if failed and not reason:
        return DeviceRoute(_named(device), "partly", f"the check refused {', '.join(failed)}", found)
    return DeviceRoute(_named(device), "cpu" if reason else "triton", reason, found)


def refusal(device: torch.device) -> str | None:
    """Why kernels fill no tensors of a device; None where they do.

    Raises:
        ValueError: The environment variable `VARSCALE_DEVICE` has an illegal value.
    """
    if on_the_host():
        return f"{VARIABLE} is cpu"
    if device.type != "cuda" and not (device.type == "cpu" and is_interpreted()):
        return f"there are no kernels for {device.type}"
    return _lack_of_triton()


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
        # A negated or conjugated view has other values than its memory holds, and a wrapper has no memory of its own:
        # such are filled by a copy.
        if tensor.is_neg() or tensor.is_conj() or is_traceable_wrapper_subclass(tensor):
            return False
        if not self._makes(tensor, source, part):
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
        return makes_right(_named(tensor.device), source, partial(_values, tensor.device), make, _PASSING)

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
    """The values of a source, as a device makes them, by each of the kernels."""
    made = torch.empty(part.shape, dtype=_TYPES[source.kind.name], device=device)
    if made.ndim < 2:
        _launch(device, _fills(made, source, part))
    else:
        apart = made.new_empty(made.shape[::-1]).t()
        # Runs, of which two begin with a block and share a launch; long rows and short ones; elements that lie apart.
        pieces = [(slice(0, 48), slice(None)), (slice(48, 92), slice(None)), (slice(92, 121), slice(None))]
        pieces += [
            (slice(121, 150), slice(3, 233)),
            (slice(121, 150), slice(0, 3)),
            (slice(121, 150), slice(233, None)),
        ]
        beside = (slice(150, None), slice(None))
        fills = [fill for piece in pieces for fill in _fills(made[piece], source, indexed_part(part.full_shape, piece))]
        _launch(device, fills + _fills(apart[beside], source, indexed_part(part.full_shape, beside)))
        made[beside] = apart[beside]
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
    picks = part.axes()
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


@cache
def _lack_of_triton() -> str | None:
    """Why Triton cannot make the kernels, told once; None where it can."""
    try:
        from triton import __version__ as version
    except ModuleNotFoundError:
        reason = "Triton is not installed"
    else:
        if tuple(map(int, version.split(".")[:2])) >= _OLDEST:
            return None
        reason = f"Triton must be 3.4 or later, is {version}"
    _log.info("%s: tensors of GPUs are made by the CPU, and copied", reason)
    return reason
