"""Dtypes: every spelling users have, and what is no floating-point dtype."""

from __future__ import annotations

from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest

import varscale as vs

SPELLINGS = {
    "float16": ["float16", "half", np.float16, np.dtype(np.float16), "f2", "e"],
    "bfloat16": ["bfloat16", ml_dtypes.bfloat16, np.dtype(ml_dtypes.bfloat16)],
    "float8_e4m3fn": ["float8_e4m3fn", ml_dtypes.float8_e4m3fn],
    "float8_e5m2": ["float8_e5m2", np.dtype(ml_dtypes.float8_e5m2)],
    "complex64": ["complex64", np.complex64, np.dtype("c8"), "F"],
    "complex128": ["complex128", np.complex128, complex, "c16", "D"],
    "float32": ["float32", "float", float, np.float32, np.dtype("f4"), "f4", "<f4", "single"],
    "float64": ["float64", "double", np.float64, np.dtype(np.float64), "f8", "d"],
}
CASES = [(name, spelling) for name, spellings in SPELLINGS.items() for spelling in spellings]
REFUSED = [
    *("int32", "bool", "clongdouble", "str", "S3", "object", "longdouble", ">f4", ">f8", "bogus", ""),
    *(
        np.int64,
        np.bool_,
        bool,
        int,
        np.clongdouble,
        np.dtype(">f2"),
        np.dtype(">c8"),
        np.longdouble,
        np.dtype("datetime64[s]"),
    ),
    *("float8_e4m3", "float8_e5m2fnuz", ml_dtypes.float8_e8m0fnu, "float4_e2m1fn", "int4", ml_dtypes.int4),
]
WRONG_KIND = [3, 1.0, object(), ["float32"], np.ones(2)]


class TensorFlowDType:
    """Looks like `tf.DType`."""

    def __init__(self, dtype: type) -> None:
        self.as_numpy_dtype = dtype
        self.name = np.dtype(dtype).name


@pytest.mark.parametrize(("name", "spelling"), CASES, ids=repr)
def test_every_spelling_means_its_dtype(name: str, spelling: object) -> None:
    """If this fails a dtype that frameworks pass is not understood, or `float` means float64."""
    wanted = np.dtype(getattr(ml_dtypes, name, name))
    assert vs.lecun_normal(1, dtype=spelling).dtype == name
    assert vs.lecun_normal(1, dtype=spelling)((2, 3)).dtype == wanted
    assert vs.lecun_normal(1)((2, 3), spelling).dtype == wanted
    assert vs.Zeros(spelling)((2,)).dtype == wanted
    assert vs.Ones()((2,), spelling).dtype == wanted


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_objects_with_as_numpy_dtype(dtype: type) -> None:
    """If this fails TensorFlow's own dtypes cannot be passed."""
    assert vs.lecun_normal(1)((2, 3), TensorFlowDType(dtype)).dtype == np.dtype(dtype)
    assert vs.lecun_normal(1)((2,), SimpleNamespace(as_numpy_dtype=dtype)).dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", REFUSED, ids=repr)
def test_what_is_not_floating_point_is_refused(dtype: object) -> None:
    """If this fails an integer tensor is filled with truncated draws, or a strange float8 with something else."""
    with pytest.raises(ValueError, match=r"`dtype` must (be a floating|have native|name a dtype)"):
        vs.lecun_normal(1, dtype=dtype)
    with pytest.raises(ValueError, match="`dtype` must"):
        vs.RandomUniform()((2, 3), dtype)
    with pytest.raises(ValueError, match="`dtype` must"):
        vs.Identity(1.0, dtype)


@pytest.mark.parametrize("dtype", WRONG_KIND, ids=repr)
def test_what_is_no_dtype_is_refused(dtype: object) -> None:
    """If this fails a misplaced argument is taken for a dtype."""
    with pytest.raises(TypeError, match="`dtype` must be a dtype or its name"):
        vs.VarianceScaling(dtype=dtype)
    with pytest.raises(TypeError, match="`dtype` must be a dtype or its name"):
        vs.lecun_normal(1)((2, 3), dtype)


def test_no_dtype_in_a_constructor_is_refused() -> None:
    """If this fails None silently means something there, while in a call it means the initializer's own."""
    with pytest.raises(TypeError, match="`dtype` must be a dtype or its name, got None"):
        vs.VarianceScaling(dtype=None)
    assert vs.VarianceScaling(dtype="float16")((2, 2), None).dtype == np.float16


MODULE = [name for name in dir(ml_dtypes) if not hasattr(getattr(ml_dtypes, name), "dtype")]
LANGUAGE = [
    "f4,",
    "f4,i2",
    "3f4",
    "(2,)f4",
    "a:f4",
    "O,O",
    "V9",
    "M8[s]",
    "m8[4294967296s]",
    "f4," * 10**5,
    "x" * 10**6,
]


@pytest.mark.parametrize("name", [*MODULE, *LANGUAGE, "__builtins__", "a\0b", "\ud800", "\ud800" * 10**5], ids=ascii)
def test_names_of_other_things_are_no_dtypes(name: str) -> None:
    """If this fails a name of NumPy's or ml_dtypes' own is an error of another class, or means some dtype."""
    for call in (lambda: vs.Zeros(name), lambda: vs.lecun_normal(dtype=name), lambda: vs.Ones()((2,), name)):
        with pytest.raises(ValueError, match="`dtype` must") as caught:
            call()
        assert type(caught.value) is ValueError
        assert len(str(caught.value)) < 1000
