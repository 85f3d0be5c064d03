//! Logarithm, sine, cosine and inverse normal tail in + − × ÷ √: the same bits everywhere, no branches, so that
//! loops over them vectorise. The coefficients and their errors stand in `coefficients.rs`.

pub(crate) mod coefficients;
pub(crate) mod double_double;
pub mod tail;

use coefficients::{COS_F32, COS_F64, LOG_F32, LOG_F64, SIN_F32, SIN_F64};

macro_rules! polynomial {
    ($name:ident, $type:ty) => {
        /// Horner's rule, lowest coefficient first, each step rounded twice.
        #[inline(always)]
        #[must_use]
        pub fn $name<const N: usize>(coefficients: &[$type; N], x: $type) -> $type {
            let mut sum = coefficients[N - 1];
            for i in (0..N - 1).rev() {
                // Not `mul_add`, which would round once where a machine has it and crawl where it has not.
                sum = sum * x + coefficients[i];
            }
            sum
        }
    };
}
polynomial!(polynomial_f32, f32);
polynomial!(polynomial_f64, f64);

/// 1 − y leaves [√½, √2] above this y; there 2(1 − y) is taken, and 1 − 2y is exact.
const HALVING: f64 = 1.0 - std::f64::consts::FRAC_1_SQRT_2;

/// −ln y where `below`, else −ln(1 − y), for normal `y` in (0, 1/2].
///
/// Both become −(k · ln 2 + ln(1 + f)) with 1 + f in \[√½, √2\]. Error below 2 · 2^−24 relative.
#[inline(always)]
#[must_use]
pub fn minus_ln_f32(y: f32, below: bool) -> f32 {
    const SQRT_HALF: i32 = 0x3f35_04f3;
    const LN_2_HIGH: f32 = 0.693_359_4; // 355/512: its product with k is exact
    const LN_2_LOW: f32 = -2.121_944_4e-4;

    let bits = y.to_bits() as i32;
    // Counted from √½ on, so that the mantissa lies around 1, where its logarithm is small.
    let exponent = (bits - SQRT_HALF) >> 23;
    let mantissa = f32::from_bits((bits - (exponent << 23)) as u32);
    let halved = y > HALVING as f32;
    let (k, f) = if below {
        (exponent as f32, mantissa - 1.0)
    } else if halved {
        (-1.0, 1.0 - (y + y))
    } else {
        (0.0, -y)
    };
    let square = f * f;
    let ln = f - (0.5 * square - square * f * polynomial_f32(&LOG_F32, f));
    // The small parts first: the large one is exact, and is rounded once when they meet.
    -(k * LN_2_HIGH + (k * LN_2_LOW + ln))
}

/// As [`minus_ln_f32`]; ln(1 + f) by way of s = f / (2 + f). Error below 1 · 2^−52 relative.
#[inline(always)]
#[must_use]
pub fn minus_ln_f64(y: f64, below: bool) -> f64 {
    const SQRT_HALF: i64 = 0x3fe6_a09e_667f_3bcd;
    const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000); // 33 bits: its product with k is exact
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

    let bits = y.to_bits() as i64;
    let exponent = (bits - SQRT_HALF) >> 52;
    let mantissa = f64::from_bits((bits - (exponent << 52)) as u64);
    let halved = y > HALVING;
    let (k, f) = if below {
        (exponent as i32 as f64, mantissa - 1.0)
    } else if halved {
        (-1.0, 1.0 - (y + y))
    } else {
        (0.0, -y)
    };
    // An odd series in s has half as many terms; one in f would need too many for 53 bits.
    let s = f / (2.0 + f);
    let z = s * s;
    // As in fdlibm: f is exact and stays whole to the end, and only what is small next to it is rounded.
    let half_square = 0.5 * f * f;
    let rest = z * polynomial_f64(&LOG_F64, z);
    let ln_low = k * LN_2_LOW + s * (half_square + rest);
    -(k * LN_2_HIGH - ((half_square - ln_low) - f))
}

/// sin(πv/4) and cos(πv/4) for `v` in \[0, 1\].
#[inline(always)]
#[must_use]
pub fn octant_sin_cos_f32(v: f32) -> (f32, f32) {
    let square = v * v;
    (v * polynomial_f32(&SIN_F32, square), polynomial_f32(&COS_F32, square))
}

/// sin(πv/4) and cos(πv/4) for `v` in \[0, 1\].
#[inline(always)]
#[must_use]
pub fn octant_sin_cos_f64(v: f64) -> (f64, f64) {
    let square = v * v;
    (v * polynomial_f64(&SIN_F64, square), polynomial_f64(&COS_F64, square))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;

    /// A fused multiply-add, which keeps the last digit of a square that takes two places too many.
    #[test]
    fn each_step_rounds_twice() {
        let x = 1.0 + 2.0_f32.powi(-12);
        assert_eq!(polynomial_f32(&[-1.0, x], x), 2.0_f32.powi(-11));
        let x = 1.0 + 2.0_f64.powi(-27);
        assert_eq!(polynomial_f64(&[-1.0, x], x), 2.0_f64.powi(-26));
    }
}
