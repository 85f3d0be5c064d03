"""Kernels and sparse matrices beside torch's own: `dirac_`, `sparse_`, and what torch makes of an image."""

from __future__ import annotations

from itertools import product
from math import ceil

import numpy as np
import pytest
import torch
from torch.nn import functional

import varscale as vs


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_dirac_is_torchs(rank: int) -> None:
    """If this fails a convolution passes on other channels than with `torch.nn.init.dirac_`."""
    for outs, ins, groups, size in product((6, 12), (1, 2, 5, 12), (1, 2, 3, 6), (1, 2, 3, 4)):
        shape = (outs, ins, *range(size, size + rank - 2))
        expected = torch.nn.init.dirac_(torch.empty(shape), groups)
        assert np.array_equal(vs.Dirac(groups, layout="torch")(shape), expected.numpy())
        tensor = vs.torch.init_(torch.empty(shape), vs.Dirac(groups))
        assert torch.equal(tensor, expected), "a tensor of torch is in its layout"


def test_a_convolution_by_dirac_changes_nothing() -> None:
    """If this fails the kernel of a grouped convolution does not pass its inputs on."""
    layer = torch.nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False)
    vs.torch.init_(layer, vs.Dirac(4))
    image = torch.rand(2, 8, 9, 7)
    assert torch.equal(layer(image), image)


def test_sparse_has_torchs_number_of_zeros() -> None:
    """If this fails a column has more or fewer zeros than with `torch.nn.init.sparse_`."""
    for sparsity, rows in product((0.0, 0.07, 0.1, 0.29, 1 / 3, 0.5, 0.9, 1.0), (1, 2, 7, 10, 100, 333)):
        expected = torch.nn.init.sparse_(torch.empty(rows, 3), sparsity, 1.0)
        found = torch.from_numpy(vs.Sparse(sparsity, 1.0, 3)((rows, 3)))
        assert torch.equal((found == 0).sum(0), (expected == 0).sum(0))


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5, 8])
def test_bilinear_is_torchs_interpolation(stride: int) -> None:
    """If this fails a transposed convolution does not enlarge an image as `interpolate` does."""
    size = 2 * stride - stride % 2
    layer = torch.nn.ConvTranspose2d(3, 3, size, stride, ceil((stride - 1) / 2), groups=3, bias=False)
    vs.torch.init_(layer, vs.Bilinear())
    image = torch.rand(2, 3, 9, 7)
    expected = functional.interpolate(image, scale_factor=stride, mode="bilinear", align_corners=False)
    inside = (..., slice(stride, -stride), slice(stride, -stride))  # at the border torch repeats the image
    found = layer(image)
    assert found.shape == expected.shape
    torch.testing.assert_close(found[inside], expected[inside], rtol=1e-5, atol=1e-6)
