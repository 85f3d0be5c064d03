"""Tensors: an operation of the graph that makes the values each time it is run, or the values themselves."""

from __future__ import annotations

import json
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from .._arguments.parts import WHOLE, Part, resolve_part
from .._arguments.show import show
from .._filling.lazy import Lazy
from .._initializers.orthogonal import Orthogonal
from .._initializers.sampled import Sampled
from .._initializers.serialization import deserialize, serialize
from ._seeds import stream_of


def tensor_of(init: Sampled, shape: Any, dtype: Any, partition_info: Any, embed: bool) -> tf.Tensor:
    """The tensor that an initializer's call returns, in a graph or in eager mode.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has a wrong value, or a part is one of a matrix of which each part would be another's.
    """
    part = resolve_part(shape, partition_info, None, None, WHOLE)
    if isinstance(init, Orthogonal) and init.seed is None and not part.is_whole():
        msg = f"`seed` must be an integer where an orthogonal matrix is partitioned, got None for {show(part.shape)}"
        raise ValueError(msg)
    init._source(part, dtype)  # finds all that can be wrong now, rather than when a session runs
    kind = tf.as_dtype(dtype)
    text = _describe(init, part, kind.name, stream_of(init))
    if embed or tf.executing_eagerly():
        return tf.constant(make(text))
    graph = tf.compat.v1.get_default_graph()
    # A variable asks for what starts it to stand beside it, but Python is on the worker's CPU alone.
    with graph._attr_scope({"_class": lambda node: None}), tf.device("CPU:0"):
        tensor = tf.numpy_function(make, [text], kind, stateful=True, name=type(init).__name__)
    tensor.set_shape(part.shape)
    return tensor


def _describe(init: Sampled, part: Part, dtype: str, stream: bytes | None) -> str:
    """All that the values depend on, as the operation's input.

    The graph names the function by a number that counts up in a process. In another process it may be the number of
    another tensor's function, which with this input makes the same values.
    """
    said = {"initializer": serialize(init), "shape": part.full_shape, "dtype": dtype, "part": list(part.axes())}
    return json.dumps(said | {"stream": None if stream is None else stream.hex()})


def make(text: str | bytes) -> NDArray[Any]:
    """Makes the values that a text describes."""
    said = json.loads(text)
    init, shape, dtype, stream = (said[key] for key in ("initializer", "shape", "dtype", "stream"))
    made = deserialize(init)
    tensor = made.lazy(shape, dtype) if stream is None else Lazy(made, tuple(shape), dtype, bytes.fromhex(stream))
    return tensor[tuple(slice(start, start + size) for start, _, size in said["part"])]
