"""Times of first weights in Keras, above a floor of zeros: Keras' own, ours in their place, and `init_`.

    make bench-keras

Wall and CPU seconds, medians of rounds that alternate in one process. "above" is what initialisation adds to a model
that is built of zeros, and "ratio" how many times as fast as Keras' own that is. `init_` fills the model of zeros.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import varscale as vs

ROUNDS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 7
FILLED = "vs.keras.init_"
WORDS = ("glorot_uniform", "he_normal", "uniform", "orthogonal")


class Zero:
    """What a string stands for where nothing is drawn."""

    __name__ = "Zeros"

    @staticmethod
    def from_config(config: dict[str, Any]) -> Any:
        """Keras' zeros."""
        return keras.initializers.Zeros()


def transformer() -> Any:
    """Twelve blocks of 768, a vocabulary of 30,522: 110 million values."""
    tokens = keras.Input((128,), dtype="int32")
    x = keras.layers.Embedding(30522, 768)(tokens)
    for _ in range(12):
        x = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(12, 64)(x, x))
        y = keras.layers.Dense(768)(keras.layers.Dense(3072, activation="gelu")(x))
        x = keras.layers.LayerNormalization()(x + y)
    return keras.Model(tokens, x)


def resnet() -> Any:
    """ResNet50 of Keras."""
    return keras.applications.ResNet50(weights=None)


@contextmanager
def timed(rows: list[tuple[float, float]]) -> Iterator[None]:
    """Adds the wall and CPU seconds of what is inside."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    rows.append((time.perf_counter() - wall, time.process_time() - cpu))


def settle(model: Any) -> None:
    """Waits for values that JAX makes later."""
    if keras.backend.backend() == "jax":
        import jax

        jax.block_until_ready([weight.value for weight in model.weights])


def seconds(make: Callable[[], Any]) -> dict[str, list[float]]:
    """The medians of each way to build a model, and of filling one."""
    scopes: dict[str, Callable[[], Any]] = {
        "zeros": lambda: keras.saving.custom_object_scope(dict.fromkeys(WORDS, Zero())),
        "Keras' own": nullcontext,
        "vs.keras.defaults": lambda: vs.keras.defaults(seed=7),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in (*scopes, FILLED)}
    for _ in range(ROUNDS + 1):
        for name, scope in scopes.items():
            keras.utils.clear_session()
            gc.collect()
            with timed(found[name]), scope():
                model = make()
                settle(model)
            if name == "zeros":
                with timed(found[FILLED]):
                    settle(vs.keras.init_(model, vs.glorot_uniform(), seed=7))
            del model
    # The first round imports and compiles.
    return {name: [median(column) for column in zip(*rows[1:], strict=True)] for name, rows in found.items()}


def main() -> None:
    """Prints a table."""
    print(f"{keras.backend.backend()}, Keras {keras.__version__}, {vs.get_num_threads()} threads, {ROUNDS} rounds")
    print(f"{'':34}{'wall':>8}{'CPU':>8}{'above':>8}{'CPU':>8}{'ratio':>7}{'CPU':>7}")
    for make in (transformer, resnet):
        table = seconds(make)
        floor, own = table["zeros"], table["Keras' own"]
        for name, row in table.items():
            above = row if name == FILLED else [all_ - base for all_, base in zip(row, floor, strict=True)]
            ratios = [
                f"{(theirs - base) / ours:7.1f}" if ours > 0 else f"{'':7}"
                for theirs, base, ours in zip(own, floor, above, strict=True)
            ]
            print(f"{make.__name__ + ', ' + name:34}{''.join(f'{x:8.3f}' for x in (*row, *above))}{''.join(ratios)}")


if __name__ == "__main__":
    main()
