//! The native source: words of our own stream, a law, its place, one rounding.

use super::batch::{BUFFER, CacheLines, Chunk, Units};
use super::source::{Passes, Source};
use crate::element::{Element, Placement, Value};
use crate::law::Law;
use crate::machine::level::{Kernel, Level, Simd};
use crate::region::Region;
use crate::stream::{GROUP, Identity, Philox};

/// One tensor of our own stream: a law, where its values go, and whose words they are made of.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// The law in standard form.
    pub law: Law,
    /// `x · scale + loc`, kept in bounds.
    pub placement: Placement<f64>,
    /// The name of the stream.
    pub identity: Identity,
}

impl Passes for Native {}

impl<E: Element> Source<E> for Native {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let stream = Philox::new(self.identity);
        // The parameters are rounded once per chunk, so that each of its values is placed by the same numbers.
        let units = Draws { law: &self.law, placement: self.placement.to::<E::Value>(), stream };
        Chunk { units, region, first, out }.write(level.simd());
    }
}

/// The native stream's elements: words, the law, the place, one rounding.
struct Draws<'a, V> {
    law: &'a Law,
    placement: Placement<V>,
    stream: Philox,
}

impl<E: Element> Units<E> for Draws<'_, E::Value> {
    type Value = E::Value;
    type Scratch = CacheLines<[[u64; 2]; BUFFER]>;
    const PER_UNIT: usize = E::Value::PER_BLOCK;

    fn scratch(&self) -> Self::Scratch {
        CacheLines([[0; 2]; BUFFER])
    }

    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        // One kernel per law and type of value, whatever the element: words go to the law through the cache.
        simd.run(Sample { law: self.law, stream: &self.stream, numbers, words: &mut scratch.0, values });
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        // Placed in the type of the computation: a 16-bit element is rounded once, at the end.
        E::round(value.place(&self.placement))
    }
}

/// The law's values of the first so many blocks.
struct Sample<'a, V> {
    law: &'a Law,
    stream: &'a Philox,
    numbers: &'a [u64; BUFFER],
    words: &'a mut [[u64; 2]; BUFFER],
    values: &'a mut [V],
}

impl<V: Value> Kernel for Sample<'_, V> {
    #[inline(always)]
    fn run(self, level: Level) {
        let blocks = self.values.len() / V::PER_BLOCK;
        // Whole groups, so that the rounds stand in the kernel once; nobody looks at the words behind the last block.
        let whole = blocks.next_multiple_of(GROUP);
        self.stream.groups(level, &self.numbers[..whole], &mut self.words[..whole]);
        V::sample(self.law, &self.words[..blocks], self.values);
    }
}
