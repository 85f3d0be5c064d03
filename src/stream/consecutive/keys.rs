//! What the kernels of consecutive blocks share.

use crate::stream::identity::Identity;
use crate::stream::philox::{GROUP, MULTIPLIERS, Philox, ROUNDS, WEYL};

/// Blocks that are made at once at most: whole groups of every kernel's.
pub(crate) const RUN: usize = 96;
const _: () = assert!(RUN.is_multiple_of(GROUP), "the plain loop makes whole groups");

/// What the rounds need beside the lower halves of the blocks' numbers.
#[derive(Debug)]
pub(super) struct Keys {
    /// The upper half of the numbers, which is the same for all.
    pub(super) upper: u32,
    /// Of the first two rounds, what does not depend on the lower halves: they multiply two words that do not.
    pub(super) shared: [u64; 4],
    /// The keys of the other rounds; in 64 bits, so that one instruction loads them into all lanes.
    pub(super) rounds: [[u64; 2]; ROUNDS - 2],
}

impl Keys {
    pub(super) fn new(philox: &Philox, upper: u32) -> Self {
        let Identity { key, counter_high: [x2, x3] } = philox.identity;
        let key = |round: u32| [0, 1].map(|half| key[half].wrapping_add(WEYL[half].wrapping_mul(round)));
        let [first, second] = [key(0), key(1)];
        let p1 = u64::from(x2) * MULTIPLIERS[1];
        let x0 = (p1 >> 32) as u32 ^ upper ^ first[0];
        let p0 = u64::from(x0) * MULTIPLIERS[0];
        let shared = [x3 ^ first[1], p1 as u32 ^ second[0], (p0 >> 32) as u32 ^ second[1], p0 as u32];
        let rounds = std::array::from_fn(|round| key(round as u32 + 2).map(u64::from));
        Self { upper, shared: shared.map(u64::from), rounds }
    }
}
