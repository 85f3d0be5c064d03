//! The arithmetic of torch's kernels, in the two types that they compute in.

use super::portable;
use crate::replay::exact::{arm, cephes, libm};
use crate::replay::mt19937::Mt19937;
use crate::value::Value;
use std::f64::consts::TAU;
use std::ops::Div;

/// Values that a kernel holds at once: a multiple of [`GROUP`].
///
/// Few enough for a small stack, and to be passed over where none of them is drawn again: with four times as many,
/// truncated values take 15 % longer.
pub(super) const BATCH: usize = 256;

/// Uniform values that torch turns into as many normal ones together: the first half are radii, the others angles.
pub(super) const GROUP: usize = 16;

/// Which of torch's kernels drew the values: `ATEN_CPU_CAPABILITY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Those of machines with AVX2 or AVX-512.
    Avx2,
    /// Those of all other machines.
    Default,
}

/// A type that torch's kernels compute in.
pub trait Arithmetic: Value + Div<Output = Self> {
    /// Words of the generator that one uniform value takes.
    const WORDS: u64;

    /// Uniform values in [0, 1); at most [`BATCH`].
    fn uniform(generator: &mut Mt19937, values: &mut [Self]);

    /// Standard normal values of pairs of uniform ones: the cosine's instead of `first`, the sine's of `second`.
    fn box_muller(capability: Capability, first: &mut [Self], second: &mut [Self]);

    /// x · scale + loc, rounded once.
    fn fused(x: Self, scale: Self, loc: Self) -> Self;

    /// x · scale + loc, rounded as often as the kernels of this capability do.
    #[inline(always)]
    fn affine(capability: Capability, x: Self, scale: Self, loc: Self) -> Self {
        match capability {
            Capability::Avx2 => Self::fused(x, scale, loc),
            Capability::Default => x * scale + loc,
        }
    }

    /// ln x of an x in [0, 1), for comparisons.
    fn ln(x: Self) -> Self;
}

impl Arithmetic for f32 {
    const WORDS: u64 = 1;

    #[inline(always)]
    fn uniform(generator: &mut Mt19937, values: &mut [Self]) {
        // On the stack, as large as a batch: no caller asks for more, and nothing is allocated per batch.
        let mut words = [0; BATCH];
        let words = &mut words[..values.len()];
        generator.fill(words);
        for (value, word) in values.iter_mut().zip(words) {
            // As many of the lowest bits as the type has digits, so that neither conversion nor product rounds.
            // Through i32, which has a vector conversion at every level.
            *value = (*word & 0x00ff_ffff) as i32 as Self * (1.0 / (1 << 24) as Self);
        }
    }

    #[inline(always)]
    fn box_muller(capability: Capability, first: &mut [Self], second: &mut [Self]) {
        // Loops and not closures: those would be compiled for the baseline.
        match capability {
            Capability::Avx2 => {
                for (a, b) in first.iter_mut().zip(second) {
                    // 1 − u lies in (0, 1], where the logarithm is finite; u itself may be 0.
                    let radius = (-2.0 * cephes::ln(1.0 - *a)).sqrt();
                    // 2π is a float32 in the vector kernel; in the scalar one below it is a double, and the product is
                    // rounded.
                    let (sine, cosine) = cephes::sin_cos(TAU as Self * *b);
                    (*a, *b) = (radius * cosine, radius * sine);
                }
            }
            Capability::Default => {
                for (a, b) in first.iter_mut().zip(second) {
                    let u = f64::from(1.0 - *a);
                    let radius = (-2.0 * arm::logf(u, arm::sixteenth(u))).sqrt();
                    let (sine, cosine) = arm::sincosf(f64::from((TAU * f64::from(*b)) as Self));
                    (*a, *b) = (radius * cosine, radius * sine);
                }
            }
        }
    }

    #[allow(clippy::disallowed_methods, reason = "torch fuses it")]
    #[inline(always)]
    fn fused(x: Self, scale: Self, loc: Self) -> Self {
        x.mul_add(scale, loc)
    }

    #[inline(always)]
    fn ln(x: Self) -> Self {
        // Better than torch's own: the difference shows only where both sides of a comparison are that close.
        <f64 as Arithmetic>::ln(f64::from(x)) as Self
    }
}

impl Arithmetic for f64 {
    const WORDS: u64 = 2;

    #[inline(always)]
    fn uniform(generator: &mut Mt19937, values: &mut [Self]) {
        let mut words = [[0; 2]; BATCH];
        let words = &mut words[..values.len()];
        generator.fill(words.as_flattened_mut());
        for (value, words) in values.iter_mut().zip(words) {
            *value = uniform_f64(*words);
        }
    }

    #[inline(always)]
    fn box_muller(_: Capability, first: &mut [Self], second: &mut [Self]) {
        for (a, b) in first.iter_mut().zip(second) {
            // No vector kernel computes in float64: every capability calls the C library.
            let radius = (-2.0 * libm::ln(1.0 - *a)).sqrt();
            let (sine, cosine) = libm::sin_cos(TAU * *b);
            (*a, *b) = (radius * cosine, radius * sine);
        }
    }

    #[allow(clippy::disallowed_methods, reason = "torch fuses it")]
    #[inline(always)]
    fn fused(x: Self, scale: Self, loc: Self) -> Self {
        x.mul_add(scale, loc)
    }

    #[inline(always)]
    fn ln(x: Self) -> Self {
        // A chance of 0 is drawn too, and accepts whatever it is compared with.
        if x == 0.0 { Self::NEG_INFINITY } else { -portable::minus_ln(x) }
    }
}

/// In [0, 1), of two words: the first one is the high one.
#[inline(always)]
pub(super) fn uniform_f64([high, low]: [u32; 2]) -> f64 {
    let word = u64::from(high) << 32 | u64::from(low);
    // As many of the lowest bits as a float64 has digits: exact, as above.
    (word & ((1 << 53) - 1)) as f64 * (1.0 / (1_u64 << 53) as f64)
}
