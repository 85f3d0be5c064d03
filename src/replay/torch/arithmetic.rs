//! The arithmetic of torch's kernels, in the two types that they compute in.

#![allow(clippy::disallowed_methods, reason = "where GCC fuses a product and a sum, so does this")]

use super::Capability;
use crate::element::Value;
use crate::replay::exact::{cephes, libm};
use crate::replay::mt19937::Mt19937;
use std::f64::consts::PI;
use std::ops::{Add, Div, Mul, Sub};

/// Values that a kernel holds at once: a multiple of the 16 that torch transforms together.
pub(super) const BATCH: usize = 1024;

/// Uniform values that torch turns into as many normal ones.
pub(super) const GROUP: usize = 16;

/// A type that torch's kernels compute in.
pub(super) trait Arithmetic:
    Value + PartialOrd + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Words of the generator that one uniform value takes.
    const WORDS: u64;

    /// Uniform values in [0, 1); at most [`BATCH`].
    fn uniform(generator: &mut Mt19937, values: &mut [Self]);

    /// Standard normal values from uniform ones: of each pair the cosine's into `first`, the sine's into `second`.
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

    /// ln x of an x in [0, 1).
    fn log(x: Self) -> Self;
}

impl Arithmetic for f32 {
    const WORDS: u64 = 1;

    #[inline(always)]
    fn uniform(generator: &mut Mt19937, values: &mut [Self]) {
        let mut words = [0; BATCH];
        let words = &mut words[..values.len()];
        generator.fill(words);
        for (value, word) in values.iter_mut().zip(words) {
            *value = (*word & 0x00ff_ffff) as i32 as Self * (1.0 / (1 << 24) as Self);
        }
    }

    #[inline(always)]
    fn box_muller(capability: Capability, first: &mut [Self], second: &mut [Self]) {
        const TWO_PI: f32 = f32::from_bits(0x40c9_0fdb);
        match capability {
            Capability::Avx2 => {
                for (a, b) in first.iter_mut().zip(second) {
                    let radius = (-2.0 * cephes::log(1.0 - *a)).sqrt();
                    let (sin, cos) = cephes::sin_cos(TWO_PI * *b);
                    (*a, *b) = (radius * cos, radius * sin);
                }
            }
            Capability::Default => {
                for (a, b) in first.iter_mut().zip(second) {
                    let radius = (-2.0 * (1.0 - *a).ln()).sqrt();
                    let (sin, cos) = ((2.0 * PI * f64::from(*b)) as f32).sin_cos();
                    (*a, *b) = (radius * cos, radius * sin);
                }
            }
        }
    }

    #[inline(always)]
    fn fused(x: Self, scale: Self, loc: Self) -> Self {
        x.mul_add(scale, loc)
    }

    #[inline(always)]
    fn log(x: Self) -> Self {
        <f64 as Arithmetic>::log(f64::from(x)) as Self
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
            *value = libm::uniform_f64(*words);
        }
    }

    #[inline(always)]
    fn box_muller(_: Capability, first: &mut [Self], second: &mut [Self]) {
        for (a, b) in first.iter_mut().zip(second) {
            let radius = (-2.0 * libm::log(1.0 - *a)).sqrt();
            let (sin, cos) = libm::sin_cos(2.0 * PI * *b);
            (*a, *b) = (radius * cos, radius * sin);
        }
    }

    #[inline(always)]
    fn fused(x: Self, scale: Self, loc: Self) -> Self {
        x.mul_add(scale, loc)
    }

    #[inline(always)]
    fn log(x: Self) -> Self {
        if x == 0.0 { Self::NEG_INFINITY } else { -libm::portable_minus_log(x) }
    }
}
