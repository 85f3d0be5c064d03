"""Seeds: the identity of a stream byte by byte, and the four cases of the global seed."""

from __future__ import annotations

import threading
from hashlib import blake2b

import numpy as np
import pytest

import varscale as vs
from oracle import reference
from oracle.core import fill
from varscale import _core
from varscale._sources.identity import PERSON

pytestmark = pytest.mark.thread_unsafe(reason="sets the process's global seed")


def digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16, person=b"varscale-stream1").digest()


def field(tag: int, payload: bytes) -> bytes:
    return bytes([tag]) + len(payload).to_bytes(8, "little") + payload


def test_one_version_of_the_stream() -> None:
    """If this fails the core hashes seeds of one version, and JAX's programs those of another."""
    assert _core.identity(b"seeds") == blake2b(b"seeds", digest_size=16, person=PERSON).digest()


UNSET = field(0, b"")
IDENTITIES = [
    ("seed 0", None, 0, (), UNSET + field(1, b"\x00")),
    ("seed 127", None, 127, (), UNSET + field(1, b"\x7f")),
    ("seed 128", None, 128, (), UNSET + field(1, b"\x80\x00")),
    ("seed -1", None, -1, (), UNSET + field(1, b"\xff")),
    ("seed -128", None, -128, (), UNSET + field(1, b"\x80")),
    ("seed -129", None, -129, (), UNSET + field(1, b"\x7f\xff")),
    ("seed 2^31", None, 2**31, (), UNSET + field(1, b"\x00\x00\x00\x80\x00")),
    ("seed 2^64", None, 2**64, (), UNSET + field(1, b"\x00" * 8 + b"\x01")),
    ("seed -2^63", None, -(2**63), (), UNSET + field(1, b"\x00" * 7 + b"\x80")),
    ("seed 10^30", None, 10**30, (), UNSET + field(1, bytes.fromhex("00000040eaed7446d09c2c9f0c"))),
    ("global and seed", 5, 7, (), field(1, b"\x05") + field(1, b"\x07")),
    ("global -1", -1, 7, (), field(1, b"\xff") + field(1, b"\x07")),
    ("path", None, 7, ("a", 3), UNSET + field(1, b"\x07") + field(2, b"a") + field(1, b"\x03")),
    ("empty string", None, 7, ("",), UNSET + field(1, b"\x07") + field(2, b"")),
    ("UTF-8", None, 7, ("é/层",), UNSET + field(1, b"\x07") + field(2, "é/层".encode())),
    ("negative in path", None, 7, (-300,), UNSET + field(1, b"\x07") + field(1, b"\xd4\xfe")),
    ("folded, unseeded", 5, None, ("w",), field(1, b"\x05") + UNSET + field(2, b"w")),
]


@pytest.mark.parametrize(("case", "global_seed", "seed", "path", "data"), IDENTITIES)
def test_identity(
    case: str, global_seed: int | None, seed: int | None, path: tuple[int | str, ...], data: bytes
) -> None:
    """If this fails a seed or a name stands for another stream than was promised."""
    vs.set_random_seed(global_seed)
    init = vs.RandomNormal(0.0, 1.0, seed).fold_in(*path)
    assert init((9,)).tobytes() == fill("normal", "float32", 9, digest(data)).tobytes(), case
    assert reference.identity(global_seed, seed, path) == digest(data)


def test_identity_of_unseeded_calls() -> None:
    """If this fails the call numbers under a global seed do not start at 0, or are not a kind of their own."""
    vs.set_random_seed(5)
    init = vs.RandomNormal(0.0, 1.0)
    for call in (*range(3), *range(3, 300)):
        payload = call.to_bytes(1 if call < 128 else 2, "little")
        name = digest(field(1, b"\x05") + field(3, payload))
        assert reference.call_identity(5, call) == name
        assert init((4,)).tobytes() == fill("normal", "float32", 4, name).tobytes()
    vs.set_random_seed(5)
    assert init((4,)).tobytes() == fill("normal", "float32", 4, reference.call_identity(5, 0)).tobytes()


def draw(init: vs.VarianceScaling) -> bytes:
    return init((8, 8)).tobytes()


def test_a_seeded_initializer_repeats_and_takes_no_number() -> None:
    """If this fails the values of a seeded layer depend on what was drawn before."""
    seeded, unseeded = vs.lecun_normal(3), vs.lecun_normal()
    first = draw(seeded)
    assert draw(seeded) == first == draw(vs.lecun_normal(np.int64(3)))
    vs.set_random_seed(1)
    under_global = draw(seeded)
    assert draw(seeded) == under_global != first
    numbers = [draw(unseeded), draw(unseeded)]
    vs.set_random_seed(1)
    again = [draw(unseeded), draw(seeded), draw(unseeded)]
    assert again == [numbers[0], under_global, numbers[1]]
    assert numbers[0] != numbers[1]
    vs.set_random_seed(2)
    assert draw(seeded) != under_global
    vs.set_random_seed(None)
    assert draw(seeded) == first


def test_a_refused_call_takes_no_number() -> None:
    """If this fails a call that raised an error changes the values of all that follow."""
    vs.set_random_seed(5)
    first = draw(vs.lecun_normal())
    vs.set_random_seed(5)
    with pytest.raises(ValueError, match="`out` must have the shape"):
        vs.lecun_normal()((8, 8), out=np.zeros((3, 3), np.float32))
    assert draw(vs.lecun_normal()) == first


def test_folded_but_unseeded_does_not_depend_on_order() -> None:
    """If this fails adding a layer changes the others' weights."""
    vs.set_random_seed(9)
    a, b = vs.lecun_normal().fold_in("a"), vs.lecun_normal().fold_in("b")
    one, two = draw(a), draw(b)
    assert draw(b) == two != one
    assert draw(a) == one
    vs.set_random_seed(10)
    assert draw(a) != one


def test_without_any_seed_every_call_differs() -> None:
    """If this fails unseeded layers are all alike, or a folded one repeats without a seed."""
    init = vs.lecun_normal()
    assert len({draw(init) for _ in range(20)} | {draw(init.fold_in("a")) for _ in range(20)}) == 40


@pytest.mark.parametrize("bad", [1.5, 1.0, "3", True, np.True_, (1, 2), b"3", np.float32(1), [3]])
def test_seeds_of_another_kind_are_refused(bad: object) -> None:
    """If this fails a wrong seed fails only at the call, or True means 1."""
    with pytest.raises(TypeError, match="`seed` must be an integer, got"):
        vs.lecun_normal(bad)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`seed` must be an integer, got"):
        vs.set_random_seed(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [1.5, None, True, b"a", ("a",)])
def test_paths_of_another_kind_are_refused(bad: object) -> None:
    """If this fails a path element is silently turned into something else."""
    with pytest.raises(TypeError, match="`path` must hold strings and integers only"):
        vs.lecun_normal(1).fold_in("a", bad)  # type: ignore[arg-type]


def test_fold_in_is_associative_and_injective() -> None:
    """If this fails two names share a stream, or one name has two."""
    init = vs.lecun_normal(7)
    assert init.fold_in("a").fold_in("b") == init.fold_in("a", "b")
    assert draw(init.fold_in("a").fold_in("b")) == draw(init.fold_in("a", "b"))
    paths = [(), ("a", "b"), ("a/b",), ("ab",), ("b", "a"), (0,), ("0",), ("",), ("", ""), (0, 0), (256,), (1, 0)]
    assert len({draw(init.fold_in(*path)) for path in paths}) == len(paths)
    assert init.fold_in() == init


def test_threads_never_share_a_call_number() -> None:
    """If this fails two unseeded layers that are made in parallel can be identical."""
    vs.set_random_seed(4)
    init, drawn = vs.lecun_normal(), []

    def work() -> None:
        drawn.extend([draw(init) for _ in range(500)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    vs.set_random_seed(4)
    assert len(set(drawn)) == 4000
    assert set(drawn) == {draw(init) for _ in range(4000)}
