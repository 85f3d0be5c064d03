//! TensorFlow's CPU kernels (2.21): Philox, the Box-Muller transform, rejection.
//!
//! Elements come in groups of one block's values: four, or two in float64. The uniform and the normal law make a group of
//! its own block. The truncated one has 64 blocks for each element of a group and takes values from them, in order,
//! until as many as the group needs are inside; so each group can be made alone.

use super::exact::{arm, libm};
use crate::batch::{BUFFER, Batch, Blocks, CacheLines, Chunk};
use crate::element::{Element, Value};
use crate::fill::Source;
use crate::level::Level;
use crate::region::Region;
use crate::stream::{GROUP, Identity, Philox};
use std::f64::consts::TAU;

/// The least first uniform of a pair, whose logarithm is taken.
const LEAST: f32 = 1e-7;

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
        level.run(Chunk { blocks: op, region, first, out });
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

/// The groups that are not full, and how many values each has.
struct Open {
    groups: [u16; BUFFER],
    held: [u16; BUFFER],
}

impl<E: Element<Value: Pairs>> Blocks<E> for Op<E::Value> {
    type Value = E::Value;
    type Scratch = Scratch<E::Value>;
    const PER_BLOCK: usize = E::Value::PER_BLOCK;

    #[inline(always)]
    fn scratch(&self) -> Self::Scratch {
        Scratch {
            words: Words { numbers: [0; BUFFER], words: CacheLines([[0; 2]; BUFFER]) },
            candidates: CacheLines([E::Value::default(); 4 * BUFFER]),
            open: Open { groups: [0; BUFFER], held: [0; BUFFER] },
        }
    }

    #[inline(always)]
    fn sample(&self, batch: &Batch, scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        let numbers = batch.numbers();
        match self.law {
            Law::Truncated { .. } if E::Value::PER_BLOCK == 4 => self.truncated::<4>(numbers, scratch, values),
            Law::Truncated { .. } => self.truncated::<2>(numbers, scratch, values),
            Law::Normal { .. } => E::Value::normals(self.words(numbers.iter().copied(), &mut scratch.words), values),
            Law::Uniform { .. } => {
                E::Value::uniforms(self.words(numbers.iter().copied(), &mut scratch.words), E::MANTISSA, values);
            }
        }
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        E::round(quantised::<E>(quantised::<E>(value) * self.scale) + self.loc)
    }
}

impl<V: Pairs> Op<V> {
    /// The words of blocks counted from the op's first.
    #[inline(always)]
    fn words<'a>(&self, blocks: impl ExactSizeIterator<Item = u64>, memory: &'a mut Words) -> &'a [[u64; 2]] {
        let count = blocks.len();
        for (number, block) in memory.numbers.iter_mut().zip(blocks) {
            *number = self.first.wrapping_add(block);
        }
        let whole = count.next_multiple_of(GROUP);
        self.stream.groups(&memory.numbers[..whole], &mut memory.words.0[..whole]);
        &memory.words.0[..count]
    }

    /// Fills every group, of N values: first from its first block, then those that are still open from their next ones.
    #[inline(always)]
    fn truncated<const N: usize>(&self, groups: &[u64], scratch: &mut Scratch<V>, values: &mut [V]) {
        let Scratch { words, candidates, open } = scratch;
        let first = |group: u64| group.wrapping_mul(64 * N as u64);
        V::normals(self.words(groups.iter().map(|&group| first(group)), words), values);
        let values = values.as_chunks_mut::<N>().0;
        let mut left = 0;
        for (group, values) in values.iter().enumerate() {
            // Without branches, as in `keep`.
            open.groups[left] = group as u16;
            left += usize::from(!values.iter().fold(true, |all, value| all & value.is_inside()));
        }
        for (&group, held) in open.groups[..left].iter().zip(&mut open.held) {
            let values = &mut values[usize::from(group)];
            let candidates = *values;
            *held = keep(values, 0, &candidates) as u16;
        }
        let mut round = 1;
        while left > 0 {
            let blocks = open.groups[..left].iter().map(|&group| first(groups[usize::from(group)]) + round);
            let candidates = &mut candidates.0[..left * N];
            V::normals(self.words(blocks, words), candidates);
            left = 0;
            for (row, candidates) in candidates.as_chunks::<N>().0.iter().enumerate() {
                let group = open.groups[row];
                let held = keep(&mut values[usize::from(group)], usize::from(open.held[row]), candidates);
                (open.groups[left], open.held[left]) = (group, held as u16);
                left += usize::from(held < N);
            }
            round += 1;
        }
    }
}

/// Puts the candidates of a block that are inside behind the values that a group holds; how many it then has.
///
/// Without branches, which could not be predicted: a candidate that is not kept is overwritten by the next one.
#[inline(always)]
fn keep<V: Pairs, const N: usize>(values: &mut [V; N], mut held: usize, candidates: &[V; N]) -> usize {
    let mut kept = [V::default(); 8];
    kept[..N].copy_from_slice(values);
    for candidate in candidates {
        kept[held % 8] = *candidate;
        held += usize::from(candidate.is_inside());
    }
    values.copy_from_slice(&kept[..N]);
    held
}

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
        let words: &[u32] = bytemuck::cast_slice(words);
        for (value, word) in values.iter_mut().zip(words) {
            *value = Self::from_bits(0x3f80_0000 | (word << (32 - mantissa)) >> 9) - 1.0;
        }
    }

    #[inline(always)]
    fn normals(words: &[[u64; 2]], values: &mut [Self]) {
        let pairs = words.as_flattened();
        let (mut inverses, mut logarithms) = ([0.0; 2 * BUFFER], [0.0; 2 * BUFFER]);
        for ((&pair, inverse), logarithm) in pairs.iter().zip(&mut inverses).zip(&mut logarithms) {
            (*inverse, *logarithm) = arm::sixteenth(first_uniform(pair));
        }
        let sixteenths = inverses.iter().zip(&logarithms);
        for ((values, &pair), (&inverse, &logarithm)) in
            values.as_chunks_mut::<2>().0.iter_mut().zip(pairs).zip(sixteenths)
        {
            let radius = (-2.0 * arm::logf(first_uniform(pair), (inverse, logarithm))).sqrt();
            let (sine, cosine) = arm::sincosf(f64::from((TAU * uniform23(pair >> 32)) as Self));
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
    let u = uniform23(pair);
    if u < f64::from(LEAST) { f64::from(LEAST) } else { u }
}

/// The float64 uniform of two words: 20 bits of the first one above all of the second.
#[inline(always)]
fn uniform(pair: u64) -> f64 {
    f64::from_bits(1023 << 52 | (pair & 0xf_ffff) << 32 | pair >> 32) - 1.0
}
