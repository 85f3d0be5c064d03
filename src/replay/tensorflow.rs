//! TensorFlow's CPU kernels (2.21): Philox, the Box-Muller transform, rejection.
//!
//! Elements come in groups of one block's values: four, or two in float64. The uniform and the normal law make a group
//! of its own block. The truncated one has 64 blocks for each element of a group and takes values from them, in order,
//! until as many as the group needs are inside; so each group can be made alone.

mod pairs;
mod truncated;
mod words;

use crate::element::Element;
use crate::fill::batch::{BUFFER, Chunk, Units};
use crate::fill::{Passes, Source};
use crate::machine::level::{Level, Simd};
use crate::region::Region;
use crate::stream::{GROUP, Identity, Philox};
use crate::value::Value;
pub use pairs::Pairs;
use pairs::{Normals, Uniforms};
use truncated::{Open, Truncated};
use words::{Stream, Words};

/// A law as TensorFlow's ops have it.
#[derive(Clone, Copy, Debug)]
pub enum TensorFlowLaw {
    /// Uniform between two limits, the lower included.
    Uniform {
        /// The lower limit.
        low: f64,
        /// The upper limit.
        high: f64,
    },
    /// Normal, never redrawn.
    Normal {
        /// Added last.
        mean: f64,
        /// Multiplied first.
        stddev: f64,
    },
    /// Normal, redrawn beyond two standard deviations.
    Truncated {
        /// Added last.
        mean: f64,
        /// Multiplied first; the standard deviation before truncation.
        stddev: f64,
    },
}

/// The values of one op.
#[derive(Clone, Copy, Debug)]
pub struct TensorFlow {
    /// The law and its parameters, not yet rounded to the dtype.
    pub law: TensorFlowLaw,
    /// The key, and the counter's high half.
    pub identity: Identity,
    /// The first block.
    pub first: u64,
}

/// Key and counter's high half of a stateless op with this pair of seeds: one block, its key fixed, its counter the
/// seeds.
#[must_use]
pub fn scramble(first: u64, second: u64) -> (u64, u64) {
    // The key is TensorFlow's own: seeds that differ in one bit get streams that have nothing in common.
    let halves = |seed: u64| [seed as u32, (seed >> 32) as u32];
    let identity = Identity { key: [0x3EC8_F720, 0x0246_1E29], counter_high: halves(second) };
    // A whole group for one block: this happens once per op.
    let [key, counter] = Philox::new(identity).group(&[first; GROUP])[0];
    (key, counter)
}

impl Passes for TensorFlow {}

impl<E: Element<Value: Pairs>> Source<E> for TensorFlow {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        // Parameters and the range between them are rounded to the dtype, which the kernel computes in.
        let round = |x| quantised::<E>(E::Value::from_f64(x));
        let (loc, scale) = match self.law {
            TensorFlowLaw::Uniform { low, high } => (round(low), quantised::<E>(round(high) - round(low))),
            TensorFlowLaw::Normal { mean, stddev } | TensorFlowLaw::Truncated { mean, stddev } => {
                (round(mean), round(stddev))
            }
        };
        let stream = Stream { philox: Philox::new(self.identity), first: self.first };
        Chunk { units: Op { law: self.law, stream, loc, scale }, region, first, out }.write(level.simd());
    }
}

/// The value rounded to the dtype, as TensorFlow's 16-bit arithmetic does after every operation.
#[inline(always)]
fn quantised<E: Element>(value: E::Value) -> E::Value {
    E::round(value).widen()
}

/// An op whose parameters are rounded.
struct Op<V> {
    law: TensorFlowLaw,
    stream: Stream,
    loc: V,
    scale: V,
}

/// Memory of a batch.
struct Scratch<V> {
    words: Words,
    open: Open<V>,
}

impl<E: Element<Value: Pairs>> Units<E> for Op<E::Value> {
    type Value = E::Value;
    type Scratch = Scratch<E::Value>;
    const PER_UNIT: usize = E::Value::PER_BLOCK;

    fn scratch(&self) -> Self::Scratch {
        Scratch { words: Words::new(), open: Open::new() }
    }

    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        // Behind these are numbers of the batch before.
        let numbers = &numbers[..values.len() / E::Value::PER_BLOCK];
        let Scratch { words, open } = scratch;
        match self.law {
            TensorFlowLaw::Truncated { .. } => {
                simd.run(Truncated { stream: &self.stream, simd, groups: numbers, words, open, values });
            }
            TensorFlowLaw::Normal { .. } => {
                let words = words.of(&self.stream, simd, numbers.iter().copied());
                simd.run(Normals { words, values });
            }
            TensorFlowLaw::Uniform { .. } => {
                let words = words.of(&self.stream, simd, numbers.iter().copied());
                simd.run(Uniforms { mantissa: E::MANTISSA, words, values });
            }
        }
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        // Three ops in TensorFlow: draw, multiply, add. Each writes a tensor of the dtype, and so rounds.
        E::round(quantised::<E>(quantised::<E>(value) * self.scale) + self.loc)
    }
}
