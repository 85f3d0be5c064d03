//! The standard normal law truncated to any bounds, finite or infinite.
//!
//! With U = (1 + u)/2 the wanted x has lower-tail mass p = Φ(a)(1 − U) + Φ(b)U and upper-tail mass
//! q = Φ(−a)(1 − U) + Φ(−b)U. Both are convex combinations, so both keep their relative precision however far out
//! the bounds lie, and the smaller of the two is inverted.

mod batch;
mod moments;

use super::tail_mass::lower_mass;
use crate::math::tail::inverse_upper_tail;

/// Bounds that make no law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TruncationError {
    /// Not `lower < upper`.
    Order,
    /// Too little mass between the bounds for 64-bit words to divide.
    Mass,
}

impl std::fmt::Display for TruncationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Order => "`lower` must be less than `upper`, and neither may be NaN",
            Self::Mass => "the mass between `lower` and `upper` underflows float64",
        })
    }
}

impl std::error::Error for TruncationError {}

/// Bounds and the masses of their tails.
#[derive(Clone, Copy, Debug)]
pub struct Truncation {
    lower: f64,
    upper: f64,
    /// Φ(lower), Φ(upper).
    below: [f64; 2],
    /// Φ(−lower), Φ(−upper).
    above: [f64; 2],
}

impl Truncation {
    /// The least mass of an interval: its 2^54th part is still a normal float64.
    const LEAST_MASS: f64 = f64::MIN_POSITIVE * (1_u64 << 54) as f64;

    /// Truncates to `[lower, upper]`.
    ///
    /// # Errors
    ///
    /// [`TruncationError`] when the bounds are not `lower < upper` or hold too little mass.
    pub fn new(lower: f64, upper: f64) -> Result<Self, TruncationError> {
        // NaN, which compares to nothing, is refused with the rest.
        if lower.partial_cmp(&upper) != Some(std::cmp::Ordering::Less) {
            return Err(TruncationError::Order);
        }
        let below = [lower_mass(lower), lower_mass(upper)];
        let above = [lower_mass(-lower), lower_mass(-upper)];
        // On the side where both masses are small: those near 1 would cancel.
        let mass = if lower > 0.0 { above[0] - above[1] } else { below[1] - below[0] };
        if mass.to_f64() < Self::LEAST_MASS {
            return Err(TruncationError::Mass);
        }
        // Rounded once, from 106 bits: the masses are the law's own numbers, the same on every machine.
        Ok(Self { lower, upper, below: below.map(f64::from), above: above.map(f64::from) })
    }

    /// Φ(lower) and Φ(upper), then Φ(−lower) and Φ(−upper): all that the inverse needs beside the bounds.
    #[must_use]
    pub fn masses(&self) -> ([f64; 2], [f64; 2]) {
        (self.below, self.above)
    }

    /// The value at the symmetric uniform `u` in (−1, 1).
    #[inline]
    #[must_use]
    pub fn inverse(&self, u: f64) -> f64 {
        let (p, q) = self.tails(u);
        // The smaller mass is at most ½, as the inverse wants it.
        self.clamp(if p < q { -inverse_upper_tail(p) } else { inverse_upper_tail(q) })
    }

    /// The masses p of the lower and q of the upper tail at `u`.
    #[inline(always)]
    fn tails(&self, u: f64) -> (f64, f64) {
        let (left, right) = (0.5 * (1.0 - u), 0.5 * (1.0 + u));
        (self.below[0] * left + self.below[1] * right, self.above[0] * left + self.above[1] * right)
    }

    /// `x` kept within the bounds, which roundings may lead past by a last place.
    #[inline(always)]
    fn clamp(&self, x: f64) -> f64 {
        let x = if x < self.lower { self.lower } else { x };
        if x > self.upper { self.upper } else { x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds that are not an interval, or hold nothing that words could divide.
    #[test]
    fn refuses_what_is_no_interval() {
        for (lower, upper) in [(1.0, 1.0), (2.0, -2.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
            assert_eq!(Truncation::new(lower, upper).unwrap_err(), TruncationError::Order, "{lower} {upper}");
        }
        for (lower, upper) in [(37.0, f64::INFINITY), (-50.0, -40.0), (f64::NEG_INFINITY, -37.0)] {
            assert_eq!(Truncation::new(lower, upper).unwrap_err(), TruncationError::Mass, "{lower} {upper}");
        }
        assert!(Truncation::new(36.0, f64::INFINITY).is_ok());
    }

    /// A value outside its bounds at the extreme words.
    #[test]
    fn stays_inside() {
        let u = 1.0 - f64::EPSILON / 2.0;
        for (lower, upper) in [(-1.0, 3.0), (8.0, 9.0), (-9.0, -8.0), (-5.0, 5.0), (1.0, 1.0 + 1e-9), (36.0, 99.0)] {
            let law = Truncation::new(lower, upper).unwrap();
            for x in [law.inverse(-u), law.inverse(u), law.inverse(0.0)] {
                assert!((lower..=upper).contains(&x), "{x} for [{lower}, {upper}]");
            }
        }
    }
}
