//! Batches: the blocks that a kernel computes at once, gathered from one long run of elements or from many short ones.

use crate::machine::level::{Kernel, Level, Simd};
use crate::machine::prefetch::prefetch_for_writing;
use crate::region::{Region, Runs};
use crate::stream::GROUP;

/// Blocks that a kernel holds at once: words and values then take 2 KiB.
///
/// Few enough that the cache can fetch all lines a batch is going to write while it is computed: with four times as many, a
/// new float32 value of a large array takes 13 % longer; with half as many, one in the cache 3 %.
pub(crate) const BUFFER: usize = 64;
const _: () = assert!(BUFFER.is_multiple_of(GROUP), "words are made in whole groups");

/// Which blocks to compute, and which of their values to keep.
struct Batch {
    /// Values of a block are a power of two: this one. Divisions would take a twentieth of a batch's time.
    log_per_block: u32,
    /// Of the blocks to compute; those up to `blocks` count.
    numbers: [u64; BUFFER],
    blocks: usize,
    /// What to keep, in order: (first value, how many); those up to `pieces_used` count.
    pieces: [(u16, u16); BUFFER],
    pieces_used: usize,
    /// How many values that is.
    elements: usize,
}

impl Batch {
    fn new(per_block: usize) -> Self {
        let (numbers, pieces) = ([0; BUFFER], [(0, 0); BUFFER]);
        Self { log_per_block: per_block.ilog2(), numbers, blocks: 0, pieces, pieces_used: 0, elements: 0 }
    }

    fn pieces(&self) -> &[(u16, u16)] {
        &self.pieces[..self.pieces_used]
    }

    /// Takes as many elements as fit, from what is left of `run` and then from `runs`.
    #[inline(always)]
    fn gather(&mut self, run: &mut Option<(u64, usize)>, runs: &mut Runs<'_>) {
        let shift = self.log_per_block;
        let per_block = 1 << shift;
        // In registers: to load what has just been stored in another width would take a tenth of a batch's time.
        let (mut blocks, mut last, mut pieces, mut elements) = (0, None, 0, 0);
        while let Some((first, count)) = *run {
            let (block, skip) = (first >> shift, first as usize & (per_block - 1));
            // A run may start in the block where the one before it ended.
            let start = blocks - usize::from(last == Some(block));
            let room = (BUFFER - start) << shift;
            if room == 0 || pieces == BUFFER {
                break;
            }
            let taken = count.min(room - skip);
            let end = start + ((skip + taken + per_block - 1) >> shift);
            for (step, number) in self.numbers[start..end].iter_mut().enumerate() {
                *number = block.wrapping_add(step as u64);
            }
            self.pieces[pieces] = (((start << shift) + skip) as u16, taken as u16);
            pieces += 1;
            elements += taken;
            blocks = end;
            last = Some(block.wrapping_add((end - start) as u64 - 1));
            *run = if taken < count { Some((first.wrapping_add(taken as u64), count - taken)) } else { runs.next() };
        }
        (self.blocks, self.pieces_used, self.elements) = (blocks, pieces, elements);
    }
}

/// Elements that come in numbered blocks, each of which can be made alone: what a chunk asks of a stream and a law.
pub(crate) trait Blocks<E>: Sync {
    /// What an element is rounded from.
    type Value: Copy + Default;
    /// Memory that `sample` works in, kept from batch to batch.
    type Scratch;
    /// Elements of a block: 1, 2 or 4.
    const PER_BLOCK: usize;

    /// Memory for `sample`.
    fn scratch(&self) -> Self::Scratch;

    /// The values of the blocks of these numbers, [`PER_BLOCK`](Self::PER_BLOCK) a block. It runs kernels, which elements
    /// of one type of value share.
    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [Self::Value]);

    /// The element made of a value; `#[inline(always)]` in every implementation.
    fn element(&self, value: Self::Value) -> E;
}

/// The elements `first..first + out.len()` of a region.
pub(crate) struct Chunk<'a, E, B> {
    pub(crate) blocks: B,
    pub(crate) region: &'a Region,
    pub(crate) first: u64,
    pub(crate) out: &'a mut [E],
}

/// A buffer whose vectors do not straddle cache lines.
#[repr(align(64))]
pub(crate) struct CacheLines<T>(pub(crate) T);

impl<E, B: Blocks<E>> Chunk<'_, E, B> {
    /// Writes them: numbers, values, elements, each by a kernel of plain loops over buffers in L1.
    pub(crate) fn write(self, simd: Simd) {
        let Self { blocks, region, first, mut out } = self;
        let mut batch = Batch::new(B::PER_BLOCK);
        let mut scratch = blocks.scratch();
        let mut values = CacheLines([B::Value::default(); 4 * BUFFER]);
        let mut runs = region.runs(first..first + out.len() as u64);
        let mut run = runs.next();
        while !out.is_empty() {
            simd.run(Gather { batch: &mut batch, run: &mut run, runs: &mut runs });
            let (now, later) = out.split_at_mut(batch.elements);
            prefetch_for_writing(now);
            blocks.sample(simd, &batch.numbers, &mut scratch, &mut values.0[..batch.blocks * B::PER_BLOCK]);
            simd.run(Place { blocks: &blocks, pieces: batch.pieces(), values: &values.0, out: now });
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
struct Place<'a, E, B: Blocks<E>> {
    blocks: &'a B,
    pieces: &'a [(u16, u16)],
    values: &'a [B::Value; 4 * BUFFER],
    out: &'a mut [E],
}

impl<E, B: Blocks<E>> Kernel for Place<'_, E, B> {
    #[inline(always)]
    fn run(self, _: Level) {
        let mut out = self.out;
        for &(skip, count) in self.pieces {
            let (skip, count) = (usize::from(skip), usize::from(count));
            let (piece, rest) = out.split_at_mut(count);
            for (element, value) in piece.iter_mut().zip(&self.values[skip..skip + count]) {
                *element = self.blocks.element(*value);
            }
            out = rest;
        }
    }
}
