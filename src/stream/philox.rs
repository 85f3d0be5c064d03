//! Philox4x32-10 over many counters at once.
//!
//! Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011, section 3.3.

use super::identity::Identity;
use crate::machine::level::{Kernel, Level, Simd};
use std::hint::black_box;

/// Blocks that one pass of the rounds computes together.
pub const GROUP: usize = 32;

/// The low 32 bits of a lane.
const LOW: u64 = 0xffff_ffff;
// The paper's constants. Round keys step by the golden ratio and √3 − 1, which are odd and so return only after 2^32.
pub(super) const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
pub(super) const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
pub(super) const ROUNDS: usize = 10;

/// Stream 1: block `b` of an identity is Philox4x32-10 of the counter (b, high half of the identity).
#[derive(Clone, Copy, Debug)]
pub struct Philox {
    pub(super) identity: Identity,
}

impl Philox {
    /// The stream of `identity`.
    #[must_use]
    pub const fn new(identity: Identity) -> Self {
        Self { identity }
    }

    /// Writes the words of consecutive blocks, two 64-bit pairs per block: `w0 | w1 << 32`, `w2 | w3 << 32`.
    ///
    /// # Errors
    ///
    /// [`PastTheEnd`] when the range would carry past block 2^64 − 1 into the identity; nothing is written then.
    pub fn blocks(&self, first: u64, pairs: &mut [[u64; 2]]) -> Result<(), PastTheEnd> {
        let count = pairs.len() as u64;
        if count > 0 && first.checked_add(count - 1).is_none() {
            return Err(PastTheEnd { first, count });
        }
        for (number, pairs) in pairs.chunks_mut(GROUP).enumerate() {
            // Lanes behind the last block may wrap past 2^64: nobody copies them.
            let block = first + (number * GROUP) as u64;
            let words = self.group(&std::array::from_fn(|lane| block.wrapping_add(lane as u64)));
            pairs.copy_from_slice(&words[..pairs.len()]);
        }
        Ok(())
    }

    /// Writes the words of any blocks, one for each of `numbers`, in whole groups: both are as long as a multiple of
    /// [`GROUP`], so that the rounds stand in the library once for each level.
    pub(crate) fn groups(&self, simd: Simd, numbers: &[u64], pairs: &mut [[u64; 2]]) {
        simd.run(Groups { stream: self, numbers, pairs });
    }

    /// The words of [`GROUP`] blocks.
    ///
    /// Each 32-bit word lives in a 64-bit lane whose high half may hold garbage: the multiplication reads the
    /// low half, and its 64-bit product *is* both halves the next round needs. That turns a round into one
    /// widening multiplication, one shift and one three-way xor per lane, in plain loops that LLVM vectorises.
    #[inline(always)]
    #[must_use]
    pub fn group(&self, numbers: &[u64; GROUP]) -> [[u64; 2]; GROUP] {
        self.rounds(ROUNDS, numbers)
    }

    /// The same after so many rounds: ten in version 1.
    #[inline(always)]
    pub(super) fn rounds(&self, rounds: usize, numbers: &[u64; GROUP]) -> [[u64; 2]; GROUP] {
        let mut x0 = [0; GROUP];
        let mut x1 = [0; GROUP];
        for lane in 0..GROUP {
            // Whole: its high half is the garbage that the rounds do not look at.
            x0[lane] = numbers[lane];
            x1[lane] = numbers[lane] >> 32;
        }
        let mut x2 = [u64::from(self.identity.counter_high[0]); GROUP];
        let mut x3 = [u64::from(self.identity.counter_high[1]); GROUP];
        let [mut k0, mut k1] = self.identity.key;
        for _ in 0..rounds {
            for lane in 0..GROUP {
                // The mask is free: it tells LLVM that a widening 32-bit multiplication does.
                let p0 = (x0[lane] & LOW) * MULTIPLIERS[0];
                let p1 = (x2[lane] & LOW) * MULTIPLIERS[1];
                x0[lane] = (p1 >> 32) ^ x1[lane] ^ u64::from(k0);
                // Not shifted or masked: the low half is the word, the high half the next garbage.
                x1[lane] = p1;
                x2[lane] = (p0 >> 32) ^ x3[lane] ^ u64::from(k1);
                x3[lane] = p0;
            }
            // After the last round too, where nobody needs it: an exception would cost the loop more.
            k0 = k0.wrapping_add(WEYL[0]);
            k1 = k1.wrapping_add(WEYL[1]);
        }
        let mut pairs = [[0; 2]; GROUP];
        for lane in 0..GROUP {
            // The mask takes the garbage of the even words away, the shift that of the odd ones.
            pairs[lane] = [(x0[lane] & LOW) | (x1[lane] << 32), (x2[lane] & LOW) | (x3[lane] << 32)];
        }
        pairs
    }
}

/// Makes the words of whole groups.
struct Groups<'a> {
    stream: &'a Philox,
    numbers: &'a [u64],
    pairs: &'a mut [[u64; 2]],
}

impl Kernel for Groups<'_> {
    #[inline(always)]
    fn run(self, level: Level) {
        // With 512-bit vectors a group lives in registers, as long as LLVM does not see how many rounds there are: it
        // unrolls them, moves their instructions about and spills. Uniform values then take 1.4 times as long. Narrower
        // vectors spill in any case, and gain from unrolling as much.
        let rounds = if level == Level::Avx512 { black_box(ROUNDS) } else { ROUNDS };
        for (numbers, pairs) in self.numbers.as_chunks::<GROUP>().0.iter().zip(self.pairs.as_chunks_mut::<GROUP>().0) {
            *pairs = self.stream.rounds(rounds, numbers);
        }
    }
}

/// A range of blocks that leaves the stream: block numbers end at 2^64 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastTheEnd {
    /// The first block asked for.
    pub first: u64,
    /// How many were asked for.
    pub count: u64,
}

impl std::fmt::Display for PastTheEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} blocks from block {} run past block 2^64 - 1, the stream's last", self.count, self.first)
    }
}

impl std::error::Error for PastTheEnd {}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_philox::Philox as Oracle;

    fn words(identity: Identity, first: u64, blocks: usize) -> Vec<u32> {
        let mut pairs = vec![[0; 2]; blocks];
        Philox::new(identity).blocks(first, &mut pairs).unwrap();
        pairs.iter().flatten().flat_map(|&p| [p as u32, (p >> 32) as u32]).collect()
    }

    /// Broken rounds, multipliers or word order: Random123's published answers (`kat_vectors`, philox4x32 10).
    #[test]
    fn known_answers_of_random123() {
        let text = include_str!("../../tests/known_answers/philox4x32_10.txt");
        let mut cases = 0;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let v: Vec<u32> = line.split_whitespace().map(|w| u32::from_str_radix(w, 16).unwrap()).collect();
            let identity = Identity { key: [v[4], v[5]], counter_high: [v[2], v[3]] };
            let first = u64::from(v[0]) | u64::from(v[1]) << 32;
            assert_eq!(words(identity, first, 1), v[6..10], "{line}");
            cases += 1;
        }
        assert_eq!(cases, 3);
    }

    fn identity(seed: u64) -> Identity {
        let spread = |k: u64| (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(k as u32 * 17) as u32;
        Identity { key: [spread(0), spread(1)], counter_high: [spread(2), spread(3)] }
    }

    fn oracle(identity: Identity, first: u64, blocks: usize) -> Vec<u32> {
        let high = u64::from(identity.counter_high[0]) | u64::from(identity.counter_high[1]) << 32;
        let mut words = vec![0; 4 * blocks];
        Oracle::new(identity.key, u128::from(high) << 64 | u128::from(first)).fill_u32(&mut words);
        words
    }

    /// A lane that computes another block than its own, or a wrong key schedule.
    #[test]
    fn equals_an_independent_implementation() {
        for seed in 0..8 {
            let id = identity(seed);
            assert_eq!(words(id, seed * 1001, 1100), oracle(id, seed * 1001, 1100));
        }
    }

    /// A block number kept in 32 bits, or a carry lost inside a lane group.
    #[test]
    fn carries_past_two_to_the_32_inside_a_group() {
        let id = identity(3);
        for back in 1..GROUP as u64 {
            let first = (1 << 32) - back;
            assert_eq!(words(id, first, GROUP), oracle(id, first, GROUP), "{back} before the carry");
        }
    }

    /// A last block that cannot be had, or a counter that runs over into the identity.
    #[test]
    fn ends_at_block_two_to_the_64() {
        let id = identity(5);
        assert_eq!(words(id, u64::MAX, 1), oracle(id, u64::MAX, 1));
        assert_eq!(words(id, u64::MAX - 20, 21), oracle(id, u64::MAX - 20, 21));
        let mut pairs = [[7; 2]; 2];
        let refused = Philox::new(id).blocks(u64::MAX, &mut pairs);
        assert_eq!(refused, Err(PastTheEnd { first: u64::MAX, count: 2 }));
        assert_eq!(pairs, [[7; 2]; 2], "a refused range is not half written");
        assert_eq!(
            refused.unwrap_err().to_string(),
            "2 blocks from block 18446744073709551615 run past block 2^64 - 1, the stream's last"
        );
    }

    /// Identities that share the key must not share blocks, and the bytes' order is part of the promise.
    #[test]
    fn an_identity_is_key_then_counter_high_little_endian() {
        let bytes: [u8; 16] = std::array::from_fn(|i| i as u8 + 1);
        let id = Identity::from_bytes(bytes);
        assert_eq!(id.key, [0x0403_0201, 0x0807_0605]);
        assert_eq!(id.counter_high, [0x0C0B_0A09, 0x100F_0E0D]);
    }
}
