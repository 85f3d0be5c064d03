//! The one verb: write a law's values into an array that somebody else allocated.

use crate::batch::{BUFFER, Batch};
use crate::element::{Element, Placement, Value};
use crate::environment::DefaultEnvironment;
use crate::law::Law;
use crate::level::{Kernel, Level};
use crate::region::Region;
use crate::stream::{Identity, Philox};
use crate::threads;
use std::sync::Arc;
use std::time::Duration;

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

/// A chunk's worth of work, for any thread.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Fills `out`, in C order, with the elements of `region`.
///
/// # Panics
///
/// If `out` and the region differ in length.
pub fn fill<E: Element>(plan: &Plan, region: Region, out: &mut [E], schedule: &Schedule) {
    threads::run(schedule.threads, tasks(plan, region, out, schedule).collect(), Duration::MAX);
}

/// The same work as [`fill`], in parts that may be done in any order.
///
/// # Panics
///
/// If `out` and the region differ in length.
pub fn tasks<'a, E: Element>(
    plan: &Plan,
    region: Region,
    out: &'a mut [E],
    schedule: &Schedule,
) -> impl Iterator<Item = Task<'a>> + use<'a, E> {
    assert!(out.len() as u64 == region.len(), "`out` must have as many elements as the region");
    let (plan, region, Schedule { chunk, level, .. }) = (*plan, Arc::new(region), *schedule);
    out.chunks_mut(chunk).enumerate().map(move |(number, out)| -> Task<'a> {
        let region = Arc::clone(&region);
        Box::new(move || {
            let _environment = DefaultEnvironment::enter();
            let first = (number * chunk) as u64;
            level.run(Chunk { plan: &plan, region: &region, first, out });
        })
    })
}

/// The elements `first..first + out.len()` of a region.
struct Chunk<'a, E: Element> {
    plan: &'a Plan,
    region: &'a Region,
    first: u64,
    out: &'a mut [E],
}

/// A buffer whose vectors do not straddle cache lines.
#[repr(align(64))]
struct CacheLines<T>(T);

impl<E: Element> Kernel for Chunk<'_, E> {
    #[inline(always)]
    fn run(self) {
        let stream = Philox::new(self.plan.identity);
        let placement = self.plan.placement.to();
        let per_block = E::Value::PER_BLOCK;
        let mut batch = Batch::new(per_block);
        let mut blocks = CacheLines([[0; 2]; BUFFER]);
        let mut values = CacheLines([E::Value::default(); 4 * BUFFER]);
        let mut runs = self.region.runs(self.first..self.first + self.out.len() as u64);
        let mut run = runs.next();
        let mut out = self.out;
        while !out.is_empty() {
            // numbers, words, values, elements: plain loops over buffers in L1
            batch.gather(&mut run, &mut runs);
            let blocks = &mut blocks.0[..batch.blocks];
            if batch.pieces_used == 1 {
                stream.consecutive(batch.numbers[0], blocks);
            } else {
                stream.scattered(&batch.numbers[..batch.blocks], blocks);
            }
            E::Value::sample(&self.plan.law, blocks, &mut values.0[..batch.blocks * per_block]);
            for &(skip, count) in &batch.pieces[..batch.pieces_used] {
                let (skip, count) = (usize::from(skip), usize::from(count));
                let (piece, rest) = out.split_at_mut(count);
                for (element, value) in piece.iter_mut().zip(&values.0[skip..skip + count]) {
                    *element = E::round(value.place(&placement));
                }
                out = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{BF16, F16};
    use crate::picks::Picks;

    const LEN: usize = 5003;

    fn plan(law: Law) -> Plan {
        let placement = Placement { loc: 0.125, scale: 0.3, low: -0.7, high: 0.8 };
        Plan { law, placement, identity: Identity { key: [1, 2], counter_high: [3, 4] } }
    }

    fn laws() -> [Law; 4] {
        [Law::Uniform, Law::Normal, Law::TruncatedNormal, Law::truncated_normal(-1.0, 3.0).unwrap()]
    }

    fn same_bits<E: Element + bytemuck::Pod>(zero: E) {
        for law in laws() {
            let plan = plan(law);
            let part = Region::mesh(
                &[90, 80, 7],
                &[Picks::range(13, 17), Picks::Range { start: 60, step: -1, count: 59 }, Picks::range(1, 5)],
            )
            .unwrap();
            for region in [Region::whole(LEN as u64), part] {
                let filled = |schedule: Schedule| {
                    let mut out = vec![zero; region.len() as usize];
                    fill(&plan, region.clone(), &mut out, &schedule);
                    bytemuck::cast_slice::<E, u8>(&out).to_vec()
                };
                let baseline = filled(Schedule { threads: 1, chunk: usize::MAX / 2, level: Level::Baseline });
                for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                    for chunk in [1, 3, 64, 127, 1024, 1 << 16] {
                        for threads in [1, 3] {
                            assert_eq!(
                                filled(Schedule { threads, chunk, level }),
                                baseline,
                                "{law:?} {level:?} {chunk}"
                            );
                        }
                    }
                }
            }
        }
    }

    /// A level that rounds otherwise, a chunk that starts at the wrong word, or a thread that writes elsewhere.
    #[test]
    fn levels_chunks_and_threads_change_no_bit() {
        same_bits(0.0_f32);
        same_bits(0.0_f64);
        same_bits(F16(0));
        same_bits(BF16(0));
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
