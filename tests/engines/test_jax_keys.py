"""Keys of JAX as seeds: the identity of a traced key is that of the integer that its words are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import varscale as vs
from varscale._core import identity
from varscale._devices.jnp import hashing
from varscale._sources.identity import UNSET_FIELD, path_fields, seed_field

RANDOM = np.random.default_rng(20)
# Lengths of the path's fields about the ends of a block, and far past it.
PATHS = [(), ("layers", 3, "kernel"), *(("x" * n,) for n in (79, 87, 95, 96, 97, 103, 104)), ("y" * 300, -1, 2**70)]


def words(seed: int, count: int = 2) -> np.ndarray:
    return np.frombuffer(seed.to_bytes(4 * count, "big"), ">u4").astype(np.uint32)


def seeds(count: int) -> list[int]:
    """Both sides of every power of two, where fields change their length, and others."""
    powers = [2**n + step for n in range(32 * count) for step in (-1, 0)]
    others = [int.from_bytes(RANDOM.bytes(4 * count), "big") >> int(RANDOM.integers(32 * count)) for _ in range(50)]
    return [*powers, 2 ** (32 * count) - 1, *others]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{len(path_fields(path))} bytes")
@pytest.mark.parametrize("before", [UNSET_FIELD, seed_field(2**70)], ids=["no global seed", "global seed"])
@pytest.mark.parametrize("count", [2, 4])
def test_hashes(count: int, before: bytes, path: tuple[Any, ...]) -> None:
    """If this fails a program that takes a key has other weights than the key's seed."""
    after, every = path_fields(path), seeds(count)
    found = jax.jit(jax.vmap(lambda key: hashing.identity(key, before, after)))(
        np.stack([words(s, count) for s in every])
    )
    assert found.dtype == jnp.uint32
    wrong = [
        s
        for s, w in zip(every, np.asarray(found), strict=True)
        if w.tobytes() != identity(before + seed_field(s) + after)
    ]
    assert wrong == []


INIT = vs.lecun_normal().fold_in("layers", 0, "kernel")
SEEDS = [0, 7, 2**31, 2**32 - 1, 2**63, 2**64 - 1]


def same(array: Any, right: np.ndarray) -> bool:
    found = np.asarray(array)
    return (found.shape, found.dtype, found.tobytes()) == (right.shape, right.dtype, right.tobytes())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("traced", [True, False])
def test_a_key_is_the_seed_of_its_words(seed: int, traced: bool) -> None:
    """If this fails a key and its seed make different weights, or a traced key others than one that is not."""
    start = lambda key: vs.jax.sample(INIT, (33, 8), "bfloat16", key=key)  # noqa: E731
    right = vs.lecun_normal(seed).fold_in("layers", 0, "kernel")((33, 8), "bfloat16")
    run = jax.jit(start) if traced else start
    assert same(run(words(seed)), right)
    assert same(run(jax.random.wrap_key_data(words(seed))), right)


def test_keys_are_named_by_their_seed() -> None:
    """If this fails `jax.random.key(7)` is not the seed 7; keys of `rbg` are two of them."""
    right = INIT._with_seed(7)((9, 5))
    for key in (jax.random.key(7), jax.random.PRNGKey(7)):
        assert same(vs.jax.sample(INIT, (9, 5), key=key), right)
    rbg = jax.random.key(7, impl="rbg")
    assert same(jax.jit(lambda key: vs.jax.sample(INIT, (9, 5), key=key))(rbg), INIT._with_seed(7 << 64 | 7)((9, 5)))


def test_the_global_seed_counts() -> None:
    """If this fails a key under a global seed has other weights than the same seed."""
    vs.set_random_seed(-11)
    right = INIT._with_seed(2**40)((9, 5))
    vs.set_random_seed(None)
    assert not np.array_equal(right, INIT._with_seed(2**40)((9, 5)))
    vs.set_random_seed(-11)
    assert same(jax.jit(lambda key: vs.jax.sample(INIT, (9, 5), key=key))(words(2**40)), right)


@pytest.mark.parametrize("seed", [3, None])
def test_a_key_takes_the_place_of_the_seed(seed: Any) -> None:
    """If this fails the initializer's own seed goes into a key's stream, or refuses it, or a replay is dropped."""
    init = vs.lecun_normal(seed).fold_in(4)
    right = vs.lecun_normal(12).fold_in(4)((9, 5))
    assert same(vs.jax.sample(init, (9, 5), key=words(12)), right)
    assert same(jax.jit(lambda key: vs.jax.sample(init, (9, 5), key=key))(words(12)), right)
    with pytest.raises(ValueError, match="`init` must replay no framework where `key` or `identity` is given"):
        vs.jax.sample(vs.lecun_normal(vs.replay.jax(3)), (9, 5), key=words(12))


def test_many_keys() -> None:
    """If this fails the members of an ensemble are not those of their keys."""
    keys = jax.random.split(jax.random.key(1), 6)
    found = jax.jit(jax.vmap(lambda key: vs.jax.sample(INIT, (17, 3), key=key)))(keys)
    scanned = jax.jit(lambda keys: jax.lax.scan(lambda _, key: (0, vs.jax.sample(INIT, (17, 3), key=key)), 0, keys)[1])(
        keys
    )
    for key, one, other in zip(keys, found, scanned, strict=True):
        seed = int.from_bytes(np.asarray(jax.random.key_data(key)).astype(">u4").tobytes(), "big")
        assert same(one, INIT._with_seed(seed)((17, 3)))
        assert same(other, INIT._with_seed(seed)((17, 3)))


def test_many_identities() -> None:
    """If this fails one program cannot make all tensors of a shape."""
    names = np.stack([vs.jax.identity(INIT._with_seed(3).fold_in(layer)) for layer in range(6)])
    assert (names.dtype, names.shape) == (np.uint32, (6, 4))
    found = jax.jit(jax.vmap(lambda name: vs.jax.sample(INIT, (17, 3), identity=name)))(names)
    for layer, array in enumerate(found):
        assert same(array, INIT._with_seed(3).fold_in(layer)((17, 3)))


def test_identities() -> None:
    """If this fails an identity is not that of the next call, or of a lazy tensor."""
    lazy = vs.lecun_normal().lazy((4, 4))
    assert same(vs.jax.sample(INIT, (4, 4), identity=vs.jax.identity(lazy)), np.asarray(lazy))
    vs.set_random_seed(5)
    first = vs.jax.identity(vs.lecun_normal())
    second = vs.lecun_normal()((4, 4))
    vs.set_random_seed(5)
    assert same(vs.jax.sample(INIT, (4, 4), identity=first), vs.lecun_normal()((4, 4)))
    assert np.array_equal(vs.lecun_normal()((4, 4)), second)
    for init in (vs.Zeros(), vs.lecun_normal(vs.replay.jax(3))):
        with pytest.raises(ValueError, match="`init` must draw from the native stream"):
            vs.jax.identity(init)
    with pytest.raises(TypeError, match="`init` must be one of varscale's own initializers"):
        vs.jax.identity(3)


@pytest.mark.parametrize("key", [3, np.arange(2), jnp.arange(2), "key", [0, 7]], ids=repr)
def test_what_is_no_key(key: Any) -> None:
    """If this fails something else is taken for a key."""
    with pytest.raises(TypeError, match="`key` must be a key of JAX or an array of uint32, got"):
        vs.jax.sample(INIT, (4, 4), key=key)


def test_bad_keys_and_identities() -> None:
    """If this fails a mistake is found late, or not at all."""
    keys = jax.random.split(jax.random.key(1), 3)
    with pytest.raises(ValueError, match=r"`key` must be one key, of 2 or 4 words .* got the shape \(3, 2\)"):
        vs.jax.sample(INIT, (4, 4), key=keys)
    with pytest.raises(ValueError, match=r"`identity` must have 4 words .* got the shape \(2,\)"):
        vs.jax.sample(INIT, (4, 4), identity=words(7))
    with pytest.raises(TypeError, match="`identity` must be an array of uint32"):
        vs.jax.sample(INIT, (4, 4), identity=bytes(16))
    with pytest.raises(TypeError, match="`key` and `identity` must not both be given"):
        vs.jax.sample(INIT, (4, 4), key=keys[0], identity=words(7, 4))
    with pytest.raises(TypeError, match="`init` must be an initializer where `key` or `identity` is given, got <lazy"):
        vs.jax.sample(INIT.lazy((4, 4)), key=keys[0])
