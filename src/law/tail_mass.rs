//! Φ and its density to far more than float64's precision, so that what is rounded from them is correctly rounded.
//!
//! Used once per bound, never per value.

use crate::math::double_double::DoubleDouble;

/// 1/√(2π) and ln 2, as unevaluated sums.
const ONE_OVER_SQRT_TAU: DoubleDouble = DoubleDouble::new(0.398_942_280_401_432_7, -2.492_327_202_277_73e-17);
const LN_2: DoubleDouble = DoubleDouble::new(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);

/// Where the series of Φ − ½ gives way to the continued fraction of the tail.
const FAR: f64 = 5.0;

/// Φ(x), the standard normal mass below `x`.
pub(super) fn lower_mass(x: f64) -> DoubleDouble {
    if x > 0.0 {
        return DoubleDouble::from(1.0) - lower_mass(-x);
    }
    if x < -40.0 {
        return DoubleDouble::from(0.0); // below the least float64
    }
    let phi = exp_minus_half_product(x, x) * ONE_OVER_SQRT_TAU;
    if x < -FAR { phi * mills_ratio(-x) } else { DoubleDouble::from(0.5) - phi * central_series(-x) }
}

/// The density at `x` over that at `mode`.
pub(super) fn density(mode: f64, x: f64) -> f64 {
    exp_minus_half_product(x - mode, x + mode).into()
}

/// (Φ(x) − ½)/φ(x) = x + x³/3 + x⁵/(3·5) + …, all terms positive.
fn central_series(x: f64) -> DoubleDouble {
    let square = DoubleDouble::product(x, x);
    let mut term = DoubleDouble::from(x);
    let mut sum = term;
    let mut odd = 1.0;
    // Smaller terms are below the sum's 106 bits.
    while term.to_f64() > sum.to_f64() * 1e-33 {
        odd += 2.0;
        term = term * square / DoubleDouble::from(odd);
        sum = sum + term;
    }
    sum
}

/// Φ(−x)/φ(x) = 1/(x + 1/(x + 2/(x + 3/(x + …)))), Laplace's continued fraction from its 150th level up.
fn mills_ratio(x: f64) -> DoubleDouble {
    let mut tail = DoubleDouble::from(x);
    // From `FAR` on these levels suffice: the test compares both forms where they meet.
    for level in (1..=150).rev() {
        tail = DoubleDouble::from(x) + DoubleDouble::from(f64::from(level)) / tail;
    }
    DoubleDouble::from(1.0) / tail
}

/// exp(−ab/2).
fn exp_minus_half_product(a: f64, b: f64) -> DoubleDouble {
    const SQUARINGS: i32 = 9;
    let y = DoubleDouble::product(-0.5 * a, b);
    // The nearest integer: what is left is at most ln 2 / 2, and its 512th part below 2^-10.
    let k = (y.to_f64() / std::f64::consts::LN_2).round();
    let scale = 1.0 / f64::from(1 << SQUARINGS);
    // |r| < 2^-10: the thirteenth term is below 106 bits.
    let r = (y - LN_2 * DoubleDouble::from(k)) * DoubleDouble::from(scale);
    // e^r − 1 by Taylor's series, then (1 + d)² − 1 = d(2 + d) nine times.
    let mut d = DoubleDouble::from(0.0);
    for n in (1..=12).rev() {
        d = (DoubleDouble::from(1.0) + d) * r / DoubleDouble::from(f64::from(n));
    }
    for _ in 0..SQUARINGS {
        d = d * (DoubleDouble::from(2.0) + d);
    }
    // Two steps, since 2^k itself may underflow where the product with √2 would not.
    let half = (k as i32) / 2;
    (DoubleDouble::from(1.0) + d) * power_of_two(half) * power_of_two(k as i32 - half)
}

/// 2^k for |k| < 1023.
fn power_of_two(k: i32) -> DoubleDouble {
    DoubleDouble::from(f64::from_bits(((1023 + k) as u64) << 52))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mills' ratio and the series must meet where one gives way to the other.
    #[test]
    fn both_forms_agree_at_the_border() {
        for x in [4.5, 5.0, 5.5, 6.0] {
            let phi = exp_minus_half_product(x, x) * ONE_OVER_SQRT_TAU;
            let near = DoubleDouble::from(0.5) - phi * central_series(x);
            let far = phi * mills_ratio(x);
            assert!(((near - far) / far).to_f64().abs() < 1e-19, "{x}: {:e}", ((near - far) / far).to_f64());
        }
    }

    /// Φ at points whose values are known to 17 digits (mpmath, 40 digits).
    #[test]
    fn known_values() {
        for (x, expected) in [
            (0.0, 0.5),
            (-1.0, 0.158_655_253_931_457_05),
            (3.0, 0.998_650_101_968_369_9),
            (-8.0, 6.220_960_574_271_784e-16),
            (-36.0, 4.182_624_065_797_283e-284),
            (f64::NEG_INFINITY, 0.0),
            (f64::INFINITY, 1.0),
        ] {
            assert_eq!(lower_mass(x).to_f64().to_bits(), f64::to_bits(expected), "{x}: {:e}", lower_mass(x).to_f64());
        }
    }
}
