"""The torch adapter with Triton's kernels, interpreted on the CPU: routes, and modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import varscale as vs
from varscale._arguments.parts import indexed_part
from varscale._devices.crossing import crossing, lattices
from varscale._devices.triton.launch import Fill
from varscale.torch import _devices

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


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


@pytest.mark.parametrize(
    "index", [(slice(3, 6), slice(1, 7)), (slice(0, 2), slice(4, 9)), (slice(1, 9, 2), slice(None))]
)
def test_parts_of_the_identity(index: tuple[slice, ...]) -> None:
    """A shard of an identity matrix has its ones in other places than the whole matrix."""
    init = vs.Identity(0.5)
    part = indexed_part((9, 9), index)
    found, source = torch.full(part.shape, 7.0), init._source(part, "float32")
    elsewhere = _devices.Elsewhere()
    if elsewhere.takes(found, source, part):
        elsewhere.run()
        assert np.array_equal(found.numpy(), init((9, 9))[index])
    else:
        assert index[0].step == 2  # a step has no diagonal of its own


def test_tensors_that_overlap_are_refused() -> None:
    """Programs of a kernel write different values to one place, and the last one stays."""
    for tensor in (torch.empty(1, 5).expand(4, 5), torch.empty(9).as_strided((3, 4), (2, 1))):
        with pytest.raises(ValueError, match="must not overlap itself"):
            vs.torch.init_(tensor, vs.RandomNormal(seed=1))


def test_wrappers_are_copied(launches: list[int]) -> None:
    """A kernel writes to address 0, for a tensor that wraps others has no memory of its own."""
    from torch.testing._internal.two_tensor import TwoTensor

    init = vs.RandomNormal(seed=1)
    vs.torch.init_(torch.empty(3, 4), init)
    launches.clear()
    part = indexed_part((3, 4), ...)
    wrapper = TwoTensor(torch.empty(3, 4), torch.empty(3, 4))
    assert not _devices.Elsewhere().takes(wrapper, init._source(part, "float32"), part)


@pytest.mark.parametrize("bounds", [(-2e-310, -1e-310), (0.0, 1.0), (-1.0, 1.0)])
def test_bounds_that_round_to_zero(bounds: tuple[float, float]) -> None:
    """Of two zeros a GPU's minimum may return either, where a bound is no zero in float64 but one in float32."""
    part = indexed_part((3,), ...)
    crossed = crossing(vs.RandomUniform(*bounds, seed=1)._source(part, "float32"))
    (lattice,) = lattices(part, (1,))
    is_fast = Fill(torch.empty(3), crossed, lattice).constants()[-1]
    assert is_fast == (bounds == (-1.0, 1.0))


def test_replays_are_copied(launches: list[int]) -> None:
    """A replay has words of its own, which no kernel makes."""
    init = vs.RandomNormal(seed=vs.replay.torch(3))
    found = vs.torch.init_(torch.empty(30, 50), init)
    assert not launches
    assert np.array_equal(found.numpy(), init((30, 50)))


def test_unseeded_calls_take_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device takes no number for a call, or two, and the calls after it have other values than on the CPU."""
    found, wanted = [], []
    for values, route in ((found, "interpreted"), (wanted, "cpu")):
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
