//! Laws: distributions in standard form, as functions of a stream's words. No rejection anywhere: each value
//! takes a fixed number of words, which is what makes any element, slice, chunk and thread count agree.
//!
//! 32-bit values take one word each. 64-bit values take two, `W = w[2i] + 2^32 · w[2i + 1]`, which is how the
//! stream packs them. A new law is one file here, one variant and its arms.

mod normal;
mod tail_mass;
mod truncated_normal;
mod truncation;
mod uniform;

pub use truncation::{Truncation, TruncationError};

/// A distribution in standard form.
#[derive(Clone, Copy, Debug)]
pub enum Law {
    /// Uniform on (−1, 1).
    Uniform,
    /// The standard normal distribution.
    Normal,
    /// The standard normal distribution, truncated to \[−2, 2\].
    TruncatedNormal,
    /// The standard normal distribution, truncated to other bounds.
    Truncated(Truncation),
}

impl Law {
    /// The truncated normal law on `[lower, upper]`, in standard deviations of the normal it is cut from.
    ///
    /// # Errors
    ///
    /// [`TruncationError`] when the bounds are not `lower < upper` or hold too little mass.
    pub fn truncated_normal(lower: f64, upper: f64) -> Result<Self, TruncationError> {
        // The default bounds have a fit of their own, which needs no tails and vectorises. Its bits differ from the
        // general law's, so that this line is part of the stream.
        if (lower, upper) == (-2.0, 2.0) {
            return Ok(Self::TruncatedNormal);
        }
        Truncation::new(lower, upper).map(Self::Truncated)
    }

    /// One float32 for each of the blocks' 32-bit words, times `scale`, which is 2^-60 or more; blocks in whole groups.
    #[inline(always)]
    pub fn sample_f32(&self, blocks: &[[u64; 2]], values: &mut [f32], scale: f32) {
        // Little-endian pairs: in memory the words stand in the stream's order.
        let words: &[u32] = bytemuck::cast_slice(blocks);
        match self {
            Self::Uniform => each(words, values, uniform::scaled_f32(scale)),
            Self::Normal => normal::pairs_f32(words, values, scale),
            Self::TruncatedNormal => each(words, values, |word| truncated_normal::standard_f32(word) * scale),
            // In float64 for float32 too: masses of tails lie far below the least float32.
            Self::Truncated(law) => {
                law.each(words, values, |w| f64::from(uniform::symmetric_f32(w)), |x| x as f32 * scale);
            }
        }
    }

    /// One float64 for each of the blocks' 64-bit words, as above.
    #[inline(always)]
    pub fn sample_f64(&self, blocks: &[[u64; 2]], values: &mut [f64], scale: f64) {
        let words = blocks.as_flattened();
        match self {
            Self::Uniform => each(words, values, uniform::scaled_f64(scale)),
            Self::Normal => normal::pairs_f64(blocks, values, scale),
            Self::TruncatedNormal => each(words, values, |word| truncated_normal::standard_f64(word) * scale),
            Self::Truncated(law) => law.each(words, values, uniform::symmetric_f64, |x| x * scale),
        }
    }
}

#[inline(always)]
fn each<W: Copy, V>(words: &[W], values: &mut [V], law: impl Fn(W) -> V) {
    // The laws without a pair: one loop, into which the law is compiled.
    for (value, &word) in values.iter_mut().zip(words) {
        *value = law(word);
    }
}
