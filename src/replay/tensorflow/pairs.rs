//! The Box-Muller transform as TensorFlow computes it, in the two types that it computes in.

use crate::fill::batch::BUFFER;
use crate::machine::level::{Kernel, Level};
use crate::replay::exact::{arm, libm};
use crate::value::Value;
use std::f64::consts::TAU;

/// The least first uniform of a pair, whose logarithm is taken.
const LEAST: f32 = 1e-7;

/// Values that TensorFlow draws from words.
pub trait Pairs: Value {
    /// Uniforms in [0, 1) of so many bits.
    fn uniforms(words: &[[u64; 2]], mantissa: u32, values: &mut [Self]);

    /// Standard normal values: of each pair of uniforms the sine's before the cosine's.
    fn normals(words: &[[u64; 2]], values: &mut [Self]);

    /// Whether the truncated law keeps it: |x| < 2, that is, the exponent's highest bit is not set.
    fn is_inside(self) -> bool;
}

impl Pairs for f32 {
    #[inline(always)]
    fn uniforms(words: &[[u64; 2]], mantissa: u32, values: &mut [Self]) {
        // A pair of words in 64 bits is, in little-endian memory, the two in order.
        let words: &[u32] = bytemuck::cast_slice(words);
        for (value, word) in values.iter_mut().zip(words) {
            // The word's lowest bits, as the mantissa of a number in [1, 2).
            *value = Self::from_bits(0x3f80_0000 | (word << (32 - mantissa)) >> 9) - 1.0;
        }
    }

    #[inline(always)]
    fn normals(words: &[[u64; 2]], values: &mut [Self]) {
        let pairs = words.as_flattened();
        // As large as the largest batch: a block has two pairs.
        let (mut inverses, mut logarithms) = ([0.0; 2 * BUFFER], [0.0; 2 * BUFFER]);
        // The table is read in a loop of its own, so that the one below vectorises.
        for ((&pair, inverse), logarithm) in pairs.iter().zip(&mut inverses).zip(&mut logarithms) {
            (*inverse, *logarithm) = arm::sixteenth(first_uniform(pair));
        }
        let sixteenths = inverses.iter().zip(&logarithms);
        for ((values, &pair), (&inverse, &logarithm)) in
            values.as_chunks_mut::<2>().0.iter_mut().zip(pairs).zip(sixteenths)
        {
            let radius = (-2.0 * arm::logf(first_uniform(pair), (inverse, logarithm))).sqrt();
            // 2π is a double in TensorFlow: the product is rounded once, from float64.
            let (sine, cosine) = arm::sincosf(f64::from((TAU * uniform23(pair >> 32)) as Self));
            // The sine comes first, unlike in torch and in most books.
            *values = [sine * radius, cosine * radius];
        }
    }

    #[inline(always)]
    fn is_inside(self) -> bool {
        self.to_bits() & 1 << 30 == 0
    }
}

impl Pairs for f64 {
    #[inline(always)]
    fn uniforms(words: &[[u64; 2]], _: u32, values: &mut [Self]) {
        for (value, &pair) in values.iter_mut().zip(words.as_flattened()) {
            *value = uniform(pair);
        }
    }

    #[inline(always)]
    fn normals(words: &[[u64; 2]], values: &mut [Self]) {
        for (values, &[first, second]) in values.as_chunks_mut::<2>().0.iter_mut().zip(words) {
            // The least uniform is float32's here too: float64 tails end at 5.7 standard deviations.
            let radius = (-2.0 * libm::ln(uniform(first).max(1e-7))).sqrt();
            let (sine, cosine) = libm::sin_cos(TAU * uniform(second));
            *values = [sine * radius, cosine * radius];
        }
    }

    #[inline(always)]
    fn is_inside(self) -> bool {
        self.to_bits() & 1 << 62 == 0
    }
}

/// The float32 uniform of a word, which is exact in float64, whose lanes hold the words already.
#[inline(always)]
fn uniform23(word: u64) -> f64 {
    f64::from_bits(1023 << 52 | (word & 0x7f_ffff) << 29) - 1.0
}

/// The uniform whose logarithm a pair's radius is made of.
#[inline(always)]
fn first_uniform(pair: u64) -> f64 {
    // Of the low word; a comparison, because the loop over this has to vectorise.
    let u = uniform23(pair);
    if u < f64::from(LEAST) { f64::from(LEAST) } else { u }
}

/// The float64 uniform of two words: 20 bits of the first one above all of the second.
#[inline(always)]
fn uniform(pair: u64) -> f64 {
    // The first word is the low half of a pair, and becomes the high half of the mantissa.
    f64::from_bits(1023 << 52 | (pair & 0xf_ffff) << 32 | pair >> 32) - 1.0
}

/// Uniforms for elements with a mantissa of so many bits.
pub(super) struct Uniforms<'a, V> {
    pub(super) mantissa: u32,
    pub(super) words: &'a [[u64; 2]],
    pub(super) values: &'a mut [V],
}

impl<V: Pairs> Kernel for Uniforms<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        V::uniforms(self.words, self.mantissa, self.values);
    }
}

/// Standard normal values.
pub(super) struct Normals<'a, V> {
    pub(super) words: &'a [[u64; 2]],
    pub(super) values: &'a mut [V],
}

impl<V: Pairs> Kernel for Normals<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        V::normals(self.words, self.values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An infinite value, where the first word of a pair is 0: the least uniform is 1e-7, so 5.68 is the largest.
    #[test]
    fn the_largest_value_is_finite() {
        let (mut single, mut double) = ([0.0_f32; 4], [0.0_f64; 2]);
        f32::normals(&[[0, 0]], &mut single);
        f64::normals(&[[0, 0]], &mut double);
        for largest in [f64::from(single[1]), f64::from(single[3]), double[1]] {
            assert!((largest - 5.677_7).abs() < 1e-4, "{largest}");
        }
    }
}
