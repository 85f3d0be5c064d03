"""Orthogonal and DeltaOrthogonal: LAPACK's matrices, the oracle's bits, Haar's measure, layouts, blocks, parts."""

from __future__ import annotations

from math import prod
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

import varscale as vs
from oracle import orthogonal as oracle

SHAPES = [(1, 1), (2, 2), (5, 3), (3, 5), (33, 33), (130, 70), (40, 129), (3, 3, 4, 8), (8, 4, 3, 3)]


def normals(shape: tuple[int, ...], dtype: str, axis: int, blocks: int, seed: int = 7) -> NDArray[Any]:
    """The matrices of standard normal values, as many rows as columns at least."""
    out = shape[axis]
    sizes = prod(shape) // out, out // blocks
    return vs.RandomNormal(0, 1, seed)((blocks, max(sizes), min(sizes)), dtype)


def tensor(matrices: list[NDArray[Any]], shape: tuple[int, ...], axis: int) -> NDArray[Any]:
    """The tensor of matrices that lie side by side along its out axis."""
    rows = prod(shape) // shape[axis]
    side_by_side = np.concatenate([m if len(m) == rows else m.T for m in matrices], 1)
    others = [size for number, size in enumerate(shape) if number != axis % len(shape)]
    return np.moveaxis(side_by_side.reshape(*others, shape[axis]), -1, axis)


def lapack(matrix: NDArray[Any]) -> NDArray[Any]:
    q, r = np.linalg.qr(matrix.astype(np.float64))
    return q * np.sign(np.diag(r))


@pytest.mark.parametrize(("axis", "blocks"), [(-1, 1), (0, 1), (1, 1), (-1, 2), (0, 4)])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_matrix_is_lapacks(shape: tuple[int, ...], axis: int, blocks: int) -> None:
    """If this fails it is not Q times the signs of R's diagonal, or its elements lie at other places of the tensor."""
    if shape[axis] % blocks:
        with pytest.raises(ValueError, match="`blocks` must divide the out axis"):
            vs.Orthogonal(axis=axis, blocks=blocks)(shape)
        return
    init = vs.Orthogonal(1.5, 7, axis=axis, blocks=blocks)
    for dtype, error in (("float32", 1e-5), ("float64", 1e-13)):
        expected = tensor([1.5 * lapack(m) for m in normals(shape, dtype, axis, blocks)], shape, axis)
        assert np.abs(init(shape, dtype) - expected).max() < error
    root_mean_square = float(np.mean(init(shape).astype(np.float64) ** 2)) ** 0.5
    assert root_mean_square == pytest.approx(init.describe(shape).stddev, rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (32, 32), (33, 33), (64, 64), (130, 70), (260, 31)])
def test_bits_are_the_oracles(shape: tuple[int, int], dtype: str) -> None:
    """If this fails a machine or a release takes the steps in another order, and makes other bits."""
    (matrix,) = normals(shape, dtype, -1, 1)
    assert (vs.Orthogonal(0.7, 7)(shape, dtype) == oracle.orthogonal(matrix, 0.7)).all()


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("shape", [(64, 64), (1000, 37), (37, 1000), (4096, 1024)])
def test_columns_are_orthonormal(shape: tuple[int, int], dtype: str, bound: float) -> None:
    """If this fails rounding adds up: the matrices are not orthogonal to the last digits."""
    q = vs.Orthogonal(seed=3)(shape, dtype).astype(np.float64)
    q = q if shape[0] >= shape[1] else q.T
    n = min(shape)
    assert np.linalg.norm(q.T @ q - np.eye(n)) < bound * n**0.5


def test_threads_change_no_bit() -> None:
    """If this fails the number of processors changes a network's first weights."""
    found = set()
    for threads in (1, 2, 3, 7):
        with vs.num_threads(threads):
            found.add(vs.Orthogonal(seed=5)((301, 203)).tobytes())
    assert len(found) == 1


# Haar's measure ---------------------------------------------------------------------------------------------------

COUNT, N = 4000, 4


def drawn() -> NDArray[np.float64]:
    """Many matrices: blocks of one tensor are independent."""
    side_by_side = vs.Orthogonal(seed=11, blocks=COUNT)((N, N * COUNT), "float64")
    return side_by_side.reshape(N, COUNT, N).transpose(1, 0, 2)


def without_signs() -> NDArray[np.float64]:
    """A wrong law: LAPACK's Q as it is."""
    return np.linalg.qr(normals((N, N * COUNT), "float64", -1, COUNT, 11))[0]


def haar_zs(q: NDArray[np.float64]) -> dict[str, float]:
    """How many standard errors the statistics of Haar's measure are off."""
    root = len(q) ** 0.5
    traces = np.trace(q, axis1=1, axis2=2)
    angles = np.sort(np.angle(np.linalg.eigvals(q)), axis=1)
    gaps = np.diff(angles, axis=1, append=angles[:, :1] + 2 * np.pi) * N / (2 * np.pi)
    # On the sphere in n dimensions: E x = 0, E x^2 = 1/n, E x^4 = 3/(n (n + 2)), for each coordinate of a column.
    column = q[:, :, 0]
    zs = {
        "determinant": np.linalg.det(q).mean() * root,
        "trace": traces.mean() * root,  # E tr = 0 and E tr^2 = 1
        "trace^2": ((traces**2).mean() - 1) * root / (traces**2).std(),
    }
    for number, x in enumerate(column.T):
        zs[f"x{number}"] = x.mean() * root * N**0.5
        zs[f"x{number}^2"] = ((x**2).mean() - 1 / N) * root / (x**2).std()
        zs[f"x{number}^4"] = ((x**4).mean() - 3 / (N * (N + 2))) * root / (x**4).std()
    zs["small gaps"] = float(np.mean(gaps < 0.3))
    return zs


def test_matrices_follow_haars_measure() -> None:
    """If this fails some orthogonal matrices are likelier than others."""
    zs = haar_zs(drawn())
    # Eigenvalues repel each other: of independent angles some 0.26 would be as close.
    assert zs.pop("small gaps") < 0.15
    assert not {name: z for name, z in zs.items() if not abs(z) < 4.5}


def test_the_statistics_see_missing_signs() -> None:
    """If this fails a Q whose R has any diagonal would pass, as NumPy returns it."""
    zs = haar_zs(without_signs())
    assert abs(zs["determinant"]) > 10
    assert abs(zs["trace"]) > 10
    assert abs(zs["x0"]) > 10


# Layouts, blocks, dtypes, parts -----------------------------------------------------------------------------------


def test_gates_are_orthogonal_by_themselves() -> None:
    """If this fails the gates of an LSTM have singular values of 0.43, as those of one whole matrix have."""
    for init, gates in (
        (vs.Orthogonal(seed=3, blocks=4), lambda w: np.split(w, 4, 1)),
        (vs.Orthogonal(seed=3, blocks=4, axis=0), lambda w: np.split(w, 4, 0)),
    ):
        kernel = init((64, 256) if init.axis == -1 else (256, 64))
        values = [np.linalg.svd(gate, compute_uv=False) for gate in gates(kernel)]
        assert np.abs(np.array(values) - 1).max() < 1e-5
    whole = np.split(vs.Orthogonal(seed=3)((64, 256)), 4, 1)
    assert np.mean([np.linalg.svd(gate, compute_uv=False) for gate in whole]) == pytest.approx(0.43, abs=0.02)


def test_sixteen_bits_are_rounded_once() -> None:
    """If this fails half precision has values of its own, or an error as in the frameworks."""
    init = vs.Orthogonal(2.0, 7)
    for dtype in (np.float16, ml_dtypes.bfloat16):
        assert (init((40, 30), dtype) == init((40, 30)).astype(dtype)).all()
        assert init((30, 40), dtype, index=(3,)).tolist() == init((30, 40), dtype)[3].tolist()


@pytest.mark.parametrize("init", [vs.Orthogonal(1.5, 7), vs.Orthogonal(1.5, 7, axis=0, blocks=2)])
@pytest.mark.parametrize("shape", [(8, 6), (6, 8), (4, 3, 2, 8)])
def test_parts_are_those_of_the_whole(init: vs.Orthogonal, shape: tuple[int, ...]) -> None:
    """If this fails shards do not fit together, or an array in another order gets other values."""
    whole = init(shape)
    for index in [(1,), (slice(None, None, -1), 2), ([0, 3, 3], ..., slice(1, 5, 2))]:
        expected = whole[np.ix_([0, 3, 3], *map(range, shape[1:-1]), range(shape[-1])[1:5:2])]
        expected = expected if isinstance(index[0], list) else whole[index]
        assert (init(shape, index=index) == expected).all()
        assert (init.lazy(shape)[index] == expected).all()
    out = np.empty(shape[::-1], np.float32).T
    assert (init(shape, out=out) == whole).all()
    assert (init(shape, out=np.empty(shape, np.float32)) == whole).all()
    assert (init((2, *shape[1:]), None, vs.PartitionInfo(shape, (1, *(0,) * (len(shape) - 1)))) == whole[1:3]).all()


def test_what_is_kept_is_the_tensor_that_is_asked_for() -> None:
    """If this fails a part comes from the matrix of another seed, shape, dtype, gain or call."""
    init = vs.Orthogonal(seed=7)
    for other in (init, init.fold_in("a"), vs.residual(init, 2), vs.Orthogonal(2.0, 7), init):
        for shape in ((6, 6), (6, 4), (3, 2, 6)):
            for dtype in ("float32", "float64", "float16"):
                assert (other(shape, dtype, index=1) == other(shape, dtype)[1]).all()
    unseeded = vs.Orthogonal()
    assert (unseeded((6, 6), index=0) != unseeded((6, 6), index=0)).any()
    lazy = unseeded.lazy((6, 6))
    assert (lazy[0] == lazy[:][0]).all()


def test_the_centre_of_a_delta() -> None:
    """If this fails a kernel is not zero but for its centre, or the centre is not the orthogonal matrix."""
    for field in ((3,), (4, 3), (1, 2, 5)):
        init, shape = vs.DeltaOrthogonal(1.5, 7), (*field, 4, 6)
        expected = np.zeros(shape, np.float32)
        expected[tuple((size - 1) // 2 for size in field)] = vs.Orthogonal(1.5, 7)((4, 6))
        assert (init(shape) == expected).all()
        description = init.describe(shape)
        assert expected.std(dtype=np.float64, mean=0.0) == pytest.approx(description.stddev, rel=1e-6)
        index = (..., [1, 0, 1], slice(None, None, -2))
        assert (init(shape, index=index) == expected[..., [1, 0, 1], :][..., ::-2]).all()
    repeated = vs.DeltaOrthogonal()((3, 3, 2, 2), index=([1, 1, 0, 1], [1, 2, 1]))
    for place in ((0, 0), (1, 0), (3, 2)):
        assert (repeated[place] == repeated[0, 0]).all()
        assert repeated[place].any()
    assert not repeated[2].any()


@pytest.mark.parametrize(("layout", "axes"), [("torch", (3, 2, 0, 1)), ("mlx", (3, 0, 1, 2)), ("jax", (0, 1, 2, 3))])
def test_deltas_in_other_layouts(layout: Any, axes: tuple[int, ...]) -> None:
    """If this fails a kernel of torch has a matrix across its places, and passes on one channel of all."""
    plain, init = vs.DeltaOrthogonal(1.5, 7)((3, 5, 4, 6)), vs.DeltaOrthogonal(1.5, 7, layout=layout)
    expected = plain.transpose(axes)
    assert (init(expected.shape) == expected).all()
    for index in (([1, 2, 1],), (..., slice(None, None, -2)), (slice(1, 4), [1, 1])):
        assert (init(expected.shape, index=index) == expected[index]).all()
    assert init.describe(expected.shape) == vs.DeltaOrthogonal(1.5).describe(plain.shape)
    assert vs.Model({"w": expected.shape}, [("*", vs.DeltaOrthogonal())], layout=layout)["w"].initializer == (
        vs.DeltaOrthogonal(layout=None if layout == "jax" else layout)
    )
    with pytest.raises(ValueError, match="`layout` must be"):
        vs.Model({"w": expected.shape}, [("*", vs.DeltaOrthogonal())])


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 4), (1,) * 6])
def test_deltas_of_illegal_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """If this fails a kernel with more inputs than outputs loses some of them in silence."""
    with pytest.raises(ValueError, match="`shape` must have 1 to 3 places"):
        vs.DeltaOrthogonal()(shape)


def test_illegal_arguments_are_refused() -> None:
    """If this fails a mistake is noticed late, or never."""
    for arguments, shape, match in (
        ({}, (3,), "`shape` must have two axes"),
        ({"axis": 2}, (3, 3), "`axis` must be one of the shape"),
        ({"gain": 7e4, "dtype": "float16"}, (3, 3), "overflow `dtype` 'float16'"),
        ({"seed": vs.replay.jax(0)}, (3, 3), "`law` must be"),
    ):
        with pytest.raises(ValueError, match=match):
            vs.Orthogonal(**arguments)(shape)
        with pytest.raises(ValueError, match=match if "law" not in match else "`shape`"):
            vs.Orthogonal(**arguments).describe(shape if "law" not in match else (3,))
    with pytest.raises(ValueError, match="`blocks` must be a positive integer"):
        vs.Orthogonal(blocks=0)
    with pytest.raises(MemoryError):
        vs.Orthogonal()((2**20, 2**20))
