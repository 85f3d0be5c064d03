"""Calls of the public API with arguments that are legal but for some, which are anything at all."""

from __future__ import annotations

import inspect
import itertools
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

import varscale as vs
from arguments.anything import ANYTHING, value_of
from varscale import replay

SEEDS = (
    *("7", "None", "-1", "10**10_000", "np.int64(3)"),
    *("replay.jax(3)", "replay.tf1(3)", "replay.torch(5)", "replay.keras(3, 'numpy')"),
)
INITIALIZERS = ("vs.RandomNormal(0.0, 0.02)", "vs.Zeros()", "vs.lecun_normal()", "vs.Constant([1, 2, 3, 4], 'int4')")
SHAPES = (
    *("(3, 4)", "[3, 4]", "np.array([3, 4])", "(4,)", "()", "(2, 3, 4)"),
    *("(0, 2**40)", "(2**40, 0)", "(2**63,)", "(2**31, 2**33)", "(0, *(2**60,) * 20)"),
)
DTYPES = ("None", "'float32'", "'bfloat16'", "np.float64", "float", "'int8'", "'complex64'", "'float8_e4m3fn'")
PARTS = ("None", "(3, 4)", "(1, 2)", "(0, 0)")
AXES = ("-2", "-1", "0", "1", "()", "(0, 1)", "[-1]", "10**10_000")
NAMES = ("None", "['a.bias']", "[]", "iter(['h.weight', 'a.bias'])")
FLAGS = ("True", "False", "np.True_")
REALS = ("1.0", "2", "0.5", "np.float32(2)", "Fraction(1, 3)", "1e300", "0", "-1")

LEGAL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("in_axis", "out_axis"), AXES),
    "batch_axis": (*AXES, "'rest'"),
    **dict.fromkeys(("scale", "mean", "stddev", "gain", "minval", "maxval"), REALS),
    **dict.fromkeys(("weight", "embedding", "norm", "bias", "initializer"), INITIALIZERS),
    **dict.fromkeys(("x64", "jit", "partitionable", "fused_half", "eager"), FLAGS),
    **dict.fromkeys(("partition_shape", "partition_offset"), PARTS),
    **dict.fromkeys(("n", "num", "in_features", "out_features"), ("1", "2", "5", "np.int8(3)")),
    **dict.fromkeys(("draw", "skip"), ("0", "8", "2**40")),
    **dict.fromkeys(("graph_seed", "global_seed"), ("7", "0", "-3", "10**10_000")),
    "seed": SEEDS,
    "shape": SHAPES,
    "DeltaOrthogonal shape": ("(3, 3, 4)", "(3, 1, 2, 5)"),
    "dtype": DTYPES,
    "names": NAMES,
    "mode": ("'fan_in'", "'fan_out'", "'fan_avg'", "'fan_geo_avg'"),
    "distribution": ("'normal'", "'UNIFORM'", "'untruncated_normal'"),
    "lower": ("-2.0", "0", "-math.inf"),
    "upper": ("2.0", "3", "math.inf"),
    "value": ("0", "2.5", "[1, 2, 3, 4] * 3", "np.eye(3, 4)", "-0.0", "math.nan"),
    "partition_info": ("None", "vs.PartitionInfo((30, 40), (3, 4))"),
    "index": ("...", "0", "slice(1, 3)", "(1, slice(None, None, -1))", "([2, 0], ...)", "np.array([1, 1])", "range(2)"),
    "out": ("np.empty((3, 4), np.float32)", "None", "np.empty((4, 3), np.float32).T", "np.empty(4, np.int8)"),
    "path": ("3", "'a'", "'b/c'", "-1"),
    "config": ("{}",),
    "vs.deserialize config": ("{'class_name': 'Zeros'}", "'ones'"),
    "replay.deserialize config": ("replay.jax(3).serialize()",),
    "identifier": ("None", "'zeros'", "vs.Zeros", "{'class_name': 'Ones'}", "Users()"),
    **dict.fromkeys(("fan_in", "fan_out"), ("None", "64", "2.5", "1")),
    "nonlinearity": ("'gelu'", "'leaky_relu'", "'conv2d'"),
    "param": ("None", "0.2", "0"),
    "convention": ("'torch'", "'variance'", "'second_moment'"),
    "vs.VarianceScaling gain": ("None", "'relu'", "2.5"),
    "init": ("vs.RandomNormal(0.0, 0.02)", "vs.lecun_normal(7)", "vs.Zeros()", "vs.Pieces([(..., vs.he_normal())], 3)"),
    **dict.fromkeys(("layers", "layer", "encoder_layers", "decoder_layers"), ("12", "1", "0", "10**10_000")),
    "width_mult": ("4", "0.5", "1e300"),
    "layout": ("'torch'", "'keras'", "'jax'", "'mlx'", "None"),
    **dict.fromkeys(("transposed", "depthwise"), FLAGS),
    **dict.fromkeys(("groups", "blocks"), ("1", "2", "np.int8(3)")),
    "sparsity": ("0.5", "0", "1", "np.float32(0.9)"),
    "factor": REALS,
    "verify_shape": FLAGS,
    "axis": ("-1", "0", "1"),
    "strict": FLAGS,
    "custom_objects": ("None", "{'Users': Users}"),
    "full_shape": ("(3, 4)", "[30, 40]"),
    "var_offset": ("(0, 0)", "[3, 2]"),
    "parameters": (
        "{}",
        "{'a.bias': (3,), 'h.weight': ((3, 4), 'float16')}",
        "{'x': ((3,), None, vs.Ones())}",
        "[('a', {'shape': [3], 'dtype': 'F32'})]",
        "{'a': {'b': (3,)}, ('c', 0): (4,)}",
    ),
    "rules": ("()", "[('*', vs.Zeros())]", "vs.default_rules()"),
    "progress": ("False", "lambda done, total: None"),
    "max_bytes": ("16", "10**10_000", "100"),
    "pattern": ("'*'", "'h.[0-9].w?'", "re.compile('h.*')"),
    "rank": ("None", "2", "range(1, 3)"),
    "name": ("'a.bias'", "'x'"),
    "other": ("vs.Zeros()", "vs.lecun_normal(7)", "replay.jax(3)"),
    "copy": ("None", "True"),
    "key": ("3", "(1, 2)", "np.array([1, 2])"),
    "backend": ("'tensorflow'", "'jax'", "'torch'", "'numpy'"),
    "cpu_capability": ("'avx2'", "'default'"),
    "spare": ("None", "2"),
    "pieces": ("[(..., vs.Zeros())]", "[(..., vs.RandomNormal()), (0, vs.Ones())]", "[((0, slice(1, 3)), vs.Zeros())]"),
    "floor": ("None", "1.5", "0"),
    "inverse_softplus": FLAGS,
    "document": ("vs.Model({'a.bias': (3,)}).to_dict()", "{}"),
}
"""By parameter, or by function and parameter: arguments that are legal, at least in some calls."""

OBJECTS: dict[str, tuple[str, ...]] = {
    "Lazy": (
        "vs.lecun_normal(7).lazy((3, 4))",
        "vs.Zeros().lazy((2**63, 0))",
        "vs.lecun_normal().lazy((2**40, 2**23))",
    ),
    "Initializer": ("Users()",),
    "Description": ("vs.lecun_normal().describe((3, 4))",),
    "Model": (
        "vs.Model({'a.bias': (3,), 'h.weight': (3, 4)}, layout='torch')",
        "vs.Model({})",
        "vs.Model({'w.weight': (2**40, 2**9)}, layout='jax')",
    ),
    "ModelJob": ("next(vs.Model({'a.bias': (3,)}).jobs(7))",),
    "ModelPart": ("next(vs.Model({'a.bias': (3,)}).jobs(7))()[0]",),
    "ModelRow": ("vs.Model({'a.bias': (3,)}).describe().rows[0]",),
    "ModelTable": ("vs.Model({'a.bias': (3,), 'h.weight': (3, 4)}, layout='torch').describe()",),
    "Parameter": ("vs.Model({'h.weight': (3, 4)}, layout='torch')['h.weight']",),
    "Replay": tuple(f"replay.keras(3, {backend!r})" for backend in ("tensorflow", "jax", "torch", "numpy")),
    "Draws": ("replay.torch(0).draws()",),
}
"""By class: objects of those that users get and do not make themselves."""
UNCALLED = {
    *("__init__", "__new__", "__post_init__", "__init_subclass__"),  # calls of the class
    *("__setattr__", "__delattr__", "__setstate__", "__getstate__"),  # attributes, and what pickle calls
}
"""Methods that are no calls of their own."""


class Call(NamedTuple):
    """A call as text: its function and its arguments are made anew for every try."""

    function: str
    positional: list[str]
    named: dict[str, str]

    def __repr__(self) -> str:
        named = (f"{name}={text}" for name, text in self.named.items())
        return f"{self.function}({', '.join((*self.positional, *named))})"


class Callee(NamedTuple):
    """What users may call: a function or a class, or what a class defines."""

    owner: type | None
    text: str
    parameters: tuple[inspect.Parameter, ...]

    def call(self, made: str, *values: str) -> Call:
        """A call, by the object that is `made`, with values of all parameters: "" where one is left out."""
        places = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL}
        pairs = [pair for pair in zip(self.parameters, values, strict=True) if pair[1]]
        return Call(
            self.text.format(made),
            [value for parameter, value in pairs if parameter.kind in places],
            {parameter.name: value for parameter, value in pairs if parameter.kind not in places},
        )


def callee(owner: type | None, text: str, thing: Any) -> Callee:
    if isinstance(thing, property):
        return Callee(owner, f"(lambda: {text})", ())
    bound = thing.__get__(None, owner) if isinstance(thing, classmethod) else thing
    found = inspect.signature(bound).parameters.values()
    return Callee(owner, text, tuple(parameter for parameter in found if parameter.name != "self"))


def ours(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").startswith("varscale")


def methods(cls: type) -> dict[str, Any]:
    """What users may call or read of an object of the class, as far as the package defines it."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        found = {name: (thing, base) for name, thing in vars(base).items()} | found
    return {
        name: thing
        for name, (thing, base) in found.items()
        if isinstance(thing, types.FunctionType | classmethod | property) and ours(base)
        if name not in UNCALLED and (name.endswith("_") or not name.startswith("_"))
    }


FUNCTIONS = {
    f"{text}.{name}": getattr(module, name)
    for text, module in (("vs", vs), ("replay", replay))
    for name in module.__all__
    if callable(getattr(module, name)) and name not in OBJECTS
}
MADE = {thing: callee(None, text, thing) for text, thing in FUNCTIONS.items() if isinstance(thing, type)}
GIVEN: dict[type, list[str]] = {}
for _text in itertools.chain(*OBJECTS.values()):
    GIVEN.setdefault(type(value_of(_text)), []).append(_text)
CALLEES = [
    *(callee(None, text, thing) for text, thing in FUNCTIONS.items()),
    *(callee(cls, f"{{}}.{name}", thing) for cls in (*MADE, *GIVEN) for name, thing in methods(cls).items()),
]


def legal_texts(callee: Callee, parameter: inspect.Parameter) -> tuple[str, ...]:
    owner = callee.owner.__name__ if callee.owner else ""
    names = (f"{callee.text} {parameter.name}", f"{owner} {parameter.name}", parameter.name)
    return next(LEGAL[name] for name in names if name in LEGAL)


def least(callee: Callee) -> list[str]:
    """The first of the legal texts where an argument is needed."""
    return [legal_texts(callee, one)[0] if one.default is one.empty else "" for one in callee.parameters]


def plain(cls: type | None) -> str:
    """An object of the class, made of few arguments."""
    if cls is None:
        return ""
    return GIVEN[cls][0] if cls in GIVEN else repr(MADE[cls].call("", *least(MADE[cls])))


def plain_calls() -> Iterator[Call]:
    """A legal call of everything public."""
    for callee in CALLEES:
        yield callee.call(plain(callee.owner), *least(callee))


def everywhere(text: str) -> Iterator[Call]:
    """A call with `text` in the place of each argument of everything public."""
    for callee in CALLEES:
        others = least(callee)
        for place in range(len(others)):
            yield callee.call(plain(callee.owner), *others[:place], text, *others[place + 1 :])


def legal(callee: Callee) -> list[st.SearchStrategy[str]]:
    """Legal arguments, or none at all where there is a default."""
    pairs = [(legal_texts(callee, parameter), parameter) for parameter in callee.parameters]
    return [
        st.sampled_from(texts + ("",) * (len(texts) if one.default is not one.empty else 0)) for texts, one in pairs
    ]


@cache
def objects(cls: type | None) -> st.SearchStrategy[str]:
    """An object of the class, made of legal arguments."""
    if cls is None:
        return st.just("")
    if cls in GIVEN:
        return st.sampled_from(GIVEN[cls])
    return st.builds(MADE[cls].call, st.just(""), *legal(MADE[cls])).map(repr)


def configs() -> st.SearchStrategy[str]:
    """What an object serializes to, but for one entry."""
    made = [plain(cls) for cls in MADE if hasattr(cls, "get_config")]
    written = [f"{text}.serialize()" if text.startswith("replay") else f"vs.serialize({text})" for text in made]
    base = st.sampled_from([*written, *map("{}.get_config()".format, made)])
    altered = st.builds(
        "{{**{}, {!r}: {}}}".format, base, st.sampled_from((*LEGAL, "class_name", "module", "other")), ANYTHING
    )
    return st.one_of(altered, altered.map("{{'class_name': 'VarianceScaling', 'config': {}}}".format))


WRONG = {"config": st.one_of(ANYTHING, configs()), "identifier": st.one_of(ANYTHING, configs())}


@cache
def calls_of(callee: Callee) -> st.SearchStrategy[Call]:
    """A call with legal arguments, but for one, which is anything at all."""
    fine, made = legal(callee), objects(callee.owner)
    wrong = [
        st.builds(callee.call, made, *fine[:place], WRONG.get(parameter.name, ANYTHING), *fine[place + 1 :])
        for place, parameter in enumerate(callee.parameters)
    ]
    return st.one_of(wrong or [st.builds(callee.call, made)])


def alike() -> list[list[Callee]]:
    """Callees in groups: a method of several classes, or functions with the same parameters, are one."""
    groups: dict[Any, list[Callee]] = {}
    for one in CALLEES:
        names = tuple(parameter.name for parameter in one.parameters)
        groups.setdefault((names, one.owner and one.text), []).append(one)
    return [*groups.values()]


# Those with many arguments, of which one is wrong at a time, are called more often.
OFTEN = [group for group in alike() for _ in range((1 + len(group[0].parameters)) ** 2)]
CALLS = st.sampled_from(OFTEN).flatmap(st.sampled_from).flatmap(calls_of)
