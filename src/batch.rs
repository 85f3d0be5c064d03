//! Batches: the blocks that a kernel computes at once, gathered from one long run of elements or from many short ones.

use crate::region::Runs;

/// Blocks that a kernel holds at once: words and values then take 8 KiB, well inside an L1 cache.
pub(crate) const BUFFER: usize = 256;

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
