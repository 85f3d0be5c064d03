"""Operations: the values that one of torch's operations gives a tensor, from the values of its arguments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from types import FrameType
from typing import Any

from .._engines import missing
from . import _laws
from ._values import Chain, Draws, Value, constant, each, leaves

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error

COPIES = {"clone": 0, "_to_copy": 0, "lift_fresh_copy": 0, "copy": 1, "copy_": 1}
"""The operations that only copy, each with the place of what it copies among its arguments."""
_NUMBERS = {"zero": 0, "zeros": 0, "new_zeros": 0, "zeros_like": 0, "ones": 1, "new_ones": 1, "ones_like": 1}
_FILLS = {"fill": 1, "full": 1, "new_full": 2, "full_like": 1}
"""The place of the number among the arguments."""
_BATCH_NORMS = {"native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"}
_DRAWS = {"normal", "uniform", "rand", "rand_like", "randn", "randn_like"}


def written_by(func: Any, args: Any, kwargs: Any) -> list[Any]:
    """The arguments that an operation writes to, in order."""
    found = []
    for place, name in _written(func):
        found += leaves((torch.Tensor, Value), args[place] if place < len(args) else kwargs.get(name))
    return found


@cache
def _written(func: Any) -> tuple[tuple[int, str], ...]:
    """The places and names of the arguments that an operation writes to. Networks have few operations, often."""
    arguments = func._schema.arguments
    names = {argument.name for argument in arguments if argument.alias_info and argument.alias_info.is_write}
    if func._schema.name.partition("::")[2] in _BATCH_NORMS:
        names |= {"running_mean", "running_var"}  # which its schema does not tell
    return tuple((place, argument.name) for place, argument in enumerate(arguments) if argument.name in names)


def value_of(
    func: Any, name: str, values: tuple[Any, Any], result: torch.Tensor, number: int, *, written: bool = False
) -> Value:
    """The values of a result of an operation.

    Args:
        func: The operation.
        name: Its name in torch's schema.
        values: Its arguments and keyword arguments, with values in place of tensors.
        result: The tensor that it returned or wrote to.
        number: Which one of its results that is, or of the arguments that it wrote to.
        written: Whether it was written to.
    """
    args, kwargs = values
    base = name[:-1] if name.endswith("_") and not name.startswith("__") else name
    shape, dtype = tuple(result.shape), result.dtype
    found = _filled(name, base, args, kwargs, shape, dtype)
    if found is not None:
        return found
    inputs = leaves(Value, values)
    if name in COPIES:
        copied: Value = args[COPIES[name]]
        return copied.spread(shape, _named(func)).cast(dtype, _named(func))
    if (
        _pointwise(func)
        and not (written and not func._schema.returns)
        and inputs
        and all(value.constant is not None for value in inputs)
    ):
        found = _pointwise_constant(func, args, kwargs, shape, dtype, number)
        if found is not None:
            return found
    draws = torch.Tag.nondeterministic_seeded in func.tags
    compute = (
        None if draws else _computed(func, args, kwargs, number, written=written)
    )  # or torch's generator would move
    random = [value for value in inputs if value.random]
    # What is written to is an argument too, though some operations do not read it.
    if not random and not draws:
        return Value(shape, dtype, compute, is_eye=base == "eye" and len(shape) == 2, inputs=inputs)
    why = _named(func) if draws else next((value.why for value in random if value.why), None) or _named(func)
    chain = law = None
    source: Value | None = None
    if not draws and dtype.is_floating_point and all(value.shape == shape for value in random):
        if len(random) == 1 and random[0].law is not None:
            source = random[0]
            law = _law_after(base, args, kwargs, source)
        if len(inputs) == len(args) == 1 and law is None:
            chain = (random[0].chain[0], (*random[0].chain[1], base))
        if law is None:
            source = _of_softplus(base, random, chain, kwargs)
            law = None if source is None else _laws.inverse_softplus(source.law)
    if law is None:
        return Value(shape, dtype, compute, why=why, chain=chain, inputs=inputs)
    return Value(shape, dtype, compute, law=law, chain=chain, source=source, inputs=inputs)


def _of_softplus(base: str, random: list[Value], chain: Chain | None, kwargs: Any) -> Value | None:
    """The x of ln(e^x - 1), which is written as such or as x + ln(1 - e^-x), to say it with what torch has."""
    if chain is not None and chain[1] == ("expm1", "log"):
        return chain[0]
    if base == "add" and len(random) == 2 and kwargs.get("alpha", 1) == 1:
        for first, second in (random, random[::-1]):
            if second.chain[0] is first and second.chain[1] == ("neg", "expm1", "neg", "log"):
                return first
    return None


def parts_of(name: str, args: Any, result: torch.Tensor) -> Iterator[tuple[torch.Tensor, Value]]:
    """The parts of what `cat` or `stack` returned, each with the values that were put there."""
    axis = args[1] if len(args) > 1 else 0
    if name == "stack":
        yield from zip(result.unbind(axis), (value.cast(result.dtype, "aten.stack") for value in args[0]), strict=True)
        return
    start = 0
    for value in args[0]:
        if value.shape != (0,):  # which torch takes for nothing, whatever the others' rank
            part = result.narrow(axis, start, value.shape[axis])
            yield part, value.cast(result.dtype, "aten.cat")
            start += value.shape[axis]


def truncated_value(tensor: torch.Tensor, mean: float, std: float, a: float, b: float) -> Value:
    """The values of `trunc_normal_`."""
    law = _laws.truncated(mean, std, a, b)
    return Value(tensor.shape, tensor.dtype, law=law, why=None if law else "torch.nn.init.trunc_normal_ with std=0")


def orthogonal_value(tensor: torch.Tensor, gain: Any) -> Value:
    """The values of `orthogonal_`."""
    law = None if tensor.is_complex() else _laws.Orthogonal(float(gain))
    return Value(tensor.shape, tensor.dtype, law=law, why=None if law else "complex values")


def sparse_value(tensor: torch.Tensor, sparsity: float, std: float) -> Value:
    """The values of `sparse_`."""
    return Value(tensor.shape, tensor.dtype, law=_laws.Sparse(float(sparsity), float(std)))


def _filled(name: str, base: str, args: Any, kwargs: Any, shape: tuple[int, ...], dtype: torch.dtype) -> Value | None:
    """The values of an operation that fills a tensor by itself; None for any other operation."""
    if base in _NUMBERS:
        return constant(shape, dtype, _NUMBERS[base])
    if base in _FILLS:
        place = _FILLS[base]
        number = args[place] if place < len(args) else next(kwargs[key] for key in ("fill_value", "value"))
        if isinstance(number, Value):
            return number.spread(shape, "aten.fill_").cast(dtype, "aten.fill_")
        return constant(shape, dtype, number)
    if base not in _DRAWS or not dtype.is_floating_point:
        return None
    given: list[Any] = []
    if name in {"normal_", "uniform_", "normal", "uniform"}:
        given = list(args[1:3] if name != "normal" else args[:2])
        given += [kwargs[key] for key in ("mean", "from", "std", "to") if key in kwargs]
    if any(isinstance(number, Value) for number in given):
        return None
    law = (_laws.uniform if base in {"uniform", "rand", "rand_like"} else _laws.normal)(*given)
    return Value(shape, dtype, law=law)


def _law_after(base: str, args: Any, kwargs: Any, random: Value) -> Any:
    """The law after a pointwise operation on one random value, the other arguments being numbers."""
    if random.law is None or kwargs.get("rounding_mode") is not None:
        return None
    numbers: list[Any] = []
    place = next((n for n, value in enumerate(args) if value is random), 0)
    for argument in [*args, *(kwargs[key] for key in ("min", "max") if key in kwargs)]:
        if argument is random:
            continue
        if isinstance(argument, Value):
            if argument.constant is None:
                return None
            argument = argument.constant.item()
        if not isinstance(argument, int | float | None):
            return None
        numbers.append(None if argument is None else float(argument))
    return _laws.after(base, random.law, numbers, place, float(kwargs.get("alpha", 1)))


def _pointwise(func: Any) -> bool:
    return torch.Tag.pointwise in func.tags


def _pointwise_constant(
    func: Any, args: Any, kwargs: Any, shape: tuple[int, ...], dtype: torch.dtype, number: int
) -> Value | None:
    """The values of an operation on tensors of one number each: it is done on one element."""
    # Copies, because the operation may write to its arguments.
    one = lambda value: value.constant.reshape((1,) * len(value.shape)).clone()  # noqa: E731
    found = _outcomes(func, each(one, Value, args), each(one, Value, kwargs))[number]
    return constant(shape, dtype, found.reshape(())) if found.numel() == 1 else None


def _computed(func: Any, args: Any, kwargs: Any, number: int, *, written: bool) -> Any:
    """A function that does the operation for real."""

    def compute(draws: Draws | None) -> torch.Tensor:
        # Copies, because the operation may write to its arguments.
        fetch = lambda value: value.real(draws).clone()  # noqa: E731
        copies = each(fetch, Value, args), each(fetch, Value, kwargs)
        outcome = _outcomes(func, *copies)
        return written_by(func, *copies)[number] if written else outcome[number]

    return compute


def _outcomes(func: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """The results of an operation that is done on the CPU."""
    if any(argument.name == "device" for argument in func._schema.arguments):
        kwargs = {**kwargs, "device": torch.device("cpu")}
    return leaves(torch.Tensor, func(*args, **kwargs))


def _named(func: Any) -> str:
    """An operation as the network's author knows it: with the function of `torch.nn.init` that does it."""
    frame: FrameType | None = sys._getframe(1)
    found = None
    while frame is not None:
        if frame.f_globals.get("__name__") == "torch.nn.init" and not frame.f_code.co_name.startswith("_"):
            found = f"torch.nn.init.{frame.f_code.co_name}"
        frame = frame.f_back
    operation = str(func).removesuffix(".default")
    return f"{found} ({operation})" if found else operation
