"""ONNX: initial values of a graph's tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import varscale as vs

INIT = vs.lecun_normal(7).fold_in("kernel")
TYPES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16, "float32": TensorProto.FLOAT}


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float16", "bfloat16", "float32", "float64"])
def test_tensors(dtype: str) -> None:
    """If this fails a tensor of a model has other bits, or bfloat16 has become a number of bits."""
    values = INIT((64, 32), dtype)
    tensor = numpy_helper.from_array(values, "kernel")
    assert tensor.data_type == TYPES.get(dtype, tensor.data_type)
    back = numpy_helper.to_array(tensor)
    assert (back.dtype, back.tobytes()) == (values.dtype, values.tobytes())


def test_a_model(tmp_path: Path) -> None:
    """If this fails a model whose initial values are ours does not run, or is not the same from its file."""
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", size)) for name, size in (("x", 64), ("y", 32))
    )
    node = helper.make_node("MatMul", ["x", "kernel"], ["y"])
    graph = helper.make_graph([node], "layer", [x], [y], [numpy_helper.from_array(INIT((64, 32)), "kernel")])
    onnx.save(helper.make_model(graph), tmp_path / "layer.onnx")
    loaded = onnx.load(tmp_path / "layer.onnx")
    onnx.checker.check_model(loaded)
    ones = np.ones((2, 64), np.float32)
    assert np.allclose(ReferenceEvaluator(loaded).run(None, {"x": ones})[0], ones @ INIT((64, 32)), atol=1e-5)
