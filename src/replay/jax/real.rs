//! The arithmetic of JAX's laws in the types that they are computed in.

use crate::replay::exact::{xla, xla_f64};
use crate::replay::threefry::Threefry;
use crate::value::Value;

/// Values that JAX draws from bits.
pub trait Real: Value {
    /// An element's random bits.
    type Bits: Copy + Default;

    /// Of the elements `numbers`, `width` bits each.
    fn bits(threefry: &Threefry, width: u32, numbers: &[u64], bits: &mut [Self::Bits]);

    /// In [0, 1): the highest `mantissa` of the lowest `width` bits.
    fn fraction(bits: Self::Bits, width: u32, mantissa: u32) -> Self;

    /// `self · factor + addend`, rounded once.
    #[must_use]
    fn fused(self, factor: Self, addend: Self) -> Self;

    /// The same so that rounding it to 16 bits is as good as rounding once.
    #[must_use]
    fn fused_to_odd(self, factor: Self, addend: Self) -> Self;

    /// The inverse error function.
    #[must_use]
    fn erfinv(self) -> Self;

    /// The same, where [`is_central`](Self::is_central) allows it.
    #[must_use]
    fn central_erfinv(self) -> Self;

    /// Whether [`central_erfinv`](Self::central_erfinv) serves everything from here to 0.
    fn is_central(self) -> bool;
}

#[allow(clippy::disallowed_methods, reason = "where XLA's compiler fuses a product and a sum, so does this")]
impl Real for f32 {
    type Bits = u32;

    #[inline(always)]
    fn bits(threefry: &Threefry, width: u32, numbers: &[u64], bits: &mut [u32]) {
        threefry.bits(width, numbers, bits);
    }

    #[inline(always)]
    fn fraction(bits: u32, width: u32, mantissa: u32) -> Self {
        // Bits of a mantissa make a number in [1, 2); taking 1 away is exact.
        let highest = u32::MAX << (23 - mantissa);
        // Up, so that bits above the element's own fall out; down, so that its highest lead the mantissa. A type with a
        // shorter mantissa has zeros below it.
        Self::from_bits(0x3f80_0000 | (bits << (32 - width)) >> 9 & highest) - 1.0
    }

    #[inline(always)]
    fn fused(self, factor: Self, addend: Self) -> Self {
        // Below AVX2 this is a call of a function that rounds once, too: slow, with the same bits.
        self.mul_add(factor, addend)
    }

    #[inline(always)]
    fn fused_to_odd(self, factor: Self, addend: Self) -> Self {
        // Exact: products of 11 bits, none of them below 2^-34.
        let exact = f64::from(self) * f64::from(factor) + f64::from(addend);
        // Cut towards 0, the last bit set where anything is lost: that bit keeps a tie from being taken for one.
        let near = exact as Self;
        let away = f64::from(near).abs() > exact.abs();
        let inexact = f64::from(near).to_bits() != exact.to_bits();
        // One less in the bits is one place towards 0, whatever the sign; a `near` too far out is not 0 itself.
        Self::from_bits((near.to_bits() - u32::from(away)) | u32::from(inexact))
    }

    #[inline(always)]
    fn erfinv(self) -> Self {
        xla::erfinv(self)
    }

    #[inline(always)]
    fn central_erfinv(self) -> Self {
        xla::central_erfinv(self)
    }

    #[inline(always)]
    fn is_central(self) -> bool {
        xla::is_central(self)
    }
}

#[allow(clippy::disallowed_methods, reason = "where XLA's compiler fuses a product and a sum, so does this")]
impl Real for f64 {
    type Bits = u64;

    #[inline(always)]
    fn bits(threefry: &Threefry, _: u32, numbers: &[u64], bits: &mut [u64]) {
        // No narrower type computes in float64: the width is always 64.
        threefry.bits_64(numbers, bits);
    }

    #[inline(always)]
    fn fraction(bits: u64, _: u32, _: u32) -> Self {
        // The highest 52 bits make a number in [1, 2); taking 1 away is exact.
        Self::from_bits(1023 << 52 | bits >> 12) - 1.0
    }

    #[inline(always)]
    fn fused(self, factor: Self, addend: Self) -> Self {
        self.mul_add(factor, addend)
    }

    #[inline(always)]
    fn fused_to_odd(self, factor: Self, addend: Self) -> Self {
        // Never called: no 16-bit type computes in float64.
        self.fused(factor, addend)
    }

    #[inline(always)]
    fn erfinv(self) -> Self {
        xla_f64::erfinv(self)
    }

    #[inline(always)]
    fn central_erfinv(self) -> Self {
        // There is no shorter form: this one branches, and so passes over the tail by itself.
        xla_f64::erfinv(self)
    }

    #[inline(always)]
    fn is_central(self) -> bool {
        // Never: there would be nothing to gain.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{Element, F16};

    /// A float16 sum that is rounded twice: bounds close together make products far below their sum.
    #[test]
    fn fused_float16_rounds_once() {
        for (factor, addend) in [(0.011_8, 0.942_7), (0.000_77, -0.53), (1.908, -0.954), (3.1e-5, 0.61)] {
            let [factor, addend] = [factor, addend].map(|x| F16::round(x).widen());
            for step in 0..1024 {
                let fraction = step as f32 / 1024.0;
                let exact = f64::from(fraction) * f64::from(factor) + f64::from(addend);
                let found = F16::round(fraction.fused_to_odd(factor, addend));
                assert_eq!(found.0, nearest(exact), "{fraction} {factor} {addend}");
            }
        }
    }

    /// The float16 nearest to a number, the even one of two. (`from_f64` of half rounds twice where the processor
    /// converts.)
    fn nearest(exact: f64) -> u16 {
        let near = half::f16::from_f64(exact).to_bits();
        let candidates = [near.wrapping_sub(1), near, near.wrapping_add(1)];
        let distance = |bits: u16| (half::f16::from_bits(bits).to_f64() - exact).abs();
        let finite = candidates.into_iter().filter(|&bits| half::f16::from_bits(bits).is_finite());
        let closer = |a: &u16, b: &u16| distance(*a).total_cmp(&distance(*b)).then((a & 1).cmp(&(b & 1)));
        finite.min_by(closer).unwrap()
    }
}
