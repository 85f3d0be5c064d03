//! Words of a TensorFlow op: those of Philox, from its first block on.

use crate::fill::batch::BUFFER;
use crate::machine::level::Simd;
use crate::machine::lines::CacheLines;
use crate::stream::{GROUP, Philox};

/// An op's stream.
pub(super) struct Stream {
    pub(super) philox: Philox,
    /// The op's first block.
    pub(super) first: u64,
}

/// Numbers of blocks, and their words.
pub(super) struct Words {
    numbers: [u64; BUFFER],
    words: CacheLines<[[u64; 2]; BUFFER]>,
}

impl Words {
    pub(super) const fn new() -> Self {
        Self { numbers: [0; BUFFER], words: CacheLines([[0; 2]; BUFFER]) }
    }

    /// Those of blocks that are counted from the op's first one.
    #[inline(always)]
    pub(super) fn of(
        &mut self,
        stream: &Stream,
        simd: Simd,
        blocks: impl ExactSizeIterator<Item = u64>,
    ) -> &[[u64; 2]] {
        // Numbers are gathered first, because the rounds want them in one array.
        let count = blocks.len();
        for (number, block) in self.numbers.iter_mut().zip(blocks) {
            *number = stream.first.wrapping_add(block);
        }
        // Behind the last number stand older ones: their words are made, and not looked at.
        let whole = count.next_multiple_of(GROUP);
        stream.philox.groups(simd, &self.numbers[..whole], &mut self.words.0[..whole]);
        &self.words.0[..count]
    }
}
