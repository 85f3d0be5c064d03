//! Words of consecutive blocks, by a kernel for each level: the bits of [`Philox::blocks`], in less time.

mod keys;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::philox::{GROUP, Philox};
use crate::machine::level::Simd;
use keys::Keys;
pub(crate) use keys::RUN;

/// The words of blocks that follow each other.
#[derive(Debug)]
pub(crate) struct Consecutive {
    philox: Philox,
    keys: Keys,
}

impl Consecutive {
    /// Those of `philox`.
    pub(crate) fn new(philox: Philox) -> Self {
        Self { philox, keys: Keys::new(&philox, 0) }
    }

    /// Writes the words of so many blocks from `first` on, [`RUN`] at most. Nobody looks at the words behind them.
    pub(crate) fn write(&mut self, simd: Simd, first: u64, blocks: usize, words: &mut [[u64; 2]; RUN]) {
        // Kernels look at the lower halves of numbers: one run in 2^32 blocks goes on with another upper half.
        if (first as u32).checked_add(RUN as u32).is_none()
            || !cfg!(any(target_arch = "aarch64", target_arch = "x86_64"))
        {
            return self.plain(simd, first, blocks, words);
        }
        let upper = (first >> 32) as u32;
        if self.keys.upper != upper {
            self.keys = Keys::new(&self.philox, upper);
        }
        #[cfg(target_arch = "aarch64")]
        neon::words(&self.keys, first as u32, blocks, words);
        #[cfg(target_arch = "x86_64")]
        x86::words(simd, &self.keys, first as u32, blocks, words);
    }

    /// The same by the loop that takes any numbers.
    fn plain(&self, simd: Simd, first: u64, blocks: usize, words: &mut [[u64; 2]; RUN]) {
        let numbers: [u64; RUN] = std::array::from_fn(|block| first.wrapping_add(block as u64));
        let whole = blocks.next_multiple_of(GROUP);
        self.philox.groups(simd, &numbers[..whole], &mut words[..whole]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::level::Level;
    use crate::stream::identity::Identity;

    const IDENTITY: Identity = Identity { key: [0xdead_beef, 7], counter_high: [0x1234_5678, 0x9abc_def0] };

    /// Asserts that the blocks from `first` on have the words that the plain loop gives them one by one.
    fn same_words(stream: &mut Consecutive, level: Level, first: u64, blocks: usize) {
        let mut words = [[7; 2]; RUN];
        stream.write(level.simd(), first, blocks, &mut words);
        for (block, found) in words[..blocks].iter().enumerate() {
            let number = first.wrapping_add(block as u64);
            let expected = Philox::new(IDENTITY).group(&[number; GROUP])[0];
            assert_eq!(*found, expected, "{level:?}: block {block} of {blocks} from {first:#x}");
        }
    }

    /// A level whose rounds, lanes or order are others, or a last block that is left out.
    #[test]
    fn every_level_and_count_has_the_plain_words() {
        for level in Level::ALL {
            let mut stream = Consecutive::new(Philox::new(IDENTITY));
            for blocks in 0..=RUN {
                same_words(&mut stream, level, 1000, blocks);
            }
        }
    }

    /// A carry that is lost, keys of another upper half, or a number that is cut to 32 bits.
    #[test]
    fn runs_cross_and_leave_two_to_the_32() {
        for level in Level::ALL {
            // One stream for all: its keys are those of the run before.
            let mut stream = Consecutive::new(Philox::new(IDENTITY));
            for border in [0, 1 << 32, 5 << 32, 1 << 63] {
                for back in [0, 1, 2, 50, RUN as u64 - 1, RUN as u64, RUN as u64 + 1, 1 << 31] {
                    // Back from 0 lie the last blocks, whose groups end behind the stream.
                    same_words(&mut stream, level, u64::wrapping_sub(border, back), RUN);
                }
            }
        }
    }
}
