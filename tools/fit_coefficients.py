"""Fits every polynomial and rational function that the library evaluates, and reports how good each is.

Each function g(x) is fitted as P(x)/Q(x) so that the largest weighted error W(x)|P/Q - g| is least: a linear least
squares problem solved again and again, each time divided by the last denominator (Sanathanan and Koerner 1963) and
reweighted by the last error (Lawson 1961), in mpmath at 50 digits. Coefficients are then rounded to their type one at
a time, the first (which count most) first, and the others fitted again, so that rounding is part of the fit.

    python tools/fit_coefficients.py

writes `src/math/coefficients.rs`, `python/varscale/_devices/coefficients.py`, which the oracle reads too, and the error
report `tools/fit_report.txt`. It takes a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpmath import mp, mpf

mp.dps = 50
ROOT = Path(__file__).parents[1]
SQRT2, ERF_SQRT2 = mp.sqrt(2), mp.erf(mp.sqrt(2))
SLOPE = SQRT2 * ERF_SQRT2 * mp.sqrt(mp.pi) / 2  # of the truncated normal's x(u) at 0
Function = Callable[[mpf], mpf]


@dataclass
class Fit:
    """One function to fit: what is evaluated, on which interval, to which degrees and type."""

    name: str
    text: str
    function: Function
    weight: Function
    interval: tuple[mpf, mpf]
    degree_p: int
    degree_q: int
    single: bool = False
    pinned: tuple[mpf, ...] = ()  # the first coefficients of P that are known

    def round(self, x: mpf) -> mpf:
        """The nearest number of the coefficients' type."""
        return mpf(float(np.float32(float(x)))) if self.single else mpf(float(x))


def relative(function: Function) -> Function:
    """The weight that makes errors relative."""
    return lambda x: 1 / abs(function(x))


def chebyshev(low: mpf, high: mpf, count: int) -> list[mpf]:
    """Points that are dense at both ends of the interval."""
    return [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def evaluate(coefficients: list[mpf], x: mpf) -> mpf:
    """Horner's rule, lowest coefficient first."""
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def solve(rows: list[list[mpf]], right: list[mpf]) -> list[mpf]:
    """Least squares through the normal equations, for which 50 digits are plenty."""
    n = len(rows[0])
    matrix, vector = mp.zeros(n), mp.zeros(n, 1)
    for i in range(n):
        vector[i] = mp.fdot((row[i], r) for row, r in zip(rows, right, strict=True))
        for j in range(i + 1):
            matrix[i, j] = matrix[j, i] = mp.fdot((row[i], row[j]) for row in rows)
    return list(mp.lu_solve(matrix, vector))


def minimax(fit: Fit, known: dict[int, mpf], steps: int) -> tuple[list[mpf], list[mpf]]:
    """P and Q of least largest error, given some coefficients (numbered P first, then Q)."""
    count_p = fit.degree_p + 1
    total = count_p + fit.degree_q + 1
    free = [k for k in range(total) if k not in known]
    xs = chebyshev(*fit.interval, 10 * total)
    gs, ws = [fit.function(x) for x in xs], [fit.weight(x) for x in xs]
    denominators, lawson = [mpf(1)] * len(xs), [mpf(1)] * len(xs)
    best: tuple[mpf, list[mpf], list[mpf]] | None = None
    for _ in range(steps):
        rows, right = [], []
        for x, g, w, d, weight in zip(xs, gs, ws, denominators, lawson, strict=True):
            factor = w / d * mp.sqrt(weight)
            columns = [factor * x**k for k in range(count_p)]
            columns += [-factor * g * x**k for k in range(fit.degree_q + 1)]
            rows.append([columns[k] for k in free])
            right.append(-mp.fsum(value * columns[k] for k, value in known.items()))
        values = dict(known) | dict(zip(free, solve(rows, right) if free else [], strict=True))
        p, q = [values[k] for k in range(count_p)], [values[k] for k in range(count_p, total)]
        denominators = [evaluate(q, x) for x in xs]
        errors = [w * abs(evaluate(p, x) / d - g) for x, g, w, d in zip(xs, gs, ws, denominators, strict=True)]
        worst = max(errors)
        if best is None or worst < best[0]:
            best = worst, p, q
        if not free or worst == 0:
            break
        lawson = [max(weight * error / worst, mpf(10) ** -12) for weight, error in zip(lawson, errors, strict=True)]
        scale = max(lawson)
        lawson = [weight / scale for weight in lawson]
    assert best is not None
    return best[1], best[2]


def largest_error(fit: Fit, p: list[mpf], q: list[mpf]) -> mpf:
    """The largest weighted error on a fine grid."""
    xs = chebyshev(*fit.interval, 1500)
    return max(fit.weight(x) * abs(evaluate(p, x) / evaluate(q, x) - fit.function(x)) for x in xs)


def run(fit: Fit) -> tuple[list[mpf], list[mpf], str]:
    """Fits, rounds and refits; returns P, Q and a line of the report."""
    count_p = fit.degree_p + 1
    known = {count_p: mpf(1)} | {k: mpf(value) for k, value in enumerate(fit.pinned)}
    p, q = minimax(fit, known, 40)
    ideal = largest_error(fit, p, q)
    order = [k for pair in zip(range(count_p), range(count_p, 99), strict=False) for k in pair]
    for k in order:
        if k < count_p + fit.degree_q + 1 and k not in known:
            known[k] = fit.round((p + q)[k])
            p, q = minimax(fit, known, 12)
    p, q = [fit.round(x) for x in p], [fit.round(x) for x in q]
    error = largest_error(fit, p, q)
    signs = "all positive" if min(p + q) > 0 else "mixed signs"
    line = (
        f"degree {fit.degree_p}/{fit.degree_q}, error {float(error):.2e} ({float(ideal):.2e} before rounding), {signs}"
    )
    return p, q, line


def quantile_ratio(s: mpf) -> mpf:
    """R(s) = sqrt(2) erfinv(u erf(sqrt 2)) / u as a function of s = 1 - u^2: the truncated normal's x / u."""
    u = mp.sqrt(1 - s)
    return SQRT2 * mp.erfinv(u * ERF_SQRT2) / u if u > mpf(10) ** -20 else SLOPE


def truncated(s: mpf) -> mpf:
    """(R(s) - R(1)) / (1 - s)."""
    return (quantile_ratio(s) - SLOPE) / (1 - s)


def truncated_weight(s: mpf) -> mpf:
    """What an error of `truncated` does to R, relative."""
    return (1 - s) / quantile_ratio(s)


def log_rest(f: mpf) -> mpf:
    """(ln(1 + f) - f + f^2/2) / f^3."""
    return (mp.log1p(f) - f + f * f / 2) / f**3 if abs(f) > mpf(10) ** -12 else mpf(1) / 3 - f / 4


def atanh_rest(z: mpf) -> mpf:
    """(2 atanh(s)/s - 2) / z with z = s^2."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z if z > mpf(10) ** -12 else mpf(2) / 3 + 2 * z / 5


def sin_octant(y: mpf) -> mpf:
    """sin(pi v / 4) / v with y = v^2."""
    v = mp.sqrt(y)
    return mp.sin(mp.pi * v / 4) / v if v > mpf(10) ** -20 else mp.pi / 4


def cos_octant(y: mpf) -> mpf:
    """cos(pi v / 4) with y = v^2."""
    return mp.cos(mp.pi * mp.sqrt(y) / 4)


def quantile(z_of_mass: mpf, log_mass: mpf) -> mpf:
    """Newton's method for the z with ln Q(z) = log_mass, from a first guess."""
    z = z_of_mass
    for _ in range(12):
        tail = mp.erfc(z / SQRT2) / 2
        z += (mp.log(tail) - log_mass) * tail * mp.sqrt(2 * mp.pi) * mp.exp(z * z / 2)
    return z


def centre(r: mpf) -> mpf:
    """Inverse normal near the middle: z/q with r = 0.180625 - q^2, q = 1/2 - mass."""
    q = mp.sqrt(mpf(0.180625) - r)
    return SQRT2 * mp.erfinv(2 * q) / q if q > mpf(10) ** -15 else mp.sqrt(2 * mp.pi)


def tail(origin: float) -> Function:
    """Inverse normal in the tail: z of w - origin with w = sqrt(-ln mass)."""
    cache: dict[mpf, mpf] = {}

    def z(x: mpf) -> mpf:
        if x not in cache:
            w = x + mpf(origin)
            cache[x] = quantile(mp.sqrt(2 * w * w - mp.log(4 * mp.pi * w * w + 1)), -w * w)
        return cache[x]

    return z


def fits() -> list[Fit]:
    """Every table of the library."""
    low, high = mp.sqrt(mpf(1) / 2) - 1, SQRT2 - 1
    z_high = ((SQRT2 - 1) / (SQRT2 + 1)) ** 2
    one, octant = mpf(1), (mpf(10) ** -30, mpf(1))
    log_weight = lambda f: abs(f**3 / mp.log1p(f)) if f else mpf(0)  # noqa: E731
    law = "(R(s) - R(1)) / (1 - s), R = sqrt(2) erfinv(u erf(sqrt 2)) / u, s = 1 - u^2"
    slope32, unit = mpf(float(np.float32(float(SLOPE)))), (mpf(0), 1 - mpf(10) ** -15)
    inner, near, far = mpf(0.180625) - mpf(0.425) ** 2 - mpf(10) ** -4, tail(1.6), tail(5.0)
    return [
        Fit("TRUNCATED_F32", law, truncated, truncated_weight, unit, 3, 4, True, (2 - slope32,)),
        Fit("TRUNCATED_F64", law, truncated, truncated_weight, unit, 9, 10, False, (2 - mpf(float(SLOPE)),)),
        Fit("LOG_F32", "(ln(1 + f) - f + f^2/2) / f^3 of f", log_rest, log_weight, (low, high), 7, 0, True),
        Fit("LOG_F64", "(2 atanh(s)/s - 2) / z of z = s^2", atanh_rest, lambda z: z / 2, (mpf(0), z_high), 6, 0),
        Fit("SIN_F32", "sin(pi v/4) / v of v^2", sin_octant, relative(sin_octant), octant, 3, 0, True),
        Fit("COS_F32", "cos(pi v/4) of v^2", cos_octant, relative(cos_octant), octant, 4, 0, True, (one,)),
        Fit("SIN_F64", "sin(pi v/4) / v of v^2", sin_octant, relative(sin_octant), octant, 7, 0),
        Fit("COS_F64", "cos(pi v/4) of v^2", cos_octant, relative(cos_octant), octant, 8, 0, False, (one,)),
        Fit(
            "TAIL_CENTRE",
            "z/q of 0.180625 - q^2, q = 1/2 - mass",
            centre,
            relative(centre),
            (inner, mpf(0.180625)),
            7,
            7,
        ),
        Fit("TAIL_NEAR", "z of sqrt(-ln mass) - 1.6", near, relative(near), (mpf(0), mpf(3.4)), 7, 7),
        Fit("TAIL_FAR", "z of sqrt(-ln mass) - 5", far, relative(far), (mpf(0), mpf(22.3)), 7, 7),
    ]


def literal(x: mpf, single: bool) -> str:
    """The shortest decimal that is this number in its type."""
    return repr(float(str(np.float32(float(x))))) if single else repr(float(x))


def main() -> None:
    """Fits all, then writes both tables and the report."""
    origin = "Generated by tools/fit_coefficients.py; do not edit."
    rust = [
        "//! Generated by `tools/fit_coefficients.py`; do not edit.",
        "",
        "#![allow(clippy::unreadable_literal, clippy::excessive_precision, clippy::approx_constant,",
    ]
    rust[-1] += ' reason = "generated: the shortest decimals that round-trip")]'
    python = [f'"""{origin}"""', ""]
    report = []
    for fit in fits():
        p, q, line = run(fit)
        report.append(f"{fit.name:<14} {fit.text:<60} {line}")
        print(report[-1], flush=True)
        kind = "f32" if fit.single else "f64"
        tables = [(f"{fit.name}_P", p), (f"{fit.name}_Q", q)] if fit.degree_q else [(fit.name, p)]
        for name, table in tables:
            numbers = [literal(x, fit.single) for x in table]
            rust += ["", f"/// {fit.text}:", f"/// {line}.", f"pub(crate) const {name}: [{kind}; {len(table)}] ="]
            rust += ["    ["] + [f"        {number}," for number in numbers] + ["    ];"]
            python += [f"# {fit.text}:", f"# {line}", f"{name} = (", *(f"    {number}," for number in numbers), ")"]
    (ROOT / "src" / "math" / "coefficients.rs").write_text("\n".join(rust) + "\n")
    (ROOT / "python" / "varscale" / "_devices" / "coefficients.py").write_text("\n".join(python) + "\n")
    (ROOT / "tools" / "fit_report.txt").write_text("\n".join(report) + "\n")


if __name__ == "__main__":
    main()
