"""Trees of arrays, filled by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import varscale as vs

SHAPES: dict[str, Any] = {
    "params": {
        "Embed_0": {"embedding": (100, 32)},
        "Dense_0": {"kernel": (32, 64), "bias": (64,)},
        "LayerNorm_0": {"scale": (64,), "bias": (64,)},
        "Conv_0": {"kernel": (3, 3, 16, 8)},
    }
}
IS_SHAPE = {"is_leaf": lambda node: isinstance(node, tuple)}


def abstract(dtype: str = "float32") -> Any:
    return jax.tree.map(lambda shape: jax.ShapeDtypeStruct(shape, dtype), SHAPES, **IS_SHAPE)


def same(found: Any, expected: Mapping[str, Any]) -> bool:
    """Whether a tree holds these arrays, bit for bit."""
    leaves = jax.tree_util.tree_leaves_with_path(found)
    names = ["/".join(str(key.key) for key in path) for path, _ in leaves]
    assert sorted(names) == sorted(expected)
    return all(
        leaf.dtype == expected[name].dtype and np.asarray(leaf).tobytes() == expected[name].tobytes()
        for name, (_, leaf) in zip(names, leaves, strict=True)
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_tree_is_the_model_of_its_names(dtype: str) -> None:
    """If this fails a network of JAX has other weights than one anywhere else of its names and its seed."""
    params = vs.jax.init_tree(abstract(dtype), vs.he_normal(), seed=7)
    model = vs.Model(
        jax.tree.map(lambda leaf: leaf, abstract(dtype)), vs.default_rules(weight=vs.he_normal()), layout="jax"
    )
    assert same(params, model.init(7))
    kernel = vs.he_normal(7).fold_in("params/Dense_0/kernel")((32, 64), dtype)
    assert np.asarray(params["params"]["Dense_0"]["kernel"]).tobytes() == kernel.tobytes()
    assert same(vs.jax.init_tree(abstract(dtype), model, seed=7), model.init(7))
    assert same(vs.jax.init_tree(abstract(dtype), vs.he_normal(seed=7)), model.init(7))
    assert same(vs.jax.init_tree(abstract(dtype), vs.he_normal(), seed=jax.random.key(7)), model.init(7))


def test_arrays_are_handed_over_and_stay_uncommitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails each array is copied once more, or computing with it fails on any other device or mesh."""
    made = {}

    def init(self: vs.Model, *arguments: Any) -> Any:
        made.update(original(self, *arguments))
        return made

    original = vs.Model.init
    monkeypatch.setattr(vs.Model, "init", init)
    tree = {f"Dense_{n}": {"kernel": jax.ShapeDtypeStruct((300, 100 + n), jnp.float32)} for n in range(20)}
    params = vs.jax.init_tree(tree, vs.lecun_normal(), seed=7)
    for name, array in made.items():
        leaf = params[name.partition("/")[0]]["kernel"]
        assert leaf.unsafe_buffer_pointer() == array.ctypes.data
        assert not leaf.committed
    assert (leaf + jax.device_put(leaf, jax.devices()[3])).devices() == {jax.devices()[3]}


def test_every_device_makes_its_own_shards() -> None:
    """If this fails a sharded network has other weights, lies elsewhere, or exists as a whole on one device."""
    mesh = jax.make_mesh((4, 2), ("data", "model"))
    expected = vs.Model(abstract(), layout="jax").init(7)
    rows, whole = NamedSharding(mesh, P("data")), NamedSharding(mesh, P())
    asked = {
        "params": {"Embed_0": rows, "Dense_0": {"kernel": rows, "bias": None}, "LayerNorm_0": whole, "Conv_0": None}
    }
    params = vs.jax.init_tree(abstract(), vs.lecun_normal(), 7, asked)
    assert same(params, expected)
    inner = params["params"]
    assert inner["Embed_0"]["embedding"].sharding == inner["Dense_0"]["kernel"].sharding == rows
    assert inner["LayerNorm_0"]["scale"].sharding == whole
    assert not inner["Dense_0"]["bias"].committed
    assert same(vs.jax.init_tree(abstract(), vs.lecun_normal(), 7, whole), expected)
    # Without a word, an array stays where it is.
    again = vs.jax.init_tree(params, vs.lecun_normal(), 8)["params"]
    assert again["Dense_0"]["kernel"].sharding == rows
    assert not again["Dense_0"]["bias"].committed
    told = {"Dense_0": {"kernel": jax.ShapeDtypeStruct((32, 64), jnp.float32, sharding=rows)}}
    assert vs.jax.init_tree(told, vs.lecun_normal(), 7)["Dense_0"]["kernel"].sharding == rows


def test_what_is_no_weight_stays() -> None:
    """If this fails keys, counters and functions of a network are lost, or what `keep` names is drawn anew."""
    key, count = jax.random.key(1), jnp.zeros((), jnp.int32)
    tree = {"rng": key, "count": count, "act": jax.nn.relu, "rate": 0.1, "none": None, "w": np.ones((3, 4), "float32"),
            "head": {"w": jnp.ones((4, 2))}}  # fmt: skip
    found = vs.jax.init_tree(tree, vs.lecun_normal(), 7, keep="head/*")
    assert (found["rng"], found["count"], found["act"], found["rate"], found["none"]) == (
        key,
        count,
        jax.nn.relu,
        0.1,
        None,
    )
    assert found["head"]["w"] is tree["head"]["w"]
    assert np.array_equal(np.asarray(found["w"]), vs.lecun_normal(7).fold_in("w")((3, 4)))
    assert isinstance(found["w"], jax.Array)


def test_rules_for_what_names_do_not_tell() -> None:
    """If this fails a tree with a weight of its own cannot be filled, or gets a guess."""
    tree = {"attn": {"query": {"kernel": jax.ShapeDtypeStruct((16, 4, 8), jnp.float32)}}}
    with pytest.raises(ValueError, match=r"(?s)'attn/query/kernel'.*varscale\.jax\.tree_model\(tree, rules\)"):
        vs.jax.init_tree(tree, vs.lecun_normal(), 7)
    init = vs.lecun_normal(in_axis=0, out_axis=(1, 2))
    model = vs.jax.tree_model(tree, [("*/query/kernel", init)])
    assert model["attn/query/kernel"].initializer == init
    found = vs.jax.init_tree(tree, model, 7)["attn"]["query"]["kernel"]
    named = vs.lecun_normal(7, in_axis=0, out_axis=(1, 2)).fold_in("attn/query/kernel")
    assert np.array_equal(np.asarray(found), named((16, 4, 8)))


def test_a_layout_is_told_and_not_guessed() -> None:
    """If this fails a weight (out, in) of a plain tree gets the fans of (in, out)."""
    tree = {"fc": {"weight": jax.ShapeDtypeStruct((64, 16), jnp.float32)}}
    with pytest.raises(ValueError, match="`layout` must be"):
        vs.jax.init_tree(tree, vs.lecun_normal(), 7)
    for layout, fan in (("torch", 16), ("jax", 64)):
        model = vs.jax.tree_model(tree, layout=layout)
        assert model["fc/weight"].initializer.describe((64, 16)).fan_in == fan
        found = vs.jax.init_tree(tree, vs.lecun_normal(), 7, layout=layout)["fc"]["weight"]
        assert np.array_equal(np.asarray(found), model.init(7)["fc/weight"])


LEAF = jax.ShapeDtypeStruct((4, 3), jnp.float32)
KERNEL = {"a": {"kernel": LEAF}}


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: vs.jax.init_tree(KERNEL, "lecun_normal"), TypeError, "`init_or_model` must be one of varscale's own"),
        (lambda: vs.jax.init_tree(KERNEL, vs.lecun_normal(), "7"), TypeError, "`seed` must be"),
        (lambda: vs.jax.init_tree(KERNEL, vs.jax.lecun_normal(), 7), TypeError, "must be of `varscale`, not"),
        (lambda: vs.jax.init_tree({"a": {"kernel": (3, 4)}}, vs.lecun_normal(), 7), ValueError, "must hold arrays or"),
        (lambda: vs.jax.init_tree(jax.nn.relu, vs.lecun_normal(), 7), ValueError, r"`jax.eval_shape\(model.init"),
        (lambda: vs.jax.init_tree(KERNEL, vs.lecun_normal(vs.replay.jax(0))), ValueError, "`seed` must be an integer"),
        (lambda: vs.jax.init_tree(KERNEL, vs.lecun_normal(), 7, "cpu"), TypeError, "`sharding` must hold shardings"),
        (lambda: vs.jax.init_tree(KERNEL, vs.lecun_normal(), 7, keep="b*"), ValueError, "`keep` must match leaves of"),
        (lambda: vs.jax.init_tree({"a/kernel": LEAF, **KERNEL}, vs.lecun_normal(), 7), ValueError, "'a/kernel' twice"),
        (lambda: vs.jax.init_tree(KERNEL, vs.Model({"k": (4,)}, [("k", vs.Zeros())])), ValueError, "lacks .*a/kernel"),
        (
            lambda: vs.jax.init_tree(KERNEL, vs.Model({"a/kernel": (3, 4)}, layout="jax")),
            ValueError,
            r"'a/kernel' as float32 \(4, 3\), has float32 \(3, 4\)",
        ),
        (
            lambda: vs.jax.init_tree({"kernel": jax.ShapeDtypeStruct((4, 3), np.float64)}, vs.lecun_normal(), 7),
            ValueError,
            "`jax_enable_x64` is off",
        ),
        (
            lambda: vs.jax.init_tree(jax.eval_shape(lambda: {"rng": jax.random.key(0)}), vs.lecun_normal(), 7),
            ValueError,
            "`tree` must have keys that are made, or `keep` name them, has 'rng'",
        ),
        (
            lambda: jax.jit(lambda tree: vs.jax.init_tree(tree, vs.lecun_normal(), 7))({"kernel": jnp.ones((4, 3))}),
            TypeError,
            "`tree` must hold no traced arrays",
        ),
    ],
)  # fmt: skip
def test_bad_arguments(call: Any, kind: type[Exception], words: str) -> None:
    """If this fails a wrong call fills something, or its error does not say what is wrong."""
    with pytest.raises(kind, match=words):
        call()


def test_deep_trees_are_refused() -> None:
    """If this fails a tree that is nested without end kills the process."""
    tree: Any = {"kernel": LEAF}
    for _ in range(300):
        tree = [tree]
    with pytest.raises(ValueError, match="`tree` must be nested at most 200 deep"):
        vs.jax.init_tree(tree, vs.lecun_normal(), 7)


@pytest.mark.parametrize("name", vs.jax.__all__)
def test_names_say_where_users_find_them(name: str) -> None:
    """If this fails a pickle or an error names a file of ours, which may move."""
    assert getattr(vs.jax, name).__module__ == "varscale.jax"
