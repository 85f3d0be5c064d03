"""Buffers: statistics begin anew, and nothing stays what memory held after `to_empty`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import varscale as vs

INIT = vs.lecun_normal(7)
UNFILLED = r"`target` must have no buffer that nobody fills, has \["


class Rotary(nn.Module):
    """A buffer that a constructor computes, as rotary embeddings have one."""

    def __init__(self, persistent: bool = False) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 1.0 / 10000 ** (torch.arange(4) / 4), persistent=persistent)


def from_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """A module whose memory holds marks, as any memory might."""
    with torch.device("meta"):
        module = build()
    module.to_empty(device="cpu")
    for tensor in [*module.parameters(), *module.buffers()]:
        np_view = tensor.detach().numpy()  # past autograd, which would count a write
        np_view[...] = 113
    return module


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.SyncBatchNorm, nn.InstanceNorm1d])
@pytest.mark.parametrize("kind", ["initializer", "everything", "model"])
def test_statistics_begin_anew(norm: type[nn.Module], kind: str) -> None:
    """If this fails a batch norm divides by what memory held."""
    options = {"track_running_stats": True, "affine": True} if norm is nn.InstanceNorm1d else {}
    module = from_meta(lambda: nn.Sequential(nn.Linear(4, 3), norm(3, **options)))
    model = vs.Model(dict(module.named_parameters()))
    vs.torch.init_(module, model if kind == "model" else INIT, 7, everything=kind == "everything")
    assert module[1].running_mean.tolist() == [0, 0, 0]
    assert module[1].running_var.tolist() == [1, 1, 1]
    assert module[1].num_batches_tracked.item() == 0
    if kind != "everything":
        assert module[1].weight.tolist() == [1, 1, 1]


def test_a_model_may_have_other_statistics() -> None:
    """If this fails a model's own buffers are overruled."""
    module = nn.BatchNorm1d(3)
    model = vs.Model({"weight": (3,), "bias": (3,), "running_var": ((3,), None, vs.Constant(2.0))})
    vs.torch.init_(module, model)
    assert module.running_var.tolist() == [2, 2, 2]
    assert module.running_mean.tolist() == [0, 0, 0]


@pytest.mark.parametrize("persistent", [True, False])
def test_a_buffer_that_nobody_fills_is_an_error(persistent: bool) -> None:
    """If this fails rotary frequencies are what memory held, and nobody is told."""
    module = from_meta(lambda: nn.ModuleDict({"a": nn.Linear(4, 3), "b": Rotary(persistent), "c": Rotary(persistent)}))
    for target in (INIT, vs.Model(dict(module.named_parameters()))):
        with pytest.raises(ValueError, match=rf"{UNFILLED}'b.inv_freq', 'c.inv_freq'\]: after `to_empty`"):
            vs.torch.init_(module, target, 7)
        assert (module["a"].weight == 113).all(), "nothing is filled"
    module["b"].inv_freq.copy_(torch.ones(4))
    with pytest.raises(ValueError, match=rf"{UNFILLED}'c.inv_freq'\]: after"):
        vs.torch.init_(module, INIT)
    module["c"].load_state_dict({"inv_freq": torch.ones(4)}, strict=persistent)
    if not persistent:
        with torch.no_grad():
            module["c"].inv_freq[:] = 1
    vs.torch.init_(module, INIT)
    assert module["b"].inv_freq.tolist() == module["c"].inv_freq.tolist() == [1, 1, 1, 1]


def test_buffers_that_are_right() -> None:
    """If this fails a module that computes its buffers cannot be initialised, or loses them."""
    module = nn.ModuleDict({"a": nn.Linear(4, 3), "b": Rotary(), "c": Rotary()})
    before = module["b"].inv_freq.clone()
    with pytest.raises(ValueError, match=rf"{UNFILLED}'b.inv_freq', 'c.inv_freq'\]: after .* name it in `keep`"):
        vs.torch.init_(module, INIT)
    vs.torch.init_(module, INIT, keep="*.inv_freq")
    assert torch.equal(module["b"].inv_freq, before)
    model = vs.Model(
        {name: (tuple(p.shape), None, vs.Zeros()) for name, p in module.named_parameters()}
        | {"b.inv_freq": ((4,), None, vs.Constant(before.tolist())), "c.inv_freq": ((4,), None, vs.Ones())}
    )
    module = from_meta(lambda: nn.ModuleDict({"a": nn.Linear(4, 3), "b": Rotary(), "c": Rotary()}))
    vs.torch.init_(module, model)
    assert torch.equal(module["b"].inv_freq, before)
    assert module["c"].inv_freq.tolist() == [1, 1, 1, 1]


def test_buffers_of_other_kinds() -> None:
    """If this fails a buffer is judged by what it cannot have: a layout, a version, a place on the meta device."""
    module = nn.Linear(4, 3)
    module.register_buffer("adjacency", torch.eye(3).to_sparse())
    vs.torch.init_(module, INIT, keep="adjacency")
    with pytest.raises(ValueError, match=f"{UNFILLED}'adjacency'"):
        vs.torch.init_(module, INIT)
    with torch.inference_mode():
        module.adjacency = torch.eye(3).zero_()
    with pytest.raises(ValueError, match=f"{UNFILLED}'adjacency'"):
        vs.torch.init_(module, INIT)
    module.adjacency = torch.zeros(3, device="meta").fill_(1)
    with pytest.raises(ValueError, match="buffer 'adjacency' must have memory, got a meta tensor"):
        vs.torch.init_(module, INIT)
    # Nor does a name alone make a statistic: another class may mean another thing by it.
    module.running_mean = nn.Buffer(torch.ones(3))
    with pytest.raises(ValueError, match=f"{UNFILLED}'running_mean'"):
        vs.torch.init_(module, INIT, keep="adjacency")
    del module.running_mean
    # A weight that is a buffer is no statistic.
    del module.weight, module.adjacency
    module.register_buffer("weight", torch.ones(3, 4))
    with pytest.raises(ValueError, match=f"{UNFILLED}'weight'"):
        vs.torch.init_(module, INIT)
