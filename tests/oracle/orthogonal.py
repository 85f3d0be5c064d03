"""The Q of a matrix in readable NumPy: Householder's reflections in the order that every bit depends on.

A matrix is cut into strips of 32 columns. A sum over rows is made of sums over 128 of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, TOGETHER = 32, 128
Matrix = NDArray[Any]


def products(left: Matrix, right: Matrix) -> Matrix:
    """`left.T @ right`, each element as one sum over 128 rows after another."""
    total = np.zeros((left.shape[1], right.shape[1]), left.dtype)
    for start in range(0, len(left), TOGETHER):
        total = total + matmul(left[start : start + TOGETHER].T, right[start : start + TOGETHER])
    return total


def matmul(left: Matrix, right: Matrix) -> Matrix:
    """`left @ right`, each element as one sum in the order of the columns of `left`."""
    total = np.zeros((len(left), right.shape[1]), left.dtype)
    for column, row in zip(left.T, right, strict=True):
        total = total + column[:, None] * row
    return total


def dots(column: Matrix, strip: Matrix) -> Matrix:
    """`column @ strip`, as the sums of every fourth row of 128."""
    total = np.zeros(strip.shape[1], strip.dtype)
    for start in range(0, len(strip), TOGETHER):
        sums = np.zeros((4, strip.shape[1]), strip.dtype)
        for number in range(start, min(start + TOGETHER, len(strip))):
            sums[(number - start) % 4] += column[number] * strip[number]
        total = total + ((sums[0] + sums[1]) + (sums[2] + sums[3]))
    return total


def reflections(strip: Matrix, columns: int) -> tuple[Matrix, Matrix, Matrix]:
    """V, T and the signs of R's diagonal for the first columns of a strip that begins at its diagonal."""
    real = strip.dtype.type
    strip, scales = strip.copy(), np.zeros(WIDTH, strip.dtype)
    triangle, signs = np.zeros((WIDTH, WIDTH), strip.dtype), np.zeros(WIDTH, strip.dtype)
    for j in range(min(columns, len(strip), WIDTH)):
        head, below = strip[j].copy(), dots(strip[j + 1 :, j], strip[j + 1 :])
        tau, end = real(0), head[j]
        if below[j] > 0:
            length = np.sqrt(head[j] * head[j] + below[j])
            end = -length if head[j] > 0 else length
            tau, scales[j] = -((head[j] - end) / end), real(1) / (head[j] - end)
        signs[j] = -1 if end < 0 else 1
        with_v = head + below * scales[j]
        earlier = with_v * scales
        for i in range(j):
            total = real(0)
            for k in range(i, j):
                total = total + triangle[i, k] * earlier[k]
            triangle[i, j] = -(tau * total)
        triangle[j, j] = tau
        strip[j + 1 :, j + 1 :] -= strip[j + 1 :, j, None] * (tau * with_v * scales[j])[j + 1 :]
    vectors = np.tril(strip * scales, -1)
    vectors[range(min(len(strip), WIDTH)), range(min(len(strip), WIDTH))] = 1
    return vectors, triangle, signs


def orthogonal(matrix: Matrix, gain: float = 1.0) -> Matrix:
    """`gain` times the Q of a matrix whose R has a positive diagonal."""
    rows, columns = matrix.shape
    count = -(-columns // WIDTH)
    padded = np.zeros((rows, count * WIDTH), matrix.dtype)
    padded[:, :columns] = matrix
    strips = [padded[:, number * WIDTH :][:, :WIDTH].copy() for number in range(count)]
    blocks = []
    for number in range(count):
        top = number * WIDTH
        vectors, triangle, signs = reflections(strips[number][top:], columns - top)
        blocks.append((vectors, triangle, signs))
        for strip in strips[number + 1 :]:
            strip[top:] -= matmul(vectors, matmul(triangle.T, products(vectors, strip[top:])))
    for number in reversed(range(count)):
        top, (vectors, triangle, _) = number * WIDTH, blocks[number]
        strips[number] = np.eye(rows, WIDTH, -top, matrix.dtype)
        for strip in strips[number:]:
            strip[top:] -= matmul(vectors, matmul(triangle, products(vectors, strip[top:])))
    signs = np.concatenate([block[2] for block in blocks]) * matrix.dtype.type(gain)
    return (np.concatenate(strips, axis=1) * signs)[:, :columns]
