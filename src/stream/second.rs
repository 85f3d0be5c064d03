//! A second stream, for tests alone: what a version takes that comes beside the first one, and leaves it as it is.

use super::consecutive::RUN;
use super::identity::Identity;
use super::philox::{GROUP, Philox};

/// Philox of fewer rounds, so that all of its words are others.
const ROUNDS: usize = 7;

/// The second stream: it has no kernels of its own.
#[derive(Clone, Copy, Debug)]
pub struct Second(Philox);

impl Second {
    pub(super) const fn new(identity: Identity) -> Self {
        Self(Philox::new(identity))
    }

    pub(super) fn groups(&self, numbers: &[u64], pairs: &mut [[u64; 2]]) {
        for (numbers, pairs) in numbers.as_chunks::<GROUP>().0.iter().zip(pairs.as_chunks_mut::<GROUP>().0) {
            *pairs = self.0.rounds(ROUNDS, numbers);
        }
    }

    pub(super) fn write(&self, first: u64, blocks: usize, words: &mut [[u64; 2]; RUN]) {
        let numbers: [u64; RUN] = std::array::from_fn(|block| first.wrapping_add(block as u64));
        let whole = blocks.next_multiple_of(GROUP);
        self.groups(&numbers[..whole], &mut words[..whole]);
    }
}
