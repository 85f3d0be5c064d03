"""Any strides, any number of axes, and many tensors at once, by Triton's interpreter."""

from __future__ import annotations

import pytest
import torch
from test_interpreted_matrix import TYPES, differing, made

from oracle.matrix import LAWS, Case
from varscale._arguments.parts import indexed_part
from varscale._devices.crossing import crossing, lattices
from varscale._devices.triton import fill as filling
from varscale._devices.triton import group
from varscale._devices.triton.launch import Fill

FULL = (5, 6, 7, 9)
LAYOUTS = {
    "contiguous": lambda t: t.empty(FULL),
    "channels last": lambda t: t.empty(FULL).contiguous(memory_format=torch.channels_last),
    "transposed": lambda t: t.empty(FULL[::-1]).permute(3, 2, 1, 0),
    "padded": lambda t: t.empty((5, 6, 7, 12))[..., :9],
    "padded rows": lambda t: t.empty((5, 6, 8, 9))[:, :, 1:],
    "every second": lambda t: t.empty((5, 6, 7, 18))[..., ::2],
    "at an odd address": lambda t: t.empty((1 + 5 * 6 * 7 * 9,))[1:].view(FULL),
    "mixed": lambda t: t.empty((6, 10, 9, 7)).permute(1, 0, 3, 2)[::2],
}


class Empty:
    """Tensors of a dtype, in a memory that shows what is written beside them."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def empty(self, shape: tuple[int, ...]) -> torch.Tensor:
        """A tensor full of sevens."""
        self.memory = torch.full(shape, 7.0, dtype=self.dtype)
        return self.memory


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TYPES)
def test_layouts(layout: str, dtype: str) -> None:
    """A value in another place of memory than its own, or a write beside the tensor."""
    for law, init in LAWS.items():
        for index in (..., (slice(1, 4), slice(None), slice(5, 0, -2)), (slice(None), 2)):
            case = Case(f"{law} {layout} {index}", init, dtype, FULL, index)
            memory = Empty(TYPES[dtype])
            whole = LAYOUTS[layout](memory)
            # The part's own tensor is one of the same layout, cut.
            part = indexed_part(FULL, index)
            out = whole[tuple(slice(size) for size in part.shape)] if len(part.shape) == 4 else whole[:, 0]
            before = memory.memory.clone() if whole is memory.memory or whole._base is not None else None
            assert not differing(case, made(case, out)), case.name
            if before is not None:
                out.fill_(7.0)
                assert torch.equal(memory.memory, before), case.name


@pytest.mark.parametrize(("programs", "tiles"), [(3, 65535), (2**31 - 1, 0)])
def test_more_rows_than_a_launch_has(monkeypatch: pytest.MonkeyPatch, programs: int, tiles: int) -> None:
    """Too many rows, tiles or elements for one launch are left out, or begin at a wrong number."""
    assert (filling._MOST_PROGRAMS, filling.MOST_TILES) == (2**31 - 1, 65535)
    monkeypatch.setattr(filling, "_MOST_PROGRAMS", programs)
    monkeypatch.setattr(filling, "MOST_TILES", tiles)
    long, short = (Case("", LAWS["normal"], "float32", (2, 3, 300), (..., slice(7, end))) for end in (290, 20))
    assert not differing(long, made(long))
    assert not differing(short, made(short))
    apart = Case("", LAWS["normal"], "float32", (40, 30, 2))
    assert not differing(apart, made(apart, torch.empty((2, 30, 40)).permute(2, 1, 0)))


def test_small_tensors_share_a_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each small tensor has a launch of its own, which takes longer than its values; or a table mixes them up."""
    launches: list[int] = []
    monkeypatch.setattr(filling, "launch_group", lambda fills: launches.append(len(fills)) or group.launch_group(fills))
    for dtype in TYPES:
        for init in LAWS.values():
            full = [(), (1,), (5,), (3, 700), (2048,), (2049,), (6, 11, 4)]
            cases = [Case("", init.fold_in(number), dtype, shape) for number, shape in enumerate(full)]
            parts = [indexed_part(case.shape, ...) for case in cases]
            outs = [torch.full(part.shape, 7.0, dtype=TYPES[dtype]) for part in parts]
            launches.clear()
            filling.fill(
                Fill(out, crossing(case.init._source(part, dtype)), lattice)
                for case, part, out in zip(cases, parts, outs, strict=True)
                for lattice in lattices(part, out.stride())
            )
            assert launches == [len(cases)]
            assert [differing(case, out) for case, out in zip(cases, outs, strict=True)] == [0] * len(cases)
