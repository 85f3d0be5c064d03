//! The symmetric uniform law on (−1, 1): odd multiples of half a step, never 0 and never ±1.

/// An odd multiple of 2^−24: 2^24 values, 2^−23 apart, each exact in float32.
#[inline(always)]
pub(super) fn symmetric_f32(word: u32) -> f32 {
    const STEP: f32 = 1.0 / (1 << 24) as f32;
    // The shift keeps the sign and 24 more bits. The last one set makes the number odd: never 0, and as often below as
    // above. Below 2^24 in magnitude, it converts exactly.
    ((word as i32 >> 7) | 1) as f32 * STEP
}

/// An odd multiple of 2^−53: 2^53 values, 2^−52 apart, each exact in float64.
#[inline(always)]
pub(super) fn symmetric_f64(word: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    // As above, with 53 bits behind the sign.
    ((word as i64 >> 10) | 1) as f64 * STEP
}

/// [`symmetric_f32`] times `scale`, which is at least 2^-60 in magnitude, so that its product with a step is exact.
#[inline(always)]
pub(super) fn scaled_f32(scale: f32) -> impl Fn(u32) -> f32 {
    const STEP: f32 = 1.0 / (1_u64 << 31) as f32;
    let scale = scale * STEP;
    // The same odd number seven bits further up, which takes no shift.
    move |word| (word & !0xff | 0x80) as i32 as f32 * scale
}

/// As above.
#[inline(always)]
pub(super) fn scaled_f64(scale: f64) -> impl Fn(u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 63) as f64;
    let scale = scale * STEP;
    move |word| (word & !0x7ff | 0x400) as i64 as f64 * scale
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;

    /// An end that reaches ±1, a middle that reaches 0, or an asymmetric law.
    #[test]
    fn ends_and_middle() {
        let step = 2.0_f32.powi(-24);
        assert_eq!([0, 1 << 31, (1 << 31) - 1, u32::MAX].map(symmetric_f32), [step, step - 1.0, 1.0 - step, -step]);
        let step = 2.0_f64.powi(-53);
        assert_eq!([0, 1 << 63, (1 << 63) - 1, u64::MAX].map(symmetric_f64), [step, step - 1.0, 1.0 - step, -step]);
    }

    /// Fewer than 2^24 values of equal weight, a gap, or a value that is 0: every float32 of the law is looked at.
    #[test]
    fn float32_takes_each_value_from_256_words() {
        let step = 2.0_f64.powi(-23);
        for k in 0..1_u32 << 24 {
            let first = (k << 8) ^ (1 << 31); // in ascending order of value
            let exact = -1.0 + (f64::from(k) + 0.5) * step;
            assert_eq!(f64::from(symmetric_f32(first)).to_bits(), exact.to_bits());
            assert_eq!(symmetric_f32(first + 255).to_bits(), symmetric_f32(first).to_bits());
        }
    }

    /// A word whose product with a scale is rounded otherwise than the law's value times it.
    #[test]
    fn scaled_has_the_bits_of_the_product() {
        for scale in [1.0, -0.05, 3.0e8, 2.0_f64.powi(-60), 0.1 * 2.0_f64.powi(-56)] {
            let (single, double) = (scaled_f32(scale as f32), scaled_f64(scale));
            for k in 0..1_u64 << 16 {
                // Both ends, the middle, and all else with odd low bits.
                let word = (k.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1).rotate_right(k as u32) ^ (k << 63);
                for word in [word, k, !k, k ^ (1 << 63), k ^ (1 << 31)] {
                    let expected = symmetric_f32(word as u32) * scale as f32;
                    assert_eq!(single(word as u32).to_bits(), expected.to_bits(), "{word:#x} {scale:e}");
                    assert_eq!(double(word).to_bits(), (symmetric_f64(word) * scale).to_bits(), "{word:#x} {scale:e}");
                }
            }
        }
    }
}
