//! TensorFlow's CPU kernels (2.21): Philox, the Box-Muller transform, rejection.
//!
//! Elements come in groups of one block's values: four, or two in float64. The uniform and the normal law make a group of
//! its own block. The truncated one has 64 blocks for each element of a group and takes values from them, in order,
//! until as many as the group needs are inside; so each group can be made alone.

mod pairs;
mod truncated;

use crate::element::{Element, Value};
use crate::fill::Source;
use crate::fill::batch::{BUFFER, Blocks, CacheLines, Chunk};
use crate::machine::level::{Kernel, Level, Simd};
use crate::region::Region;
use crate::stream::{GROUP, Identity, Philox};
pub use pairs::Pairs;
use truncated::{Open, Truncated};

/// A law as TensorFlow's ops have it.
#[derive(Clone, Copy, Debug)]
pub enum Law {
    /// Uniform between two limits, the lower included.
    Uniform {
        /// The lower limit.
        low: f64,
        /// The upper limit.
        high: f64,
    },
    /// Normal.
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

/// One op's values.
#[derive(Clone, Copy, Debug)]
pub struct TensorFlow {
    /// The law and its parameters, not yet rounded to the dtype.
    pub law: Law,
    /// The key, and the counter's high half.
    pub identity: Identity,
    /// The first block.
    pub first: u64,
}

/// Key and counter's high half of a stateless op with this pair of seeds: one block, its key fixed, its counter the
/// seeds.
#[must_use]
pub fn scramble(first: u64, second: u64) -> (u64, u64) {
    let halves = |seed: u64| [seed as u32, (seed >> 32) as u32];
    let identity = Identity { key: [0x3EC8_F720, 0x0246_1E29], counter_high: halves(second) };
    let [key, counter] = Philox::new(identity).group(&[first; GROUP])[0];
    (key, counter)
}

impl<E: Element<Value: Pairs>> Source<E> for TensorFlow {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let round = |x| quantised::<E>(E::Value::from_f64(x));
        let (loc, scale) = match self.law {
            Law::Uniform { low, high } => (round(low), quantised::<E>(round(high) - round(low))),
            Law::Normal { mean, stddev } | Law::Truncated { mean, stddev } => (round(mean), round(stddev)),
        };
        let op = Op { law: self.law, stream: Philox::new(self.identity), first: self.first, loc, scale };
        Chunk { blocks: op, region, first, out }.write(level.simd());
    }
}

/// The value rounded to the dtype, as TensorFlow's 16-bit arithmetic does after every operation.
#[inline(always)]
fn quantised<E: Element>(value: E::Value) -> E::Value {
    E::round(value).widen()
}

/// An op whose parameters are rounded.
struct Op<V> {
    law: Law,
    stream: Philox,
    first: u64,
    loc: V,
    scale: V,
}

/// Memory of a batch.
struct Scratch<V> {
    words: Words,
    candidates: CacheLines<[V; 4 * BUFFER]>,
    open: Open,
}

/// Numbers of blocks, and their words.
struct Words {
    numbers: [u64; BUFFER],
    words: CacheLines<[[u64; 2]; BUFFER]>,
}

impl<E: Element<Value: Pairs>> Blocks<E> for Op<E::Value> {
    type Value = E::Value;
    type Scratch = Scratch<E::Value>;
    const PER_BLOCK: usize = E::Value::PER_BLOCK;

    fn scratch(&self) -> Self::Scratch {
        Scratch {
            words: Words { numbers: [0; BUFFER], words: CacheLines([[0; 2]; BUFFER]) },
            candidates: CacheLines([E::Value::default(); 4 * BUFFER]),
            open: Open::new(),
        }
    }

    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        let numbers = &numbers[..values.len() / E::Value::PER_BLOCK];
        match self.law {
            Law::Truncated { .. } => simd.run(Truncated { op: self, simd, groups: numbers, scratch, values }),
            Law::Normal { .. } => {
                let words = scratch.words.of(self, simd, numbers.iter().copied());
                simd.run(Normals { words, values });
            }
            Law::Uniform { .. } => {
                let words = scratch.words.of(self, simd, numbers.iter().copied());
                simd.run(Uniforms { mantissa: E::MANTISSA, words, values });
            }
        }
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        E::round(quantised::<E>(quantised::<E>(value) * self.scale) + self.loc)
    }
}

impl Words {
    /// Those of blocks that are counted from the op's first.
    #[inline(always)]
    fn of<V>(&mut self, op: &Op<V>, simd: Simd, blocks: impl ExactSizeIterator<Item = u64>) -> &[[u64; 2]] {
        let count = blocks.len();
        for (number, block) in self.numbers.iter_mut().zip(blocks) {
            *number = op.first.wrapping_add(block);
        }
        let whole = count.next_multiple_of(GROUP);
        let (numbers, words) = (&self.numbers[..whole], &mut self.words.0[..whole]);
        simd.run(Groups { stream: &op.stream, numbers, words });
        &self.words.0[..count]
    }
}

/// The words of whole groups of blocks.
struct Groups<'a> {
    stream: &'a Philox,
    numbers: &'a [u64],
    words: &'a mut [[u64; 2]],
}

impl Kernel for Groups<'_> {
    #[inline(always)]
    fn run(self, level: Level) {
        self.stream.groups(level, self.numbers, self.words);
    }
}

/// Uniforms for elements with a mantissa of so many bits.
struct Uniforms<'a, V> {
    mantissa: u32,
    words: &'a [[u64; 2]],
    values: &'a mut [V],
}

impl<V: Pairs> Kernel for Uniforms<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        V::uniforms(self.words, self.mantissa, self.values);
    }
}

/// Standard normal values.
struct Normals<'a, V> {
    words: &'a [[u64; 2]],
    values: &'a mut [V],
}

impl<V: Pairs> Kernel for Normals<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        V::normals(self.words, self.values);
    }
}
