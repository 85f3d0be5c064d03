"""One library's calls, timed on request: a worker that benches/compare.py starts in that library's environment.

    python benches/peers.py jax < requests > seconds

A request is a JSON line `{"law": "truncated_normal", "shapes": [["w", [16, 16]]]}`; the answer is the seconds of one
making of all those tensors, float32, ready to be read: the median over a tenth of a second, or one making where that
takes longer, or nan where the library lacks the law. The first making of each request, which compiles and warms up, is
not timed.

As in the usual rule for a model's weights: `law` with variance 1 / fan_in for tensors of two axes and more, N(0, 0.02)
for GPT-2's embeddings, zeros for biases and ones for norms.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from math import prod, sqrt
from statistics import median
from typing import Any
from zlib import crc32

Shape = tuple[int, ...]
Make = Callable[[], object]
LEAST_SECONDS, LEAST_CALLS, MOST_SECONDS = 0.1, 4, 1.0
EMBEDDINGS = ("wte.weight", "wpe.weight")
TRUNCATION = 0.87962566103423978  # standard deviation of the standard normal law truncated to [-2, 2]


def rule(law: str, name: str, shape: Shape) -> str:
    """What a tensor of this name and shape gets."""
    if len(shape) < 2:
        return "zeros" if name.endswith("bias") else "ones"
    return "embedding" if name in EMBEDDINGS else law


def each(one: Callable[[str, str, Shape], Make], law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """Makes every tensor with the call that `one` gives for its rule."""
    calls = [one(rule(law, name, shape), name, shape) for name, shape in tensors]
    return calls[0] if len(calls) == 1 else lambda: [call() for call in calls]


def varscale(law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """This library."""
    import varscale as vs

    initializers: dict[str, Any] = {
        "truncated_normal": vs.LecunNormal,
        "normal": partial(vs.VarianceScaling, 1.0, "fan_in", "untruncated_normal"),
        "uniform": vs.LecunUniform,
    }
    if len(tensors) == 1:
        return partial(initializers[law](1), tensors[0][1])
    model = vs.Model(dict(tensors), vs.default_rules(weight=initializers[law]()), layout="jax")
    return partial(model.init, 1)


def limit(law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """The same bytes as one new array, nothing computed."""
    import numpy as np

    shape = tensors[0][1] if len(tensors) == 1 else (sum(prod(shape) for _, shape in tensors),)
    return lambda: np.full(shape, 0.5, np.float32)


def numpy(law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """NumPy's generator. It has no truncated normal law: the untruncated one stands in."""
    import numpy as np

    rng = np.random.default_rng(1)

    def one(kind: str, name: str, shape: Shape) -> Make:
        if kind in {"zeros", "ones"}:
            return lambda: np.full(shape, kind == "ones", np.float32)
        fan_in = prod(shape[:-1])
        if kind == "uniform":
            return lambda: (
                rng.random(shape, np.float32) * np.float32(2 * sqrt(3 / fan_in)) - np.float32(sqrt(3 / fan_in))
            )
        stddev = np.float32(0.02 if kind == "embedding" else sqrt(1 / fan_in))
        return lambda: rng.standard_normal(shape, np.float32) * stddev

    return each(one, law, tensors)


def jax(law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """JAX, all tensors of a model in one jitted function."""
    import jax
    from jax.nn import initializers as init

    initializers: dict[str, Any] = {
        "truncated_normal": init.lecun_normal(),
        "normal": init.variance_scaling(1.0, "fan_in", "normal"),
        "uniform": init.lecun_uniform(),
        "embedding": init.normal(0.02),
        "zeros": init.zeros,
        "ones": init.ones,
    }

    @jax.jit
    def make(key: Any) -> list[Any]:
        keys = [key] if len(tensors) == 1 else jax.random.split(key, len(tensors))
        return [initializers[rule(law, *tensor)](key, tensor[1]) for key, tensor in zip(keys, tensors, strict=True)]

    key = jax.random.key(1)
    return lambda: jax.block_until_ready(make(key))


def keras(law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """Keras 3 on TensorFlow."""
    from keras import initializers as init

    makers: dict[str, Any] = {
        "truncated_normal": lambda: init.LecunNormal(1),
        "normal": lambda: init.VarianceScaling(1.0, "fan_in", "untruncated_normal", 1),
        "uniform": lambda: init.LecunUniform(1),
        "embedding": lambda: init.RandomNormal(0.0, 0.02, 1),
        "zeros": init.Zeros,
        "ones": init.Ones,
    }
    return each(lambda kind, name, shape: partial(makers[kind](), shape, "float32"), law, tensors)


def torch(law: str, tensors: list[tuple[str, Shape]]) -> Make:
    """PyTorch."""
    import torch
    from torch.nn import init

    def one(kind: str, name: str, shape: Shape) -> Make:
        fan_in = prod(shape[1:])
        stddev = sqrt(1 / fan_in)
        wide = stddev / TRUNCATION
        fills: dict[str, Callable[[Any], Any]] = {
            "truncated_normal": lambda t: init.trunc_normal_(t, 0.0, wide, -2 * wide, 2 * wide),
            "normal": lambda t: init.normal_(t, 0.0, stddev),
            "uniform": lambda t: init.uniform_(t, -sqrt(3) * stddev, sqrt(3) * stddev),
            "embedding": lambda t: init.normal_(t, 0.0, 0.02),
            "zeros": init.zeros_,
            "ones": init.ones_,
        }
        return lambda: fills[kind](torch.empty(shape))

    return each(one, law, tensors)


def torch_stateless(law: str, tensors: list[tuple[str, Shape]]) -> Make | None:
    """PyTorch's Philox of keys, which has no truncated law: each tensor has a key that is folded from one."""
    if law == "truncated_normal":
        return None
    import torch
    from torch.func import _random

    root = _random.key(1)

    def one(kind: str, name: str, shape: Shape) -> Make:
        key = _random.fold_in(root, crc32(name.encode()))
        stddev = 0.02 if kind == "embedding" else sqrt(1 / prod(shape[1:]))
        fills: dict[str, Make] = {
            "normal": lambda: _random.normal(key, shape, std=stddev),
            "uniform": lambda: _random.uniform(key, shape, low=-sqrt(3) * stddev, high=sqrt(3) * stddev),
            "embedding": lambda: _random.normal(key, shape, std=stddev),
            "zeros": lambda: torch.zeros(shape),
            "ones": lambda: torch.ones(shape),
        }
        return fills[kind]

    return each(one, law, tensors)


PEERS: dict[str, Callable[[str, list[tuple[str, Shape]]], Make | None]] = {
    peer.__name__: peer for peer in (varscale, limit, numpy, jax, keras, torch, torch_stateless)
}


@cache
def warm(peer: str, law: str, shapes: str) -> Make | None:
    """The call for one request, after its first time; None where the library has no such law."""
    make = PEERS[peer](law, [(name, tuple(shape)) for name, shape in json.loads(shapes)])
    if make is not None:
        make()
    return make


def main() -> None:
    """Answers requests until there are none."""
    for line in sys.stdin:
        request = json.loads(line)
        make = warm(sys.argv[1], request["law"], json.dumps(request["shapes"]))
        if make is None:
            print("nan", flush=True)
            continue
        times = [time.perf_counter()]
        while (took := times[-1] - times[0]) < LEAST_SECONDS or (len(times) <= LEAST_CALLS and took < MOST_SECONDS):
            make()
            times.append(time.perf_counter())
        calls = [after - before for before, after in pairwise(times)]
        # The first brings back the memory that the system took away while the others had their turns.
        print(median(calls[1:] or calls), flush=True)


if __name__ == "__main__":
    main()
