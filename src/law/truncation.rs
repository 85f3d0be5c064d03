//! The standard normal law truncated to any bounds, finite or infinite.
//!
//! With U = (1 + u)/2 the wanted x has lower-tail mass p = Φ(a)(1 − U) + Φ(b)U and upper-tail mass
//! q = Φ(−a)(1 − U) + Φ(−b)U. Both are convex combinations, so both keep their relative precision however far out
//! the bounds lie, and the smaller of the two is inverted.

use super::tail_mass::{density, lower_mass};
use crate::math::tail::{GROUP, MANY, inverse_upper_tail, invert_signed_masses};

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
        let (left, right) = (0.5 * (1.0 - u), 0.5 * (1.0 + u));
        let p = self.below[0] * left + self.below[1] * right;
        let q = self.above[0] * left + self.above[1] * right;
        // The smaller mass is at most ½, as the inverse wants it.
        let x = if p < q { -inverse_upper_tail(p) } else { inverse_upper_tail(q) };
        // Roundings may lead past a bound by a last place.
        let x = if x < self.lower { self.lower } else { x };
        if x > self.upper { self.upper } else { x }
    }

    #[inline(always)]
    pub(super) fn inverse_each<W: Copy, V>(&self, words: &[W], values: &mut [V], uniform: impl Fn(W) -> f64, round: impl Fn(f64) -> V) {
        for (words, values) in words.chunks(MANY).zip(values.chunks_mut(MANY)) {
            let mut x = Lines([0.25; MANY]);
            let x = &mut x.0;
            for (x, &word) in x.iter_mut().zip(words) {
                let u = uniform(word);
                let (left, right) = (0.5 * (1.0 - u), 0.5 * (1.0 + u));
                let p = self.below[0] * left + self.below[1] * right;
                let q = self.above[0] * left + self.above[1] * right;
                let sign = (p - q).to_bits() & (1 << 63);
                *x = f64::from_bits((if p < q { p } else { q }).to_bits() | sign);
            }
            invert_signed_masses(x, words.len().next_multiple_of(GROUP));
            for (value, &x) in values.iter_mut().zip(&*x) {
                let x = if x < self.lower { self.lower } else { x };
                *value = round(if x > self.upper { self.upper } else { x });
            }
        }
    }

    /// Mean and standard deviation of the truncated law, within 1e-12 relative.
    ///
    /// By quadrature, which has no cancellation: the closed forms subtract nearly equal terms in narrow or far
    /// intervals. Five-point Gauss–Legendre on panels of the part where the density is not negligible.
    #[must_use]
    pub fn moments(&self) -> (f64, f64) {
        const PANELS: usize = 128;
        // Densities are taken over that at the mode, which keeps them from underflowing however far out it lies.
        let mode = self.lower.max(0.0).min(self.upper);
        // Beyond this reach the density is below e^-75 of that at the mode.
        // The root of r² + 2 · mode · r = 150, in the form that does not cancel.
        let reach = 150.0 / (mode.abs() + (mode * mode + 150.0).sqrt());
        let (low, high) = (self.lower.max(mode - reach), self.upper.min(mode + reach));
        let half = 0.5 * (high - low) / PANELS as f64;
        let nodes = gauss_legendre_5();
        let points = || {
            (0..PANELS).flat_map(move |panel| {
                nodes.map(|(node, weight)| {
                    let offset = half * (2.0 * panel as f64 + 1.0 + node);
                    let x = low + offset;
                    (x, weight * density(mode, x))
                })
            })
        };
        let mass: f64 = points().map(|(_, w)| w).sum();
        // Around the mode: far out, x itself would drown the differences that matter.
        let mean = mode + points().map(|(x, w)| w * (x - mode)).sum::<f64>() / mass;
        let variance = points().map(|(x, w)| w * (x - mean) * (x - mean)).sum::<f64>() / mass;
        (mean, variance.sqrt())
    }
}

/// Nodes and weights on [−1, 1].
fn gauss_legendre_5() -> [(f64, f64); 5] {
    let inner = (5.0 - 2.0 * (10.0_f64 / 7.0).sqrt()).sqrt() / 3.0;
    let outer = (5.0 + 2.0 * (10.0_f64 / 7.0).sqrt()).sqrt() / 3.0;
    let root = 13.0 * 70.0_f64.sqrt();
    let (near, far) = ((322.0 + root) / 900.0, (322.0 - root) / 900.0);
    [(-outer, far), (-inner, near), (0.0, 128.0 / 225.0), (inner, near), (outer, far)]
}

#[repr(align(64))]
struct Lines<T>(T);
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

    /// Moments that differ from the half-normal's and the narrow interval's known ones.
    #[test]
    fn moments_of_known_cases() {
        let (mean, stddev) = Truncation::new(0.0, f64::INFINITY).unwrap().moments();
        assert!((mean - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-14, "{mean}");
        assert!((stddev - (1.0 - 2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-14, "{stddev}");
        let (mean, stddev) = Truncation::new(3.0, 3.0 + 1e-6).unwrap().moments();
        assert!((mean - 3.000_000_5).abs() < 1e-12, "{mean}");
        assert!((stddev * 12.0_f64.sqrt() / 1e-6 - 1.0).abs() < 1e-6, "{stddev}");
        let (mean, stddev) = Truncation::new(-2.0, 2.0).unwrap().moments();
        assert!(mean.abs() < 1e-16 && (stddev - 0.879_625_661_034_239_8).abs() < 1e-14, "{mean} {stddev}");
    }
}
