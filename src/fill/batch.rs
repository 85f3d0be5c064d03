//! Batches: the units that a kernel computes at once, gathered from one long run of elements or from many short ones.

use crate::machine::level::{Kernel, Level, Simd};
use crate::machine::lines::CacheLines;
use crate::machine::prefetch::prefetch_for_writing;
use crate::region::{Region, Runs};
use crate::stream::GROUP;

/// Units that a kernel holds at once: words and values then take 2 KiB.
///
/// Few enough that the cache can fetch all lines a batch is going to write while it is computed: with four times as
/// many, a new float32 value of a large array takes 13 % longer; with half as many, one in the cache 3 %.
pub(crate) const BUFFER: usize = 64;
const _: () = assert!(BUFFER.is_multiple_of(GROUP), "words are made in whole groups");

/// Which units to compute, and which of their values to keep.
struct Batch {
    /// Values of a unit are a power of two: this one. Divisions would take a twentieth of a batch's time.
    log_per_unit: u32,
    /// Of the units to compute; those up to `units` count.
    numbers: [u64; BUFFER],
    units: usize,
    /// What to keep, in order: (first value, how many); those up to `pieces_used` count.
    // Sixteen bits hold every place in a batch, and the table fills few cache lines.
    pieces: [(u16, u16); BUFFER],
    pieces_used: usize,
    /// How many values that is.
    elements: usize,
}

impl Batch {
    fn new(per_unit: usize) -> Self {
        // Once per chunk: later batches write over what they use.
        let (numbers, pieces) = ([0; BUFFER], [(0, 0); BUFFER]);
        Self { log_per_unit: per_unit.ilog2(), numbers, units: 0, pieces, pieces_used: 0, elements: 0 }
    }

    fn pieces(&self) -> &[(u16, u16)] {
        &self.pieces[..self.pieces_used]
    }

    /// Takes as many elements as fit, from what is left of `run` and then from `runs`.
    #[inline(always)]
    fn gather(&mut self, run: &mut Option<(u64, usize)>, runs: &mut Runs<'_>) {
        let shift = self.log_per_unit;
        let per_unit = 1 << shift;
        // In registers: to load what has just been stored in another width would take a tenth of a batch's time.
        let (mut units, mut last, mut pieces, mut elements) = (0, None, 0, 0);
        while let Some((first, count)) = *run {
            // `as usize` cuts bits off on 32-bit machines, none of which the mask keeps.
            let (unit, skip) = (first >> shift, first as usize & (per_unit - 1));
            // A run may start in the unit where the one before it ended.
            let start = units - usize::from(last == Some(unit));
            let room = (BUFFER - start) << shift;
            // Full of units, or of runs so short that several share one.
            if room == 0 || pieces == BUFFER {
                break;
            }
            // Not negative: a unit is larger than `skip`, and there is room for one.
            let taken = count.min(room - skip);
            // Rounded up: a unit is made as a whole, however little of it is kept.
            let end = start + ((skip + taken + per_unit - 1) >> shift);
            for (step, number) in self.numbers[start..end].iter_mut().enumerate() {
                *number = unit.wrapping_add(step as u64);
            }
            // Where the run begins among the values: those of a unit lie next to each other.
            self.pieces[pieces] = (((start << shift) + skip) as u16, taken as u16);
            pieces += 1;
            elements += taken;
            units = end;
            last = Some(unit.wrapping_add((end - start) as u64 - 1));
            *run = if taken < count { Some((first.wrapping_add(taken as u64), count - taken)) } else { runs.next() };
        }
        (self.units, self.pieces_used, self.elements) = (units, pieces, elements);
    }
}

/// Elements that come in numbered units, each of which can be made alone: what a chunk asks of a stream and a law.
///
/// A unit is what one block of our own stream gives, a group of TensorFlow's, or a single element of JAX's.
pub(crate) trait Units<E>: Sync {
    /// What an element is rounded from.
    type Value: Copy + Default;
    /// Memory that `sample` works in, kept from batch to batch.
    type Scratch;
    /// Elements of a unit: 1, 2 or 4.
    const PER_UNIT: usize;
    /// Units that are only made together, of which nobody looks at those behind the last: a divisor of [`BUFFER`].
    const TOGETHER: usize = 1;

    /// Memory for `sample`.
    fn scratch(&self) -> Self::Scratch;

    /// The values of the units of these numbers, [`PER_UNIT`](Self::PER_UNIT) per unit. It runs kernels, which elements
    /// of one type of value share.
    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [Self::Value]);

    /// The element made of a value; `#[inline(always)]` in every implementation.
    fn element(&self, value: Self::Value) -> E;
}

/// The elements `first..first + out.len()` of a region.
pub(crate) struct Chunk<'a, E, B> {
    pub(crate) units: B,
    pub(crate) region: &'a Region,
    pub(crate) first: u64,
    pub(crate) out: &'a mut [E],
}

impl<E, B: Units<E>> Chunk<'_, E, B> {
    /// Writes them: numbers, values, elements, each by a kernel of plain loops over buffers in L1.
    pub(crate) fn write(self, simd: Simd) {
        let Self { units, region, first, mut out } = self;
        let mut batch = Batch::new(B::PER_UNIT);
        let mut scratch = units.scratch();
        // Room for units of four values, the widest.
        let mut values = CacheLines([B::Value::default(); 4 * BUFFER]);
        let mut runs = region.runs(first..first + out.len() as u64);
        let mut run = runs.next();
        while !out.is_empty() {
            // Three kernels and not one: laws and element types add up in the library, instead of multiplying.
            simd.run(Gather { batch: &mut batch, run: &mut run, runs: &mut runs });
            let (now, later) = out.split_at_mut(batch.elements);
            // Now, so that the lines come while the values are computed.
            prefetch_for_writing(now);
            let made = batch.units.next_multiple_of(B::TOGETHER) * B::PER_UNIT;
            units.sample(simd, &batch.numbers, &mut scratch, &mut values.0[..made]);
            simd.run(Place { units: &units, pieces: batch.pieces(), values: &values.0, out: now });
            out = later;
        }
    }
}

/// Makes a batch.
struct Gather<'a, 'r> {
    batch: &'a mut Batch,
    run: &'a mut Option<(u64, usize)>,
    runs: &'a mut Runs<'r>,
}

impl Kernel for Gather<'_, '_> {
    #[inline(always)]
    fn run(self, _: Level) {
        self.batch.gather(self.run, self.runs);
    }
}

/// Makes elements of the values that are kept.
struct Place<'a, E, B: Units<E>> {
    units: &'a B,
    pieces: &'a [(u16, u16)],
    values: &'a [B::Value; 4 * BUFFER],
    out: &'a mut [E],
}

impl<E, B: Units<E>> Kernel for Place<'_, E, B> {
    #[inline(always)]
    fn run(self, _: Level) {
        let mut out = self.out;
        for &(skip, count) in self.pieces {
            let (skip, count) = (usize::from(skip), usize::from(count));
            let (piece, rest) = out.split_at_mut(count);
            for (element, value) in piece.iter_mut().zip(&self.values[skip..skip + count]) {
                *element = self.units.element(*value);
            }
            out = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::picks::Picks;

    /// Elements that are their units' numbers.
    struct Numbers;

    impl Units<u64> for Numbers {
        type Value = u64;
        type Scratch = ();
        const PER_UNIT: usize = 1;

        fn scratch(&self) {}

        fn sample(&self, _: Simd, numbers: &[u64; BUFFER], (): &mut (), values: &mut [u64]) {
            values.copy_from_slice(&numbers[..values.len()]);
        }

        #[inline(always)]
        fn element(&self, value: u64) -> u64 {
            value
        }
    }

    /// A number cut to 32 bits, or a carry that is lost inside a batch.
    #[test]
    fn numbers_carry_past_two_to_the_32() {
        let first = (1 << 32) - 20;
        let region = Region::mesh(&[1 << 40], &[Picks::range(first, 3 * BUFFER as u64)]).unwrap();
        let mut out = [0; 3 * BUFFER];
        Chunk { units: Numbers, region: &region, first: 0, out: &mut out }.write(Level::Baseline.simd());
        assert!(out.iter().copied().eq(first..first + 3 * BUFFER as u64), "{out:?}");
    }
}
