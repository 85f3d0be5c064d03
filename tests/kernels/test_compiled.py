"""Triton's kernels as they are compiled for GPUs, which needs none: no product meets a sum in one rounding."""

from __future__ import annotations

import re
from typing import Any

import pytest
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from kernels.ptx import contracted
from varscale._devices.crossing import LAWS
from varscale._devices.triton import kernels
from varscale._devices.triton.quotients import quotients_kernel

TYPES = {"fp16": tl.float16, "bf16": tl.bfloat16, "fp32": tl.float32, "fp64": tl.float64}
UNSIGNED = {*kernels.STREAM, *kernels.REALS, "start", "step0", "step1", "step2"}
SHAPES: dict[str, dict[str, Any]] = {
    "rows_kernel": {"BLOCKS": 256, "ALIGNED": True, "AXES": 0},
    "short_rows_kernel": {"BLOCKS": 256, "LONG": False, "AXES": 2},
    "elements_kernel": {"SIZE": 512},
    "group_kernel": {"BLOCKS": 256},
}
NVIDIA, OLDER, AMD = GPUTarget("cuda", 90, 32), GPUTarget("cuda", 80, 32), GPUTarget("hip", "gfx942", 64)


def compiled(kernel: str, law: str, dtype: str, target: GPUTarget, *, fusion: bool = False, fma: bool = False) -> str:
    """The assembly of a kernel."""
    function = getattr(kernels, kernel)
    constants = {"LAW": law, "WIDE": dtype == "fp64", "FMA": fma, "SOFT": False, "MINMAX": fma, **SHAPES[kernel]}
    if kernel == "group_kernel":
        constants["DTYPE"] = TYPES[dtype]
    types = dict.fromkeys(UNSIGNED, "u64") | {"inner": "i32", "per_row": "i32", "out": f"*{dtype}"}
    types |= {"table": "*i64", "owners": "*i32"}
    names = function.arg_names
    signature = {name: "constexpr" if name in constants else types.get(name, "i64") for name in names}
    values = {(names.index(name),): value for name, value in constants.items()}
    source = ASTSource(function, signature, values, {(0,): [["tt.divisibility", 16]]})
    made = triton.compile(source, target=target, options={"num_warps": 4, "enable_fp_fusion": fusion})
    return str(made.asm["amdgcn" if target.backend == "hip" else "ptx"])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("law", LAWS)
def test_nothing_is_contracted(law: str, dtype: str) -> None:
    """A product and its sum are rounded once, or a quotient or a root is an approximation: other bits on some GPU."""
    exact = compiled("rows_kernel", law, dtype, OLDER)
    assert contracted(exact) == 0
    assert not re.search(r"\b(mul|add|sub|fma)\.\S*ftz", exact)
    assert not re.search(r"\b(div|sqrt)\.(full|approx)", exact)
    assert contracted(compiled("rows_kernel", law, dtype, OLDER, fusion=True)) > 0
    # The faster quotient: four for each value, and nothing else.
    values = 8 if dtype != "fp64" else 4
    explicit = 4 * values if law == "truncated_normal" and dtype != "fp64" else 0
    assert contracted(compiled("rows_kernel", law, dtype, NVIDIA, fma=True)) == explicit


@pytest.mark.parametrize("kernel", ["short_rows_kernel", "elements_kernel", "group_kernel"])
def test_every_kernel(kernel: str) -> None:
    """A kernel that the interpreter runs does not compile, or has a sum of its own that is fused."""
    for law, dtype in (("uniform", "bf16"), ("truncated_normal", "fp16"), ("normal", "fp32"), ("truncated", "fp64")):
        assert contracted(compiled(kernel, law, dtype, NVIDIA)) == 0
        assert contracted(compiled(kernel, law, dtype, NVIDIA, fusion=True)) > 0


def test_whole_tiles_are_stored_in_16_bytes() -> None:
    """A store of single values, which takes several times as long."""
    for kernel in ("rows_kernel", "group_kernel"):
        assert "st.global.v4.b32" in compiled(kernel, "normal", "fp32", NVIDIA)
        assert "st.global.v4.b32" in compiled(kernel, "normal", "bf16", NVIDIA)


def test_the_trial_of_the_quotient() -> None:
    """The faster quotient is compared with itself, or with an approximation."""
    source = ASTSource(quotients_kernel, {"differing": "*i32", "SIZE": "constexpr"}, {(1,): 1024}, {})
    ptx = triton.compile(source, target=NVIDIA, options={"num_warps": 4, "enable_fp_fusion": False}).asm["ptx"]
    values = 1024 // 128
    assert (len(re.findall(r"\bdiv\.rn\.f32", ptx)), contracted(ptx)) == (values, 4 * values)


def test_amd() -> None:
    """The same on AMD, where quotients and roots are fused operations themselves, so that the others are counted."""
    fused = r"\bv_(?:pk_)?(?:fma|fmac|mad|mac)_f(?:32|64)"
    assert not re.search(fused, compiled("rows_kernel", "uniform", "fp32", AMD))
    assert re.search(fused, compiled("rows_kernel", "uniform", "fp32", AMD, fusion=True))
    for law in ("truncated_normal", "normal"):
        exact, loose = (
            len(re.findall(fused, compiled("rows_kernel", law, "fp32", AMD, fusion=f))) for f in (False, True)
        )
        assert exact < loose
