"""First weights of a Flax transformer of 124 M parameters beside JAX's own: seconds of the clock and of the processor.

    make bench-flax

Medians, interleaved in one run. The first call of a jitted function compiles it. `shapes` is what `init_tree` needs
besides, by `jax.eval_shape`; zeros are what Flax and JAX take without any values.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

import varscale as vs

ROUNDS = 5
KEY, TOKENS = jax.random.key(7), jnp.zeros((1, 1), jnp.int32)


class Block(nn.Module):
    """A block of GPT-2 small."""

    kernel_init: Any

    @nn.compact
    def __call__(self, x: Any) -> Any:
        """Attention to one token, which is its value, and the layers behind it."""
        value = nn.Dense(3 * 768, kernel_init=self.kernel_init, name="c_attn")(nn.LayerNorm()(x))[..., -768:]
        x = x + nn.Dense(768, kernel_init=self.kernel_init, name="c_proj")(value)
        wide = nn.gelu(nn.Dense(4 * 768, kernel_init=self.kernel_init, name="c_fc")(nn.LayerNorm()(x)))
        return x + nn.Dense(768, kernel_init=self.kernel_init, name="c_out")(wide)


class Network(nn.Module):
    """GPT-2 small, whose head is its embedding."""

    kernel_init: Any

    @nn.compact
    def __call__(self, tokens: Any) -> Any:
        """The logits of tokens."""
        embedding = nn.Embed(50257, 768, embedding_init=self.kernel_init, name="wte")
        x = embedding(tokens) + nn.Embed(1024, 768, embedding_init=self.kernel_init, name="wpe")(tokens)
        for _ in range(12):
            x = Block(self.kernel_init)(x)
        return embedding.attend(nn.LayerNorm()(x))


def seconds(function: Callable[[], Any]) -> tuple[float, float]:
    """What a call takes of the clock and of the processor, until all of its arrays are there."""
    wall, own = time.perf_counter(), time.process_time()
    jax.block_until_ready(function())
    return time.perf_counter() - wall, time.process_time() - own


def rows() -> dict[str, Callable[[], Any]]:
    """The ways of beginning the network."""
    ways: dict[str, Callable[[], Any]] = {}
    for law in ("normal", "lecun_normal", "zeros"):
        for name, module in (("JAX", jax.nn.initializers), ("varscale", vs.jax)):
            if law == "zeros" and module is vs.jax:
                continue
            init = getattr(module, law) if law == "zeros" else getattr(module, law)()
            model = Network(init)
            jitted = jax.jit(model.init)
            ways[f"{law}, {name}, eager"] = lambda model=model: model.init(KEY, TOKENS)
            ways[f"{law}, {name}, jit"] = lambda jitted=jitted: jitted(KEY, TOKENS)
    model = Network(vs.jax.zeros)
    shapes = jax.eval_shape(model.init, KEY, TOKENS)
    ways["shapes"] = lambda: jax.eval_shape(model.init, KEY, TOKENS) and ()
    ways["lecun_normal, init_tree"] = lambda: vs.jax.init_tree(shapes, vs.lecun_normal(), seed=7)
    return ways


def main() -> None:
    """Prints a row a way: the first call, and the median of later ones."""
    ways = rows()
    first = {name: seconds(way) for name, way in ways.items()}
    later = [{name: seconds(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    print(f"{'':32} | first: clock (processor) | later: clock (processor)")
    for name in ways:
        wall, own = (median(found[name][kind] for found in later) for kind in (0, 1))
        print(f"{name:32} | {first[name][0]:6.2f} ({first[name][1]:6.2f}) s | {wall:6.2f} ({own:6.2f}) s")


if __name__ == "__main__":
    main()
