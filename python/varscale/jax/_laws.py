"""JAX's names of initializers whose scale does not depend on the shape."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from .._arguments.checks import finite, integer, not_negative
from .._arguments.show import show
from .._initializers.builtin import Builtin
from .._initializers.constant import Constant, Ones, Zeros
from .._initializers.orthogonal import DeltaOrthogonal, Orthogonal
from .._initializers.random import RandomNormal, RandomUniform, TruncatedNormal
from ._initializer import Initializer, initializer, known


@initializer
def normal(stddev: float = 1e-2, dtype: Any = None) -> Builtin:
    """Normal values with the mean 0.

    Args:
        stddev: A finite number that is not negative.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return RandomNormal(0.0, known(stddev), 0)


@initializer
def truncated_normal(stddev: float = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0) -> Builtin:
    """Normal values in [lower * stddev, upper * stddev], whose standard deviation is less than `stddev`.

    Args:
        stddev: The standard deviation before truncation, a finite number that is not negative.
        dtype: What a call without a dtype returns; None for JAX's default.
        lower: Where it is cut, in standard deviations; may be -inf.
        upper: The other end; may be inf.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return TruncatedNormal(0.0, known(stddev), 0, lower=known(lower), upper=known(upper))


@initializer
def uniform(scale: float = 1e-2, dtype: Any = None) -> Builtin:
    """Uniform values in [0, scale): not about 0.

    Args:
        scale: The upper end, a finite number that is not negative.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return RandomUniform(0.0, not_negative("scale", known(scale)), 0)


@initializer
def orthogonal(scale: float = 1.0, column_axis: int = -1, dtype: Any = None) -> Builtin:
    """Orthogonal matrices times `scale`, each as likely as any other.

    Args:
        scale: A finite number.
        column_axis: The axis of the columns: those are orthonormal, or the rows where there are fewer.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    return Orthogonal(finite("scale", known(scale)), 0, axis=integer("column_axis", column_axis))


@initializer
def delta_orthogonal(scale: float = 1.0, column_axis: int = -1, dtype: Any = None) -> Builtin:
    """Kernels (*places, in, out) that are zero but for the centre, which is an orthogonal matrix times `scale`.

    Args:
        scale: A finite number.
        column_axis: One of the matrix's two axes. Either leads to the same values: its rows are orthonormal.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value.
    """
    if integer("column_axis", column_axis) not in range(-2, 2):
        msg = f"`column_axis` must be an axis of a matrix, got {show(column_axis)}"
        raise ValueError(msg)
    return DeltaOrthogonal(finite("scale", known(scale)), 0)


@initializer
def constant(value: ArrayLike, dtype: Any = None) -> Builtin:
    """A constant; several values are repeated along the axes before theirs, as NumPy does it.

    Args:
        value: A real number or bool, or an array or nested list.
        dtype: What a call without a dtype returns; None for JAX's default.

    Raises:
        TypeError: An argument is of the wrong kind.
        ValueError: An argument has an illegal value. A call also raises it for a value that the dtype cannot hold.
    """
    return Constant(known(value))


zeros = Initializer("zeros", Zeros())
ones = Initializer("ones", Ones())
