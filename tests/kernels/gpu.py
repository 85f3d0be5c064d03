"""What only a GPU can show: `make test-gpu`, some two minutes on an H100. It needs varscale and torch with CUDA.

    python tests/kernels/gpu.py [--values 30]

Printed are the route of each device, how many values of each law and dtype were compared with the CPU's and how many
differ, whether faults of the arithmetic are caught by the check at first use, and whether a fill waits or allocates.
The exit code is 0 where all is as it must be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

import varscale as vs

LAWS = {
    "uniform": vs.RandomUniform(-0.05, 0.15, seed=7),
    "truncated_normal": vs.TruncatedNormal(0.1, 0.05, seed=7),
    "normal": vs.RandomNormal(-0.3, 0.05, seed=7),
    "truncated": vs.TruncatedNormal(0.1, 0.05, seed=7, lower=-3.0, upper=3.0),
}
DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
WORDS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
PACKAGE = Path(vs.__file__).parent
FAULTS = {
    "fused products": ("launch.py", "FUSION = False", "FUSION = True", "TruncatedNormal", "float32"),
    "plain quotient": ("laws.py", "result = tl.div_rn(a, b)", "result = a / b", "TruncatedNormal", "float32"),
    "approximate root": ("laws.py", "radius = tl.sqrt_rn(m + m)", "radius = tl.sqrt(m + m)", "RandomNormal", "float32"),
    "cut bfloat16": (
        "kernels.py",
        "made = x.to(DTYPE)",
        "if DTYPE == tl.bfloat16:\n"
        "            made = (x.to(tl.uint32, bitcast=True) & 0xFFFF0000).to(tl.float32, bitcast=True).to(DTYPE)\n"
        "        else:\n"
        "            made = x.to(DTYPE)",
        "RandomNormal",
        "bfloat16",
    ),
}
"""By name: the file of `_devices/triton`, what stands there, the fault, and who sees it."""
failures = 0


def report(text: str, *, good: bool) -> None:
    """Prints a line, and remembers whether it is as it must be."""
    global failures
    failures += not good
    print(f"{'ok    ' if good else 'FAILED'} {text}", flush=True)


def differing(found: torch.Tensor, wanted: torch.Tensor) -> int:
    """How many bit patterns of a GPU's tensor are others than those of a CPU's."""
    word = WORDS[found.itemsize]
    return int((found.view(word) != wanted.to(found.device, non_blocking=True).view(word)).sum())


def compare(values: int) -> None:
    """Whole tensors of every law and dtype, piece by piece."""
    size = 1 << 26
    for law, init in LAWS.items():
        for dtype in DTYPES:
            start, wrong = time.perf_counter(), 0
            found, wanted = (torch.empty(size, dtype=dtype, device=device) for device in ("cuda", "cpu"))
            for piece in range(-(-values // size)):
                tensor = init.fold_in(piece)
                vs.torch.init_(found, tensor)
                vs.torch.init_(wanted, tensor)
                wrong += differing(found, wanted)
            count = -(-values // size) * size
            seconds = time.perf_counter() - start
            report(f"{law} {dtype}: {wrong} of {count:,} differ ({seconds:.1f} s)", good=not wrong)


def layouts() -> None:
    """Strides, short rows, odd addresses, many tensors at once."""
    makers = {
        "channels last": lambda **k: torch.empty(64, 3, 7, 7, **k).contiguous(memory_format=torch.channels_last),
        "transposed": lambda **k: torch.empty(1000, 700, **k).t(),
        "columns": lambda **k: torch.empty(1024, 1024, **k)[:, 256:512],
        "short rows": lambda **k: torch.empty(5000, 40, **k)[:, 1:38],
        "an odd address": lambda **k: torch.empty(100_001, **k)[1:],
        "every second": lambda **k: torch.empty(500, 600, **k)[:, ::2],
        "five axes": lambda **k: torch.empty(4, 5, 6, 7, 8, **k)[:, 1:4, :, 2:6, 1:],
    }
    for dtype in DTYPES:
        wrong = 0
        for make in makers.values():
            for init in LAWS.values():
                found = vs.torch.init_(make(dtype=dtype, device="cuda"), init)
                wanted = vs.torch.init_(make(dtype=dtype), init)
                wrong += differing(found.contiguous(), wanted.contiguous())
        report(f"layouts {dtype}: {wrong} differ", good=not wrong)


def network() -> None:
    """A network from meta, filled on the device in one call, and its streams, waits and memory."""
    with torch.device("meta"):
        net = torch.nn.TransformerEncoderLayer(256, 4, 1024)
    model = vs.torch.model_of(torch.nn.TransformerEncoderLayer, 256, 4, 1024)
    net = vs.torch.init_(net.to_empty(device="cuda"), model, 5)
    wrong = sum(differing(net.state_dict()[name], torch.from_numpy(array)) for name, array in model.init(5).items())
    report(f"meta -> to_empty -> init_: {wrong} differ", good=not wrong)
    tensor = torch.empty(4096, 4096, device="cuda")
    init = vs.RandomNormal(seed=3)
    vs.torch.init_(tensor, init)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.cuda.stream(torch.cuda.Stream()):
            vs.torch.init_(tensor, init)
        waits = False
    except RuntimeError as error:
        waits = "synchroniz" in str(error)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    report(f"a fill waits for the device: {waits}", good=not waits)
    more = torch.cuda.max_memory_allocated() - before
    report(f"a fill allocates {more} bytes", good=not more)
    many = torch.nn.ParameterList(torch.empty(64, 64, device="cuda") for _ in range(300))
    vs.torch.init_(many, init, everything=True)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    vs.torch.init_(many, init, everything=True)
    more = torch.cuda.max_memory_allocated() - before
    wrong = sum(
        differing(each, vs.torch.init_(torch.empty(64, 64), init.fold_in(str(n)))) for n, each in enumerate(many)
    )
    report(f"300 small tensors: {wrong} differ, {more} bytes of a table", good=not wrong and more < 300 * 200)
    large = torch.empty((1 << 31) + 5000, dtype=torch.bfloat16, device="cuda")
    vs.torch.init_(large, init)
    end = init.lazy(tuple(large.shape), "bfloat16")[-5000:]
    wrong = differing(large[-5000:].contiguous(), torch.from_numpy(end.view("i2")).view(torch.bfloat16))
    report(f"the end of {large.numel():,} values: {wrong} differ", good=not wrong)


def faults() -> None:
    """Known faults of GPU arithmetic, each in a copy of the package: the check must warn of it."""
    for name, (file, text, fault, init, dtype) in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "varscale"
            shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
            path = copy / "_devices" / "triton" / file
            source = path.read_text(encoding="utf-8")
            if source.count(text) != 1:
                report(f"{name}: {file} does not hold {text!r} once", good=False)
                continue
            path.write_text(source.replace(text, fault), encoding="utf-8")
            if name == "plain quotient":  # which is looked at where the faster one is not used
                launch = path.parent / "launch.py"
                source = launch.read_text(encoding="utf-8")
                launch.write_text(source.replace("are_exact(self.out.device)", "False"), encoding="utf-8")
            script = (
                f"import torch, varscale as vs; assert vs.__file__.startswith({folder!r}); "
                f"vs.torch.init_(torch.empty(9, dtype=torch.{dtype}, device='cuda'), vs.{init}(seed=1)); "
                "print(vs.torch.device_report()[0].checks)"
            )
            environment = os.environ | {"PYTHONPATH": folder, "PYTHONWARNINGS": "always"}
            done = subprocess.run(
                [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
            )
            caught = done.returncode == 0 and "does not make the CPU's values" in done.stderr
            report(f"{name}: caught {caught} {done.stdout.strip()}", good=caught)
            if not caught:
                print(done.stderr[-2000:])


def main() -> int:
    """Runs everything; the exit code is 0 if all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=30, help="compare 2^VALUES values of each law and dtype")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("this needs torch with CUDA, and a GPU")
    # What the CPU makes would be compared with itself.
    warnings.simplefilter("error")
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}, varscale {vs.__version__}")
    start = time.perf_counter()
    network()
    layouts()
    faults()
    compare(1 << arguments.values)
    for row in vs.torch.device_report()[:1]:
        checks = {" ".join(key): value[:2] for key, value in row.checks.items()}
        report(f"{row.device} {row.route} {row.reason or ''} {checks}", good=row.route == "triton")
        report(f"{len(checks)} laws and dtypes were compared at first use", good=len(checks) == len(LAWS) * len(DTYPES))
    print(f"{time.perf_counter() - start:.0f} s, {failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
