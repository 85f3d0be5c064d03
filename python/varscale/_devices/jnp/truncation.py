"""The normal law truncated at any bounds, in float64 for all dtypes, as `src/law/truncation.rs` computes it."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from .. import coefficients as c
from .arithmetic import polynomial, product, quotient, root
from .laws import minus_ln, uniform


def truncated(word: Array, bounds: Array) -> Array:
    """Values in float64, of the bounds, the masses below them and the masses above them."""
    lower, upper, below_lower, below_upper, above_lower, above_upper = (bounds[place] for place in range(6))
    u = uniform(word, np.float64)
    left, right = np.float64(0.5) * (np.float64(1) - u), np.float64(0.5) * (np.float64(1) + u)
    # One mass of each pair may be 0. The other one's product is never so small that it would feel 2^-1021.
    p = product(left, below_lower) + product(right, below_upper)
    q = product(left, above_lower) + product(right, above_upper)
    tail = inverse_upper_tail(jnp.where(p < q, p, q))
    x = jnp.where(p < q, -tail, tail)
    x = jnp.where(x < lower, lower, x)
    return jnp.where(x > upper, upper, x)


def inverse_upper_tail(mass: Array) -> Array:
    """The z whose upper tail is `mass`: all three pieces, of which each value keeps one."""
    q = np.float64(0.5) - mass
    r = np.float64(0.180625) - product(q, q)
    w = root(minus_ln(mass, jnp.ones_like(mass, bool)))
    centre = _ratio(c.TAIL_CENTRE_P, c.TAIL_CENTRE_Q, r, lambda p: q * p)
    near = _ratio(c.TAIL_NEAR_P, c.TAIL_NEAR_Q, w - np.float64(1.6))
    far = _ratio(c.TAIL_FAR_P, c.TAIL_FAR_Q, w - np.float64(5))
    return jnp.where(q <= np.float64(0.425), centre, jnp.where(w <= np.float64(5), near, far))


def _ratio(
    p: tuple[float, ...], q: tuple[float, ...], x: Array, numerator: Callable[[Array], Array] = lambda p: p
) -> Array:
    return quotient(numerator(polynomial(p, x)), polynomial(q, x))
