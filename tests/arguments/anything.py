"""Anything at all, as text: what a test draws is a line of Python, so that a failure can be read and run again."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
from hypothesis import strategies as st

import varscale as vs
from varscale import replay


class TheirError(Exception):
    """The error that an object of the caller raises."""


def raising(method: str, base: type = object) -> Any:
    """An object of a class of the caller, one method of which raises."""

    def fail(*arguments: Any, **keywords: Any) -> None:
        raise TheirError(method)

    return type("Raising", (base,), {method: fail})()


def lying(method: str, answer: Any, base: type = object) -> Any:
    """An object of a class of the caller, one method of which answers nonsense."""
    return type("Lying", (base,), {method: lambda *arguments, **keywords: answer})()


@cache
def deep(kind: str, depth: int = 200_000) -> Any:
    """Lists, tuples, or dicts within each other."""
    made: Any = 1
    for _ in range(depth):
        made = [made] if kind == "list" else (made,) if kind == "tuple" else {"a": made}
    return made


def itself(kind: str) -> Any:
    """A list or a dict that holds itself."""
    made: Any = [] if kind == "list" else {}
    if kind == "list":
        made.append(made)
    else:
        made["class_name"] = made["config"] = made
    return made


def boxed(value: Any, *shape: int) -> np.ndarray:
    """An array of objects that holds `value` as it is."""
    array = np.empty(shape, object)
    array.fill(value) if not isinstance(value, Sequence | np.ndarray) else array.__setitem__((0,) * len(shape), value)
    return array


def view(dtype: str, *shape: int) -> np.ndarray:
    """An array of any size that takes the memory of one element."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def frozen(array: np.ndarray) -> np.ndarray:
    """The same array, read-only."""
    array.flags.writeable = False
    return array


def crooked() -> np.ndarray:
    """An array whose elements are not aligned."""
    return np.zeros(49, np.uint8)[1:].view(np.float32).reshape(3, 4)


class Having:
    """An object with these attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Users(vs.Initializer):
    """An initializer of the caller."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def get_config(self) -> dict[str, Any]:
        return {"slope": self.slope}

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.zeros(shape, dtype)


def value_of(text: str) -> Any:
    """The value of a line of Python in the words of this module."""
    return eval(text, WORDS)


WORDS: dict[str, Any] = {"np": np, "vs": vs, "replay": replay} | {
    thing.__name__: thing
    for thing in (
        *(Decimal, Fraction, Having, Users, itertools, math, ml_dtypes, re),
        *(boxed, crooked, deep, frozen, itself, lying, raising, view),
    )
}

DTYPES = (
    *("?", "i1", "u1", "i2", "i4", "i8", "u8", "f2", "f4", "f8", "g", "F", "D", "O", "S3", "U3", "V5", "M8[s]", "m8"),
    *(">f4", ">i8", "<U1", "f4,i2"),
)
INTEGERS = (
    *("0", "1", "2", "3", "4", "-1", "-2", "64", "65", "2**31", "2**32", "2**40", "2**53 + 1", "2**63 - 1", "2**63"),
    *("2**64", "-2**63", "-2**63 - 1", "10**30", "10**400", "-10**400", "10**10_000", "-10**10_000"),
    *("np.int8(3)", "np.uint64(2**64 - 1)", "np.int64(-2**63)", "ml_dtypes.int4(3)", "np.timedelta64(3, 's')"),
)
NUMBERS = (
    *("None", "True", "False", "np.True_", "0.0", "-0.0", "1.0", "0.5", "-3.5", "1e-320", "1e-30", "1e30", "1e308"),
    *("math.nan", "math.inf", "-math.inf", "1j", "np.float16(2)", "np.float32('nan')", "np.longdouble(2)"),
    *("np.longdouble('1e4000')", "np.complex64(1)", "ml_dtypes.bfloat16(2)", "np.datetime64('2020')", "Decimal(1)"),
    *("Decimal('NaN')", "Decimal('1e999999')", "Fraction(1, 3)", "Fraction(10**400)", "Fraction(1, 10**10_000)"),
)
STRINGS = (
    *(
        "''",
        "'a'",
        "'1'",
        "'\\ud800'",
        "'a\\0b'",
        "'float32'",
        "'bfloat16'",
        "'int4'",
        "'fan_in'",
        "'uniform'",
        "'normal'",
    ),
    *(
        "'__doc__'",
        "'__builtins__'",
        "'finfo'",
        "'f4,'",
        "'f4,' * 1000",
        "'3f4'",
        "'M8[s]'",
        "'m8[4294967296s]'",
        "'V9'",
    ),
    *("'i' * 1000", "'(1000,1000,1000)f4'", "'[' * 1000", "'a:b'", "'O'", "'U'", "'>f4'", "'g'", "'*'", "'[z-a]'"),
    *("'x' * 10**6", "'*a' * 10**4", "'\\ud800' * 10**6", "b''", "b'abc'", "b'float32'"),
    *("b'x' * 10**6", "bytearray(3)", "memoryview(b'abc')", "np.str_('float32')", "np.bytes_('a')"),
)
THINGS = (
    *("...", "NotImplemented", "int", "float", "complex", "object", "bool", "np.float32", "np.generic", "np.ndarray"),
    *("np.dtype('f4')", "np.dtype('V3')", "np.dtype('f4,i2')", "ml_dtypes", "lambda *a, **k: None", "iter([])"),
    *("itertools.count()", "itertools.repeat(1)", "iter(['a', 'a'])", "range(3)", "range(10**8)", "range(10**30)"),
    *(
        "range(0)",
        "range(3, 0, -1)",
        "range(-10**30, 10**30, 7)",
        "range(-2, 2)",
        "slice(None)",
        "slice(None, None, -1)",
    ),
    *("slice(0)", "slice(0, 2**70, 2**65)", "set()", "{1, 2}", "frozenset([3])", "{}", "[]", "()", "[[]]", "{'a': 1}"),
    *("{1: 2}", "{'class_name': 'Zeros'}", "{'class_name': 'LecunNormal', 'config': {'seed': 3}}", "[3, 4]", "(3, 4)"),
    *("np.ma.masked", "np.ma.masked_array([3, 4], [True, False])", "np.rec.array([(1, 2.0)])", "np.array(['a', 'bc'])"),
    *(
        "np.eye(2).view(np.matrix)",
        "np.arange(4)[::-1]",
        "np.array([])",
        "np.array([3, 4])",
        "np.array([[3], [4]])",
    ),
)
SIZES = (
    *("deep('list')", "deep('tuple')", "deep('dict')", "itself('list')", "itself('dict')", "(1,) * 64", "(1,) * 65"),
    *("[0] * 10**5", "(1,) * 10**6", "['a'] * 10**6", "[1.5] * 10**5", "[10**10_000] * 9", "{*range(10**5)}"),
    *("[*range(10**5)]", "[*map(str, range(10**5))]", "dict.fromkeys(range(10**5))"),
    *("dict.fromkeys(map(str, range(10**5)))", "view('i1', 2**40)", "view('f4', 2**40)", "view('u8', 2**40)"),
    *("view('f4', 3, 2**50)", "view('O', 2**40)", "view('f4', 3, 4)", "view('U9', 2**40)", "view('f4', 2**20, 2**20)"),
    *("view('?', 2**62)", "view('f4,i2', 2**50)", "np.lib.stride_tricks.as_strided(np.zeros(1), (2**50,), (0,))"),
    *("frozen(np.zeros((3, 4), 'f4'))", "crooked()"),
)
OURS = (
    *("vs", "vs.Lazy", "vs.LecunNormal", "vs.lecun_normal()", "vs.lecun_normal(7)", "vs.lecun_normal(7).lazy((3, 4))"),
    *(
        "vs.Zeros().lazy((2**40, 2**20))",
        "vs.Constant([1, 2])",
        "vs.Model({})",
        "vs.Model({'a.bias': (3,)})",
        "Users()",
    ),
    *("vs.Model({'a.bias': (3,)}).describe()", "vs.default_rules()", "vs.Rule('*', vs.Zeros())", "replay.jax(3)"),
    *(
        "replay.tf1(3)",
        "replay.torch(0)",
        "replay.torch(0).draws()",
        "replay.keras(1, 'numpy')",
        "replay.keras_defaults(1)",
    ),
    *(
        "vs.PartitionInfo((3, 4), (0, 0))",
        "vs.lecun_normal().describe((3, 4))",
        "vs.lecun_normal(10**10_000)",
        "vs.get",
    ),
    *("vs.lecun_normal(in_axis=10**10_000)", "vs.lecun_normal(3).fold_in(10**10_000)", "Users", "vs.Initializer()"),
    "vs.lecun_normal(3).fold_in(*['a'] * 10**5)",
)
METHODS = (
    *("__index__", "__int__", "__float__", "__len__", "__iter__", "__getitem__", "__repr__", "__eq__", "__hash__"),
    *("__bool__", "__array__", "__contains__", "__call__", "__next__", "__str__", "__lt__", "__getattr__"),
    *("as_list", "get_config", "from_config", "keys", "lower", "encode", "fold_in", "items", "get"),
)
ANSWERS = ("-1", "10**18", "10**30", "'x' * 10**6", "None", "[]", "'f4'", "1.5")
BASES = ("object", "int", "float", "str", "list", "tuple", "dict", "bytes")

ATOMS = st.sampled_from(
    [
        *(INTEGERS + NUMBERS + STRINGS + THINGS + SIZES + OURS),
        *(f"np.zeros({shape}, {dtype!r})" for dtype in DTYPES for shape in ("()", "2", "(3, 4)", "0")),
    ]
)
HOSTILE = st.one_of(
    st.builds("raising({!r}, {})".format, st.sampled_from(METHODS), st.sampled_from(BASES)),
    st.builds("lying({!r}, {}, {})".format, st.sampled_from(METHODS), st.sampled_from(ANSWERS), st.sampled_from(BASES)),
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Collections and objects that hold some of the values."""
    few = st.lists(inner, max_size=3)
    return st.one_of(
        few.map(lambda entries: f"[{', '.join(entries)}]"),
        few.map(lambda entries: f"({''.join(f'{entry}, ' for entry in entries)})"),
        st.builds("{{'a': {}, 'b': {}}}".format, inner, inner),
        st.builds("slice({}, {}, {})".format, inner, inner, inner),
        st.builds("boxed({}, {})".format, inner, st.sampled_from(("1", "2", "3, 4"))),
        st.builds("[{}] * {}".format, inner, st.sampled_from(("2", "70"))),
        st.builds("Having(shape={}, dtype={})".format, inner, inner),
        st.builds("Having(full_shape={}, var_offset={})".format, inner, inner),
        st.builds("Having(as_list=lambda: {})".format, inner),
        st.builds("Having(as_numpy_dtype={})".format, inner),
        st.builds("Having(get_config=lambda: {})".format, inner),
        st.builds("lambda *a, **k: {}".format, inner),
        st.builds("{{'class_name': {}, 'config': {}}}".format, inner, inner),
    )


SIMPLE = st.one_of(ATOMS, ATOMS, ATOMS, HOSTILE)
NUMBER = st.sampled_from(INTEGERS + NUMBERS)
ANYTHING = st.one_of(SIMPLE, SIMPLE, NUMBER, nested(NUMBER), nested(SIMPLE), nested(nested(SIMPLE)))
