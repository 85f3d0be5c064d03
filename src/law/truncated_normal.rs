//! The standard normal law truncated to [−2, 2], the default of every variance-scaling initializer.
//!
//! x = √2 · erfinv(u · erf √2) = u · R(s), a smooth odd function of the symmetric uniform u, with s = 1 − u² and
//! R falling from 2 at the bounds to 1.196… in the middle. Evaluated as u · (R(1) + u² · P(s)/Q(s)): in s all
//! coefficients are positive, so nothing cancels, and the quotient's rounding errors count for little in the sum.

use super::uniform::{symmetric_f32, symmetric_f64};
use crate::math::coefficients::{TRUNCATED_F32_P, TRUNCATED_F32_Q, TRUNCATED_F64_P, TRUNCATED_F64_Q};
use crate::math::{polynomial_f32, polynomial_f64};

/// R(1) = erf(√2) · √(π/2).
const SLOPE: f64 = 1.196_288_013_322_608_1;

#[inline(always)]
pub(super) fn standard_f32(word: u32) -> f32 {
    let u = symmetric_f32(word);
    // What follows is even in u, so that the law is odd to the last bit.
    let square = u * u;
    let s = 1.0 - square;
    // The product before the division: another order would be another stream.
    let quotient = square * polynomial_f32(&TRUNCATED_F32_P, s) / polynomial_f32(&TRUNCATED_F32_Q, s);
    u * (SLOPE as f32 + quotient)
}

#[inline(always)]
pub(super) fn standard_f64(word: u64) -> f64 {
    let u = symmetric_f64(word);
    let square = u * u;
    let s = 1.0 - square;
    let quotient = square * polynomial_f64(&TRUNCATED_F64_P, s) / polynomial_f64(&TRUNCATED_F64_Q, s);
    u * (SLOPE + quotient)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value outside the bounds or not odd in u, or a step down: every float32 of the law is looked at.
    #[test]
    fn all_of_float32_is_inside_odd_and_rising_to_four_places() {
        let mut before = -2.0_f32;
        for k in 0..1_u32 << 24 {
            let word = (k << 8) ^ (1 << 31);
            let x = standard_f32(word);
            assert!(x.abs() < 2.0, "{word:#x} gives {x}");
            assert_eq!(standard_f32(!word).to_bits(), (-x).to_bits());
            assert!(x > before - 4.0 * before.abs() * f32::EPSILON, "{word:#x}: {x} after {before}");
            before = x;
        }
    }

    /// A float64 outside the bounds at the ends, where rounding is largest.
    #[test]
    fn float64_ends_are_inside() {
        for back in 0..1 << 16 {
            let x = standard_f64((1 << 63) + (back << 10));
            assert!(x > -2.0 && x < -1.99, "{x}");
        }
    }
}
