//! Elements: what an array holds, and the one rounding from a value.

use crate::value::Value;
use bytemuck::{Pod, Zeroable};

pub mod float8;

/// What an array holds.
pub trait Element: Copy + Send + Sync + 'static {
    /// The type its law computes in.
    type Value: Value;
    /// Bits of its mantissa that are stored.
    const MANTISSA: u32;

    /// Rounds once, to nearest even.
    fn round(value: Self::Value) -> Self;

    /// The same number as a value.
    fn widen(self) -> Self::Value;

    /// The elements themselves, where they are of the type of their values.
    #[must_use]
    fn values(_: &mut [Self]) -> Option<&mut [Self::Value]> {
        None
    }
}

/// A type that laws compute in and that arrays hold as it is.
macro_rules! float {
    ($type:ty, $mantissa:literal) => {
        impl Element for $type {
            type Value = Self;
            const MANTISSA: u32 = $mantissa;

            #[inline(always)]
            fn round(value: Self) -> Self {
                value
            }

            #[inline(always)]
            fn widen(self) -> Self {
                self
            }

            #[inline(always)]
            fn values(elements: &mut [Self]) -> Option<&mut [Self]> {
                Some(elements)
            }
        }
    };
}
float!(f32, 23);
float!(f64, 52);

/// IEEE binary16, as its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct F16(pub u16);

impl Element for F16 {
    type Value = f32;
    const MANTISSA: u32 = 10;

    /// Branch-free: both paths below are computed and one is kept, so that the loop vectorises.
    #[inline(always)]
    fn round(value: f32) -> Self {
        const SIGN: u32 = 0x8000_0000;
        const LEAST_NORMAL: u32 = 0x3880_0000; // 2^-14
        const OVERFLOW: u32 = 0x4780_0000; // 2^16: from here on infinity; 65520 up to here rounds there by itself
        const HALF: f32 = 0.5; // its last place is 2^-24, the spacing of binary16's subnormals
        let bits = value.to_bits();
        let magnitude = bits & !SIGN;
        // Normal: rebias the exponent from 127 to 15, add half a place less one, and one more if odd.
        let normal = (magnitude.wrapping_sub(112 << 23).wrapping_add(0xfff + ((magnitude >> 13) & 1))) >> 13;
        // NaN becomes infinity with this: no law gives one.
        let normal = if magnitude >= OVERFLOW { 0x7c00 } else { normal };
        // Subnormal: let the addition's own rounding drop the places that binary16 lacks.
        // Up to 2^-14 the sum's last place is that of binary16, and a carry becomes its least normal number.
        let subnormal = (f32::from_bits(magnitude) + HALF).to_bits().wrapping_sub(HALF.to_bits());
        let rounded = if magnitude < LEAST_NORMAL { subnormal } else { normal };
        Self((rounded | ((bits & SIGN) >> 16)) as u16)
    }

    #[inline(always)]
    fn widen(self) -> f32 {
        let magnitude = u32::from(self.0 & 0x7fff) << 13;
        // As an f32 this is 2^-112 of the value, subnormals included.
        let finite = f32::from_bits(magnitude) * f32::from_bits((127 + 112) << 23);
        // Infinities and NaNs keep their mantissa below a full exponent.
        let special = f32::from_bits(magnitude | 0x7f80_0000);
        let widened = if magnitude < 0x7c00 << 13 { finite } else { special };
        f32::from_bits(widened.to_bits() | (u32::from(self.0 & 0x8000) << 16))
    }
}

/// The upper half of a binary32, as its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct BF16(pub u16);

impl Element for BF16 {
    type Value = f32;
    const MANTISSA: u32 = 7;

    #[inline(always)]
    fn round(value: f32) -> Self {
        let bits = value.to_bits();
        // Half a place less one, and one more if odd: a tie goes to even, and a carry steps the exponent on.
        Self((bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16)
    }

    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;

    /// Every 16-bit value, every midpoint between neighbours, and one step to each side of both.
    fn hazards(widen: impl Fn(u16) -> f32) -> Vec<f32> {
        let exact: Vec<f32> = (0..=u16::MAX).map(widen).filter(|x| x.is_finite()).collect();
        let midpoints = exact.windows(2).map(|pair| f32::midpoint(pair[0], pair[1]));
        let points: Vec<f32> = exact.iter().copied().chain(midpoints).collect();
        points.iter().flat_map(|x| [x.next_down(), *x, x.next_up()]).collect()
    }

    /// A 16-bit value that is not the nearest, or a tie that does not go to even.
    #[test]
    fn float16_rounds_to_nearest_even() {
        for x in hazards(|bits| half::f16::from_bits(bits).to_f32()) {
            assert_eq!(F16::round(x).0, half::f16::from_f32_const(x).to_bits(), "{x:e}");
        }
        assert_eq!(F16::round(65519.996).0, 0x7bff);
        assert_eq!(F16::round(65520.0).0, 0x7c00);
        assert_eq!([65536.0, 70000.0, 131_073.0, f32::MAX].map(|x| F16::round(-x).0), [0xfc00; 4]);
    }

    /// As above, for bfloat16.
    #[test]
    fn bfloat16_rounds_to_nearest_even() {
        for x in hazards(|bits| half::bf16::from_bits(bits).to_f32()) {
            assert_eq!(BF16::round(x).0, half::bf16::from_f32(x).to_bits(), "{x:e}");
        }
    }

    /// A 16-bit number that widens to another one.
    #[test]
    fn widening_is_exact() {
        for bits in 0..=u16::MAX {
            let (half, wide) = (half::f16::from_bits(bits), F16(bits).widen());
            assert!(wide.to_bits() == half.to_f32().to_bits() || half.is_nan() && wide.is_nan(), "{bits:x}");
            assert_eq!(BF16(bits).widen().to_bits(), u32::from(bits) << 16);
        }
    }
}
