//! The one verb: write a law's values into an array that somebody else allocated.

pub(crate) mod batch;
pub(crate) mod run;
#[cfg(any(feature = "python", test))]
#[cfg_attr(not(feature = "python"), allow(dead_code, reason = "only Python has arrays in any order"))]
pub(crate) mod strided;

use crate::element::{Element, Placement, Value};
use crate::law::Law;
use crate::machine::level::{Kernel, Level, Simd};
use crate::region::Region;
use crate::stream::{GROUP, Identity, Philox};
use batch::{BUFFER, Blocks, CacheLines, Chunk};
use std::collections::TryReserveError;
use std::sync::Arc;

/// Elements of a chunk, the unit that threads share out.
pub const CHUNK: usize = 1 << 16;

/// What to write: a law, where its values go, and whose words they are made of.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The law in standard form.
    pub law: Law,
    /// `x · scale + loc`, kept in bounds.
    pub placement: Placement<f64>,
    /// The name of the stream.
    pub identity: Identity,
}

/// How to work: none of it changes a bit of the result.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Threads at most.
    pub threads: usize,
    /// Elements of a chunk.
    pub chunk: usize,
    /// Instructions of the kernel.
    pub level: Level,
}

impl Schedule {
    /// `threads` threads, with this machine's best level.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { threads, chunk: CHUNK, level: Level::best() }
    }
}

/// What an array is filled from: the native plan, or a stream that replays a framework's.
pub trait Source<E> {
    /// Writes the elements `first..first + out.len()` of a region.
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level);

    /// Whether all is to be written once more over what it is now; asked after each time that all was written.
    fn again(&self) -> bool {
        false
    }
}

/// Work for any thread: a chunk of an array.
pub(crate) struct Task<'a> {
    /// How many elements it writes.
    pub(crate) elements: usize,
    /// Writes them.
    pub(crate) work: Box<dyn FnOnce() -> Result<(), TryReserveError> + Send + 'a>,
}

/// Fills `out`, in C order, with the elements of `region`.
///
/// # Panics
///
/// If `out` and the region differ in length.
#[allow(clippy::needless_pass_by_value, reason = "as in `tasks`; no caller has further use for it")]
pub fn fill<E, S>(source: &S, region: Region, out: &mut [E], schedule: &Schedule)
where
    E: Element,
    S: Source<E> + Clone + Send,
{
    loop {
        let tasks = tasks(source, region.clone(), out, schedule);
        let done = run::run(schedule, region.len(), tasks, None::<fn() -> bool>);
        debug_assert!(done.is_ok(), "chunks in C order take no memory");
        if !source.again() {
            return;
        }
    }
}

/// The same work as [`fill`], in parts that may be done in any order; each is made when it is asked for.
///
/// # Panics
///
/// If `out` and the region differ in length.
pub(crate) fn tasks<'a, E, S>(
    source: &S,
    region: Region,
    out: &'a mut [E],
    schedule: &Schedule,
) -> impl Iterator<Item = Task<'a>> + Send + use<'a, E, S>
where
    E: Element,
    S: Source<E> + Clone + Send + 'a,
{
    assert!(out.len() as u64 == region.len(), "`out` must have as many elements as the region");
    let (source, region, Schedule { chunk, level, .. }) = (source.clone(), Arc::new(region), *schedule);
    out.chunks_mut(chunk).enumerate().map(move |(number, out)| {
        let (source, region, elements) = (source.clone(), Arc::clone(&region), out.len());
        let work = move || {
            source.write(&region, (number * chunk) as u64, out, level);
            Ok(())
        };
        Task { elements, work: Box::new(work) }
    })
}

impl<E: Element> Source<E> for Plan {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let stream = Philox::new(self.identity);
        let blocks = Native { law: &self.law, placement: self.placement.to::<E::Value>(), stream };
        Chunk { blocks, region, first, out }.write(level.simd());
    }
}

/// The native stream's elements: words, the law, the place, one rounding.
struct Native<'a, V> {
    law: &'a Law,
    placement: Placement<V>,
    stream: Philox,
}

impl<E: Element> Blocks<E> for Native<'_, E::Value> {
    type Value = E::Value;
    type Scratch = CacheLines<[[u64; 2]; BUFFER]>;
    const PER_BLOCK: usize = E::Value::PER_BLOCK;

    fn scratch(&self) -> Self::Scratch {
        CacheLines([[0; 2]; BUFFER])
    }

    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        simd.run(Sample { law: self.law, stream: &self.stream, numbers, words: &mut scratch.0, values });
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
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
        let whole = blocks.next_multiple_of(GROUP);
        self.stream.groups(level, &self.numbers[..whole], &mut self.words[..whole]);
        V::sample(self.law, &self.words[..blocks], self.values);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::element::{BF16, F16};
    use crate::region::picks::Picks;
    use bytemuck::Pod;
    use std::fmt::Debug;

    const LEN: usize = 5003;

    fn plan(law: Law) -> Plan {
        let placement = Placement { loc: 0.125, scale: 0.3, low: -0.7, high: 0.8 };
        Plan { law, placement, identity: Identity { key: [1, 2], counter_high: [3, 4] } }
    }

    fn laws() -> [Law; 4] {
        [Law::Uniform, Law::Normal, Law::TruncatedNormal, Law::truncated_normal(-1.0, 3.0).unwrap()]
    }

    /// Asserts that levels, chunks and threads change no bit of what `source` fills, whole or in part.
    pub(crate) fn same_bits<E, S>(source: &S, zero: E)
    where
        E: Element + Pod,
        S: Source<E> + Clone + Send + Debug,
    {
        let part = Region::mesh(
            &[90, 80, 7],
            &[Picks::range(13, 17), Picks::Range { start: 60, step: -1, count: 59 }, Picks::range(1, 5)],
        );
        for region in [Region::whole(LEN as u64), part.unwrap()] {
            let filled = |schedule: Schedule| {
                let mut out = vec![zero; region.len() as usize];
                fill(source, region.clone(), &mut out, &schedule);
                bytemuck::cast_slice::<E, u8>(&out).to_vec()
            };
            let baseline = filled(Schedule { threads: 1, chunk: usize::MAX / 2, level: Level::Baseline });
            for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                for (chunk, threads) in [(1, 1), (1, 3), (3, 3), (64, 1), (127, 3), (1024, 2), (1 << 16, 2)] {
                    let found = filled(Schedule { threads, chunk, level });
                    assert_eq!(found, baseline, "{source:?} {level:?} {chunk} {threads}");
                }
            }
        }
    }

    /// A level that rounds otherwise, a chunk that starts at the wrong word, or a thread that writes elsewhere.
    #[test]
    fn levels_chunks_and_threads_change_no_bit() {
        for law in laws() {
            same_bits(&plan(law), 0.0_f32);
            same_bits(&plan(law), 0.0_f64);
            same_bits(&plan(law), F16(0));
            same_bits(&plan(law), BF16(0));
        }
    }

    /// An array that is silently filled past its region's end.
    #[test]
    #[should_panic(expected = "as many elements as the region")]
    fn a_region_that_is_too_small_is_refused() {
        fill(&plan(Law::Uniform), Region::whole(3), &mut [0.0_f32; 4], &Schedule::new(1));
    }

    /// An empty array that starts threads, or fails.
    #[test]
    fn nothing_is_filled_with_nothing() {
        fill(&plan(Law::Normal), Region::whole(0), &mut [0.0_f32; 0], &Schedule::new(4));
    }
}
