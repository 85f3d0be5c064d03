//! The one verb: write a law's values into an array that somebody else allocated.

use crate::element::{Element, Placement, Value};
use crate::environment::DefaultEnvironment;
use crate::law::Law;
use crate::level::{Kernel, Level};
use crate::region::Region;
use crate::stream::{Identity, Philox};
use crate::threads;
use rayon::prelude::*;

/// Blocks of the stream that a kernel holds at once: words and values then take 8 KiB, well inside an L1 cache.
const BUFFER: usize = 256;

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

/// Fills `out`, in C order, with the elements of `region` from position `start` on.
///
/// # Panics
///
/// If the region ends before `out` does.
pub fn fill<E: Element>(plan: &Plan, region: &Region, start: u64, out: &mut [E], schedule: &Schedule) {
    assert!(start + out.len() as u64 <= region.len(), "`out` must end where the region ends, or before");
    let chunk = |number: usize, out: &mut [E]| {
        let _environment = DefaultEnvironment::enter();
        let first = start + (number * schedule.chunk) as u64;
        schedule.level.run(Chunk { plan, region, first, out });
    };
    let threads = schedule.threads.min(out.len().div_ceil(schedule.chunk));
    match if threads > 1 { threads::pool(schedule.threads) } else { None } {
        Some(pool) => {
            pool.install(|| out.par_chunks_mut(schedule.chunk).enumerate().for_each(|(n, out)| chunk(n, out)));
        }
        None => out.chunks_mut(schedule.chunk).enumerate().for_each(|(n, out)| chunk(n, out)),
    }
}

/// The elements `first..first + out.len()` of a region.
struct Chunk<'a, E: Element> {
    plan: &'a Plan,
    region: &'a Region,
    first: u64,
    out: &'a mut [E],
}

impl<E: Element> Kernel for Chunk<'_, E> {
    #[inline(always)]
    fn run(self) {
        let stream = Philox::new(self.plan.identity);
        let placement = self.plan.placement.to();
        let mut blocks = [[0; 2]; BUFFER];
        let mut values = [E::Value::default(); 4 * BUFFER];
        let per_block = E::Value::PER_BLOCK;
        let mut out = self.out;
        for (first, count) in self.region.runs(self.first..self.first + out.len() as u64) {
            let (mut run, rest) = out.split_at_mut(count);
            out = rest;
            let mut block = first / per_block as u64;
            let mut skip = (first % per_block as u64) as usize;
            while !run.is_empty() {
                // words, values, elements: three plain loops over buffers in L1
                let wanted = run.len().min(per_block * BUFFER - skip);
                let used = (skip + wanted).div_ceil(per_block);
                stream.write(block, &mut blocks[..used]);
                E::Value::sample(&self.plan.law, &blocks[..used], &mut values[..used * per_block]);
                let (head, tail) = run.split_at_mut(wanted);
                for (element, value) in head.iter_mut().zip(&values[skip..skip + wanted]) {
                    *element = E::round(value.place(&placement));
                }
                run = tail;
                block = block.wrapping_add(used as u64);
                skip = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{BF16, F16};

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
            let part = Region::part(&[90, 80, 7], &[13, 2, 1], &[17, 59, 5]).unwrap();
            for region in [Region::whole(LEN as u64), part] {
                let filled = |schedule: Schedule| {
                    let mut out = vec![zero; region.len() as usize];
                    fill(&plan, &region, 0, &mut out, &schedule);
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
    #[should_panic(expected = "where the region ends, or before")]
    fn a_region_that_is_too_small_is_refused() {
        fill(&plan(Law::Uniform), &Region::whole(3), 0, &mut [0.0_f32; 4], &Schedule::new(1));
    }

    /// An empty array that starts threads, or fails.
    #[test]
    fn nothing_is_filled_with_nothing() {
        fill(&plan(Law::Normal), &Region::whole(0), 0, &mut [0.0_f32; 0], &Schedule::new(4));
    }
}
