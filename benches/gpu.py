"""varscale on a GPU beside torch and the limit of its memory, in one run: `make bench-gpu`, a minute on an H100.

    python benches/gpu.py

Printed are 10^9 values a second (medians of events around queued calls), and milliseconds of whole models. `fill_`
writes the same bytes and computes nothing. `torch.func._random` is torch's stateless Philox, where torch has it.
"""

from __future__ import annotations

import csv
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

import varscale as vs

HERE = Path(__file__).parent
Call = Callable[..., object]


def milliseconds(call: Call, repeats: int = 9, queued: int = 5) -> float:
    """The time of a call on the device: the median over `repeats` of `queued` calls between two events."""
    call()
    torch.cuda.synchronize()
    found = []
    for _ in range(repeats):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(queued):
            call()
        end.record()
        torch.cuda.synchronize()
        found.append(begin.elapsed_time(end) / queued)
    return median(found)


def waited(call: Call, repeats: int = 200) -> float:
    """The microseconds until a call returns, while the device has nothing else to do."""
    found = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    torch.cuda.synchronize()
    return 1e6 * median(found)


def ours(tensor: torch.Tensor) -> dict[str, Call]:
    """Varscale's fills of a tensor."""
    laws = {
        "uniform": vs.RandomUniform(-0.05, 0.05, seed=7),
        "truncated": vs.TruncatedNormal(0.0, 0.02, seed=7),
        "normal": vs.RandomNormal(0.0, 0.02, seed=7),
        "truncated at 3": vs.TruncatedNormal(0.0, 0.02, seed=7, lower=-3.0, upper=3.0),
    }
    return {f"varscale {law}": lambda init=init: vs.torch.init_(tensor, init) for law, init in laws.items()}


def theirs(tensor: torch.Tensor) -> dict[str, Call]:
    """Those of torch."""
    calls: dict[str, Call] = {
        "fill_": lambda: tensor.fill_(0.5),
        "nn.init.uniform_": lambda: torch.nn.init.uniform_(tensor, -0.05, 0.05),
        "nn.init.trunc_normal_": lambda: torch.nn.init.trunc_normal_(tensor, std=0.02, a=-0.04, b=0.04),
        "nn.init.normal_": lambda: torch.nn.init.normal_(tensor, std=0.02),
    }
    try:
        from torch.func import _random
    except ImportError:
        return calls
    key = _random.key(7, device=tensor.device)
    calls["func._random.normal_"] = lambda: _random.normal_(key, tensor, std=0.02)
    return calls


def tensors() -> None:
    """Rates of single tensors."""
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        for name, shape in (("8192²", (8192, 8192)), ("2^30", (1 << 30,))):
            tensor = torch.empty(shape, dtype=dtype, device="cuda")
            times = {}
            for call_name, call in (theirs(tensor) | ours(tensor)).items():
                try:
                    times[call_name] = milliseconds(call)
                except (RuntimeError, TypeError) as error:  # torch's own, for dtypes that it has not
                    print(f"{dtype} {name} {call_name}: {type(error).__name__}: {str(error).splitlines()[0]}")
            for call_name, each in times.items():
                rate, share = tensor.numel() / each / 1e6, times["fill_"] / each
                print(f"{dtype} {name:6} {call_name:24} {rate:7.0f} G/s  {share:5.2f} of fill_", flush=True)
            del tensor


def parts() -> None:
    """Rates of shards: columns, and rows that are short."""
    whole = vs.TruncatedNormal(0.0, 0.02, seed=7)
    for name, full, index in (
        ("whole 8192²", (8192, 8192), ...),
        ("columns of 8192 x 16384", (8192, 16384), (slice(None), slice(4096, 12288))),
        ("odd columns", (8192, 16384), (slice(None), slice(4097, 12289))),
        ("rows of 40", (1 << 20, 80), (slice(None), slice(20, 60))),
        ("rows of 8", (1 << 22, 16), (slice(None), slice(4, 12))),
    ):
        lazy = whole.lazy(full)
        shape = lazy.shape if index is ... else (full[0], index[1].stop - index[1].start)
        tensor = torch.empty(shape, device="cuda")
        fill = _part_fill(tensor, lazy, index)
        print(f"{name:24} {tensor.numel() / milliseconds(fill) / 1e6:7.0f} G/s", flush=True)


def _part_fill(tensor: torch.Tensor, lazy: Any, index: Any) -> Call:
    """A fill of a part, as a shard of a DTensor gets it."""
    from varscale._arguments.parts import indexed_part
    from varscale.torch._devices import Elsewhere

    part = indexed_part(lazy.shape, index)

    def fill() -> None:
        elsewhere = Elsewhere()
        assert elsewhere.takes(tensor, lazy._source(part), part)
        elsewhere.run()

    return fill


def llama_8b() -> list[tuple[int, ...]]:
    """The shapes of the weights of Llama-3-8B."""
    layer = [(4096, 4096), (1024, 4096), (1024, 4096), (4096, 4096), (14336, 4096), (14336, 4096), (4096, 14336)]
    return [(128256, 4096), *(layer * 32), (128256, 4096)]


def gpt2_small() -> list[tuple[int, ...]]:
    """The shapes of GPT-2 small."""
    with (HERE.parent / "examples" / "models" / "gpt2_small.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [tuple(map(int, row["shape"].split("x"))) for row in rows]


def models() -> None:
    """Whole models: all weights by one call, beside torch's one by one."""
    nn = torch.nn.init
    for name, dtype, shapes in (
        ("GPT-2 small", torch.float32, gpt2_small()),
        ("Llama-3-8B", torch.bfloat16, llama_8b()),
    ):
        made = (torch.empty(shape, dtype=dtype, device="cuda") for shape in shapes)
        net = torch.nn.ParameterList(torch.nn.Parameter(tensor, requires_grad=False) for tensor in made)
        model = {
            law: vs.Model(dict(net.named_parameters()), [("*", init)])
            for law, init in (("normal", vs.RandomNormal(0.0, 0.02)), ("truncated", vs.TruncatedNormal(0.0, 0.02)))
        }
        calls: dict[str, Call] = {
            "fill_": lambda net=net: [tensor.fill_(0.5) for tensor in net],
            "nn.init.normal_": lambda net=net: [nn.normal_(tensor, std=0.02) for tensor in net],
            "nn.init.trunc_normal_": lambda net=net: [
                nn.trunc_normal_(tensor, 0.0, 0.02, -0.04, 0.04) for tensor in net
            ],
            "varscale normal": lambda net=net, model=model: vs.torch.init_(net, model["normal"], 7),
            "varscale truncated": lambda net=net, model=model: vs.torch.init_(net, model["truncated"], 7),
        }
        for call_name, call in calls.items():
            print(f"{name:12} {call_name:24} {milliseconds(call, 5, 1):8.2f} ms", flush=True)


def small() -> None:
    """What one small tensor costs the script."""
    tensor = torch.empty(64, 64, device="cuda")
    for name, call in (theirs(tensor) | ours(tensor)).items():
        print(f"64² {name:24} {waited(call):6.1f} us")


if __name__ == "__main__":
    if not torch.cuda.is_available():
        sys.exit("this needs torch with CUDA, and a GPU")
    warnings.simplefilter("error", UserWarning)  # what the CPU makes would be timed as the device's
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}, varscale {vs.__version__}")
    begun = time.perf_counter()
    small()
    tensors()
    parts()
    models()
    print(f"{time.perf_counter() - begun:.0f} s")
