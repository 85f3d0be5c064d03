//! Batches: the blocks that a kernel computes at once, gathered from one long run of elements or from many short ones.

use crate::level::Kernel;
use crate::prefetch::prefetch_for_writing;
use crate::region::{Region, Runs};
use crate::stream::GROUP;

/// Blocks that a kernel holds at once: words and values then take 2 KiB.
///
/// Few enough that the cache can fetch all lines a batch is going to write while it is computed: with four times as many, a
/// new float32 value of a large array takes 13 % longer; with half as many, one in the cache 3 %.
pub(crate) const BUFFER: usize = 64;
const _: () = assert!(BUFFER.is_multiple_of(GROUP), "words are made in whole groups");

/// Which blocks to compute, and which of their values to keep.
pub(crate) struct Batch {
    per_block: u64,
    /// Of the blocks to compute; those up to `blocks` count.
    pub(crate) numbers: [u64; BUFFER],
    pub(crate) blocks: usize,
    /// What to keep, in order: (first value, how many); those up to `pieces_used` count.
    pub(crate) pieces: [(u16, u16); BUFFER],
    pub(crate) pieces_used: usize,
}

impl Batch {
    #[inline(always)]
    pub(crate) fn new(per_block: usize) -> Self {
        Self { per_block: per_block as u64, numbers: [0; BUFFER], blocks: 0, pieces: [(0, 0); BUFFER], pieces_used: 0 }
    }

    /// The numbers of the blocks to compute.
    #[inline(always)]
    pub(crate) fn numbers(&self) -> &[u64] {
        &self.numbers[..self.blocks]
    }

    /// Takes as many elements as fit, from what is left of `run` and then from `runs`.
    #[inline(always)]
    pub(crate) fn gather(&mut self, run: &mut Option<(u64, usize)>, runs: &mut Runs<'_>) {
        self.blocks = 0;
        self.pieces_used = 0;
        while let Some((first, count)) = *run {
            let (block, skip) = (first / self.per_block, (first % self.per_block) as usize);
            // A run may start in the block where the one before it ended.
            let shared = self.blocks > 0 && self.numbers[self.blocks - 1] == block;
            let start = self.blocks - usize::from(shared);
            let room = (BUFFER - start) * self.per_block as usize;
            if room == 0 || self.pieces_used == BUFFER {
                return;
            }
            let taken = count.min(room - skip);
            let end = start + (skip + taken).div_ceil(self.per_block as usize);
            for (step, number) in self.numbers[start..end].iter_mut().enumerate() {
                *number = block.wrapping_add(step as u64);
            }
            self.pieces[self.pieces_used] = ((start * self.per_block as usize + skip) as u16, taken as u16);
            self.pieces_used += 1;
            self.blocks = end;
            *run = if taken < count { Some((first.wrapping_add(taken as u64), count - taken)) } else { runs.next() };
        }
    }
}

/// Elements that come in numbered blocks, each of which can be made alone: what a kernel asks of a stream and a law.
///
/// Everything here is `#[inline(always)]` in every implementation, so that it is compiled for the kernel's level.
pub(crate) trait Blocks<E> {
    /// What an element is rounded from.
    type Value: Copy + Default;
    /// Memory that `sample` works in, kept from batch to batch.
    type Scratch;
    /// Elements of a block; at most four.
    const PER_BLOCK: usize;

    /// Memory for `sample`.
    fn scratch(&self) -> Self::Scratch;

    /// The values of the batch's blocks, [`PER_BLOCK`](Self::PER_BLOCK) a block.
    fn sample(&self, batch: &Batch, scratch: &mut Self::Scratch, values: &mut [Self::Value]);

    /// The element made of a value.
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

impl<E, B: Blocks<E>> Kernel for Chunk<'_, E, B> {
    #[inline(always)]
    fn run(self) {
        let mut batch = Batch::new(B::PER_BLOCK);
        let mut scratch = self.blocks.scratch();
        let mut values = CacheLines([B::Value::default(); 4 * BUFFER]);
        let mut runs = self.region.runs(self.first..self.first + self.out.len() as u64);
        let mut run = runs.next();
        let mut out = self.out;
        while !out.is_empty() {
            // numbers, values, elements: plain loops over buffers in L1
            batch.gather(&mut run, &mut runs);
            prefetch_for_writing(&out[..out.len().min(batch.blocks * B::PER_BLOCK)]);
            self.blocks.sample(&batch, &mut scratch, &mut values.0[..batch.blocks * B::PER_BLOCK]);
            for &(skip, count) in &batch.pieces[..batch.pieces_used] {
                let (skip, count) = (usize::from(skip), usize::from(count));
                let (piece, rest) = out.split_at_mut(count);
                for (element, value) in piece.iter_mut().zip(&values.0[skip..skip + count]) {
                    *element = self.blocks.element(*value);
                }
                out = rest;
            }
        }
    }
}
