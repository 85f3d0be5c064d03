//! The native source: words of our own stream, a law, its place, one rounding.

use super::batch::{BUFFER, Chunk, Units};
use super::source::{Passes, Source};
use crate::element::Element;
use crate::law::Law;
use crate::machine::level::{Kernel, Level, Simd};
use crate::machine::lines::CacheLines;
use crate::machine::prefetch::prefetch_for_writing;
use crate::region::{Region, Runs};
use crate::stream::{GROUP, RUN, Words};
use crate::value::{Placement, Placing, Value};

/// Runs of at least so many elements are made one by one; shorter ones are gathered, so that several share a batch.
const LONG: u64 = 512;

/// One tensor of our own stream: a law, where its values go, and whose words they are made of.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// The law in standard form.
    pub law: Law,
    /// `x · scale + loc`, kept in bounds.
    pub placement: Placement<f64>,
    /// The words of its stream.
    pub words: Words,
}

impl Passes for Native {}

impl<E: Element> Source<E> for Native {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        // The parameters are rounded once per chunk, so that each of its values is placed by the same numbers.
        let draws = Draws { law: &self.law, placing: Placing::new(&self.law, &self.placement), stream: self.words };
        // A region of one run has no others to share a batch with.
        if region.run() < LONG.min(region.len()) {
            Chunk { units: draws, region, first, out }.write(level.simd());
        } else {
            let runs = region.runs(first..first + out.len() as u64);
            draws.write(runs, out, level.simd());
        }
    }
}

/// The native stream's elements: words, the law, the place, one rounding.
struct Draws<'a, V> {
    law: &'a Law,
    placing: Placing<V>,
    stream: Words,
}

impl<V: Value> Draws<'_, V> {
    /// Writes runs one after the other.
    fn write<E: Element<Value = V>>(&self, runs: Runs<'_>, mut out: &mut [E], simd: Simd) {
        let mut stream = self.stream.consecutive();
        let mut words = CacheLines([[0; 2]; RUN]);
        // Room for blocks of four values, the most.
        let mut values = CacheLines([V::default(); 4 * RUN]);
        for (mut first, mut count) in runs {
            while count > 0 {
                let (block, skip) = (first / V::PER_BLOCK as u64, (first % V::PER_BLOCK as u64) as usize);
                let blocks = (skip + count).div_ceil(V::PER_BLOCK).min(RUN);
                let taken = count.min(blocks * V::PER_BLOCK - skip);
                let (now, later) = std::mem::take(&mut out).split_at_mut(taken);
                // Now, so that the lines come while the words are made.
                prefetch_for_writing(now);
                stream.write(simd, block, blocks, &mut words.0);
                // Whole groups; nobody looks at the words behind the last block.
                let blocks = blocks.next_multiple_of(GROUP);
                let words = &words.0[..blocks];
                match E::values(now) {
                    // No rounding: the law's loop writes them where they belong.
                    Some(values) if taken == blocks * V::PER_BLOCK => self.place(simd, words, values),
                    _ => {
                        self.place(simd, words, &mut values.0[..blocks * V::PER_BLOCK]);
                        simd.run(Round { values: &values.0[skip..skip + taken], out: now });
                    }
                }
                (first, count, out) = (first.wrapping_add(taken as u64), count - taken, later);
            }
        }
    }

    /// The values of these words, where they go.
    fn place(&self, simd: Simd, words: &[[u64; 2]], values: &mut [V]) {
        // One kernel per type of value, whatever the element: words go to the law through the cache.
        simd.run(Place { law: self.law, placing: &self.placing, words, values });
    }
}

impl<E: Element> Units<E> for Draws<'_, E::Value> {
    type Value = E::Value;
    type Scratch = CacheLines<[[u64; 2]; BUFFER]>;
    const PER_UNIT: usize = E::Value::PER_BLOCK;
    const TOGETHER: usize = GROUP;

    fn scratch(&self) -> Self::Scratch {
        CacheLines([[0; 2]; BUFFER])
    }

    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        let blocks = values.len() / E::Value::PER_BLOCK;
        self.stream.groups(simd, &numbers[..blocks], &mut scratch.0[..blocks]);
        self.place(simd, &scratch.0[..blocks], values);
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        E::round(value)
    }
}

/// The law's values of these words, each where it goes.
struct Place<'a, V> {
    law: &'a Law,
    placing: &'a Placing<V>,
    words: &'a [[u64; 2]],
    values: &'a mut [V],
}

impl<V: Value> Kernel for Place<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        self.placing.sample(self.law, self.words, self.values);
    }
}

/// Elements of values.
struct Round<'a, E: Element> {
    values: &'a [E::Value],
    out: &'a mut [E],
}

impl<E: Element> Kernel for Round<'_, E> {
    #[inline(always)]
    fn run(self, _: Level) {
        for (element, &value) in self.out.iter_mut().zip(self.values) {
            // Placed in the type of the computation: a 16-bit element is rounded once, here.
            *element = E::round(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::float8::F8;
    use crate::element::{BF16, F16};
    use crate::region::picks::Picks;
    use crate::stream::{Identity, Version};
    use bytemuck::Pod;

    /// Asserts that rows which are long runs have the elements that short runs have.
    fn same_elements<E: Element + Pod + std::fmt::Debug + PartialEq>(zero: E) {
        // Rows that begin at any value of a block, and end in batches of any size.
        const ROW: u64 = LONG + 779;
        let mesh = |columns| Region::mesh(&[9, 3 * u128::from(ROW) + 1], &[Picks::range(0, 9), columns]).unwrap();
        let (law, identity) = (Law::Normal, Identity { key: [1, 2], counter_high: [3, 4] });
        let placement = Placement { loc: 0.125, scale: 0.3, low: -0.7, high: 0.8 };
        let source = Native { law, placement, words: Version::One.words(identity) };
        for level in Level::ALL {
            let mut rows = vec![zero; 9 * ROW as usize];
            source.write(&mesh(Picks::range(5, ROW)), 0, &mut rows, level);
            for odd in 0..2 {
                let count = (ROW - odd).div_ceil(2);
                let mut every_second = vec![zero; 9 * count as usize];
                let columns = Picks::Range { start: 5 + odd, step: 2, count };
                source.write(&mesh(columns), 0, &mut every_second, level);
                let expected = rows.chunks(ROW as usize).flat_map(|row| row[odd as usize..].iter().step_by(2));
                assert!(expected.eq(every_second.iter()), "{level:?} {odd}");
            }
        }
    }

    /// A long run that is made of other blocks, or whose ends are, or that is rounded otherwise.
    #[test]
    fn long_runs_have_the_elements_of_short_ones() {
        same_elements(0.0_f32);
        same_elements(0.0_f64);
        same_elements(F16(0));
        same_elements(BF16(0));
        same_elements(F8::<3>(0));
        same_elements(F8::<2>(0));
    }
}
