//! Elements of 8 bits.

use super::Element;
use bytemuck::{Pod, Zeroable};

/// Float8 with M bits of mantissa that are stored, as its bits: of e4m3fn (3) or of e5m2 (2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct F8<const M: u32>(pub u8);

/// One sign, 4 bits of exponent, 3 of mantissa. It has no infinities, and one NaN of either sign.
pub type F8E4M3 = F8<3>;
/// The upper half of IEEE binary16.
pub type F8E5M2 = F8<2>;

impl<const M: u32> F8<M> {
    const DROPPED: u32 = 23 - M;
    /// What the exponent is less than that of binary32: 127 - 7, or 127 - 15.
    const REBIAS: u32 = 128 - (1 << (6 - M));
    /// What is too large becomes this: NaN, or infinity.
    const TOP: u32 = if M == 3 { 0x7f } else { 0x7c };
}

impl<const M: u32> Element for F8<M> {
    type Value = f32;
    const MANTISSA: u32 = M;

    /// As in `F16`, both paths are computed and one is kept.
    #[inline(always)]
    fn round(value: f32) -> Self {
        const SIGN: u32 = 0x8000_0000;
        let bits = value.to_bits();
        let magnitude = bits & !SIGN;
        let odd = (magnitude >> Self::DROPPED) & 1;
        let half = (1 << (Self::DROPPED - 1)) - 1;
        let normal = magnitude.wrapping_sub(Self::REBIAS << 23).wrapping_add(half + odd) >> Self::DROPPED;
        // NaN becomes infinity in e5m2: no law gives one.
        let normal = if normal > Self::TOP { Self::TOP } else { normal };
        // A number whose last place is the spacing of the subnormals.
        let adder = f32::from_bits((Self::REBIAS + 1 + Self::DROPPED) << 23);
        let subnormal = (f32::from_bits(magnitude) + adder).to_bits().wrapping_sub(adder.to_bits());
        let rounded = if magnitude < (Self::REBIAS + 1) << 23 { subnormal } else { normal };
        Self((rounded | ((bits & SIGN) >> 24)) as u8)
    }

    #[inline(always)]
    fn widen(self) -> f32 {
        let magnitude = u32::from(self.0 & 0x7f) << Self::DROPPED;
        let finite = f32::from_bits(magnitude) * f32::from_bits((127 + Self::REBIAS) << 23);
        let special = f32::from_bits(magnitude | 0x7f80_0000);
        let widened = if magnitude < Self::TOP << Self::DROPPED { finite } else { special };
        f32::from_bits(widened.to_bits() | (u32::from(self.0 & 0x80) << 24))
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;

    /// The number that bits stand for, by the definition of the format; `None` for infinities and NaN.
    fn number<const M: u32>(bits: u8) -> Option<f64> {
        let (exponent, fraction) = (i32::from((bits & 0x7f) >> M), f64::from(bits & ((1 << M) - 1)));
        let (places, bias) = (f64::from(1 << M), (1 << (6 - M)) - 1);
        let magnitude = match exponent {
            _ if u32::from(bits & 0x7f) >= F8::<M>::TOP => return None,
            0 => fraction / places * 2.0_f64.powi(1 - bias),
            _ => (1.0 + fraction / places) * 2.0_f64.powi(exponent - bias),
        };
        Some(if bits < 0x80 { magnitude } else { -magnitude })
    }

    /// Asserts that each number and each midpoint, and the numbers beside both, round to nearest even.
    fn rounds<const M: u32>(first_lost: f32) {
        let top = F8::<M>::TOP as u8;
        let exact: Vec<f64> = (0..top).map(|bits| number::<M>(bits).unwrap()).collect();
        for (bits, pair) in (0_u8..).zip(exact.windows(2)) {
            let [low, high] = [pair[0] as f32, pair[1] as f32];
            let middle = f32::midpoint(low, high);
            let even = bits + (bits & 1);
            let cases = [(low, bits), (low.next_up(), bits), (middle.next_down(), bits), (middle, even)];
            for (x, bits) in cases.into_iter().chain([(middle.next_up(), bits + 1), (high.next_down(), bits + 1)]) {
                assert_eq!(F8::<M>::round(x).0, bits, "{x:e}");
                assert_eq!(F8::<M>::round(-x).0, bits | 0x80, "{x:e}");
            }
        }
        assert_eq!(F8::<M>::round(first_lost.next_down()).0, top - 1);
        for x in [first_lost, 2.0 * first_lost, 1e30, f32::MAX, f32::INFINITY] {
            assert_eq!([F8::<M>::round(x).0, F8::<M>::round(-x).0], [top, top | 0x80], "{x:e}");
        }
    }

    /// A value that is not the nearest, a tie that does not go to even, or one that overflows to a number.
    #[test]
    fn float8_rounds_to_nearest_even() {
        rounds::<3>(464.0_f32.next_up()); // a tie, whose even neighbour is 448
        rounds::<2>(61440.0); // a tie, whose even neighbour is infinity
    }

    /// An 8-bit number that widens to another one.
    #[test]
    fn widening_is_exact() {
        for bits in 0..=u8::MAX {
            let pairs = [(F8::<3>(bits).widen(), number::<3>(bits)), (F8::<2>(bits).widen(), number::<2>(bits))];
            for (wide, own) in pairs {
                let same = own.map(|own| f64::from(wide) == own && wide.is_sign_negative() == (bits > 0x7f));
                assert!(same.unwrap_or(!wide.is_finite()), "{bits:x}");
            }
        }
        assert!([F8::<3>(0x7f).widen(), F8::<2>(0x7d).widen()].iter().all(|x| x.is_nan()));
        assert_eq!(F8::<2>(0xfc).widen(), f32::NEG_INFINITY);
    }
}
