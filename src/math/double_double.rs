//! Sums of two float64: about 106 bits, in + − × ÷ alone.
//!
//! Dekker, *A floating-point technique for extending the available precision*, 1971; Knuth, TAOCP 4.2.2.

use std::ops::{Add, Div, Mul, Sub};

/// An unevaluated sum `high + low` with |low| at most half a place of `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DoubleDouble {
    high: f64,
    low: f64,
}

impl DoubleDouble {
    pub(crate) const fn new(high: f64, low: f64) -> Self {
        Self { high, low }
    }

    /// The nearest float64.
    pub(crate) const fn to_f64(self) -> f64 {
        self.high
    }

    /// a · b, exactly (Veltkamp's splitting; no fused multiply-add).
    pub(crate) fn product(a: f64, b: f64) -> Self {
        // Cuts 53 bits into halves of 26, whose products are exact. It overflows from 2^996 on, which no bound reaches.
        const SPLITTER: f64 = ((1 << 27) + 1) as f64;
        let split = |x: f64| {
            let c = SPLITTER * x;
            let high = c - (c - x);
            (high, x - high)
        };
        let high = a * b;
        let ((a1, a0), (b1, b0)) = (split(a), split(b));
        // Dekker's order: each partial sum is exact, as long as the largest comes first.
        Self { high, low: ((a1 * b1 - high) + a1 * b0 + a0 * b1) + a0 * b0 }
    }

    /// a + b, exactly, for |a| ≥ |b|.
    fn ordered_sum(a: f64, b: f64) -> Self {
        let high = a + b;
        Self { high, low: b - (high - a) }
    }

    /// a + b, exactly.
    fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let part = high - a;
        // Six operations instead of a comparison of |a| and |b|.
        Self { high, low: (a - (high - part)) + (b - part) }
    }
}

impl From<f64> for DoubleDouble {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl From<DoubleDouble> for f64 {
    fn from(x: DoubleDouble) -> Self {
        x.high
    }
}

impl Add for DoubleDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let high = Self::sum(self.high, other.high);
        // The low halves are summed exactly too: where signs differ, the high ones may cancel.
        let low = Self::sum(self.low, other.low);
        let first = Self::ordered_sum(high.high, high.low + low.high);
        Self::ordered_sum(first.high, first.low + low.low)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { high: -other.high, low: -other.low }
    }
}

impl Mul for DoubleDouble {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = Self::product(self.high, other.high);
        // low · low lies below the 106th bit.
        Self::ordered_sum(product.high, product.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for DoubleDouble {
    type Output = Self;

    /// Three digits of long division.
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        let quotient = Self::ordered_sum(first, second);
        // The first two digits are about 53 bits each; the third rounds what is left of them.
        quotient + Self::from(rest.high / other.high)
    }
}
