//! The inverse at many uniforms: the bits of [`Truncation::inverse`], in loops that vectorise.
//!
//! Value by value, each takes one of three pieces, which is a branch that no processor can foresee. Here a loop takes
//! one piece: all values that of the centre, and those beyond it, gathered before, that of the tail.

use super::Truncation;
use crate::math::tail::{CENTRE, NEAR, centre, far, near, root};

/// Values that are inverted together: a byte holds a place among them.
const BATCH: usize = 256;
/// Loops take whole groups, which the vectors of every level divide.
const GROUP: usize = 16;

impl Truncation {
    /// `round` of the value at `uniform` of each word.
    #[inline(always)]
    pub(in crate::law) fn each<W: Copy, V>(
        &self,
        words: &[W],
        values: &mut [V],
        uniform: impl Fn(W) -> f64,
        round: impl Fn(f64) -> V,
    ) {
        for (words, values) in words.chunks(BATCH).zip(values.chunks_mut(BATCH)) {
            // Behind the last word stands a mass of the centre, to fill the group.
            let mut x = [0.25; BATCH];
            for (x, &word) in x.iter_mut().zip(words) {
                let (p, q) = self.tails(uniform(word));
                // The difference has the sign of the comparison. Of one comparison for sign and mass, LLVM would make
                // two ways through all that follows.
                *x = signed(if p < q { p } else { q }, p - q);
            }
            invert(&mut x, words.len().next_multiple_of(GROUP));
            for (value, &x) in values.iter_mut().zip(&x) {
                *value = round(self.clamp(x));
            }
        }
    }
}

/// Makes a value of each of the first masses in `x`, `count` of them; value and mass have one sign.
#[inline(always)]
fn invert(x: &mut [f64; BATCH], count: usize) {
    let mut beyond = [0; BATCH];
    for (beyond, x) in beyond[..count].as_chunks_mut::<GROUP>().0.iter_mut().zip(x[..count].as_chunks::<GROUP>().0) {
        for (beyond, x) in beyond.iter_mut().zip(x) {
            *beyond = u8::from(0.5 - x.abs() > CENTRE);
        }
    }
    let mut places = [0; BATCH + 8];
    let tails = list(&beyond[..count], &mut places);
    let places = &places[..tails];
    // As above, what fills the last group is a mass of a tail.
    let mut tail = [0.05; BATCH];
    for (mass, &place) in tail.iter_mut().zip(places) {
        *mass = x[usize::from(place)];
    }
    for x in x[..count].as_chunks_mut::<GROUP>().0 {
        for x in x {
            *x = signed(centre(0.5 - x.abs()), *x);
        }
    }
    invert_tail(tail[..tails.next_multiple_of(GROUP)].as_chunks_mut().0);
    for (value, &place) in tail.iter().zip(places) {
        x[usize::from(place)] = *value;
    }
}

/// As [`invert`], for masses beyond the centre.
#[inline(always)]
fn invert_tail(masses: &mut [[f64; GROUP]]) {
    let mut any_far = false;
    for group in &mut *masses {
        for x in group {
            let w = root(x.abs());
            any_far |= w > NEAR;
            *x = signed(w, *x);
        }
    }
    for group in masses {
        for x in group {
            let w = x.abs();
            let z = if any_far && w > NEAR { far(w) } else { near(w) };
            *x = signed(z, *x);
        }
    }
}

/// `x` where `sign` is positive, else −`x`.
#[inline(always)]
fn signed(x: f64, sign: f64) -> f64 {
    f64::from_bits(x.to_bits() ^ sign.to_bits() & 1 << 63)
}

/// Writes the places of the flags that are 1, in whole eights, and returns how many those are.
#[inline(always)]
fn list(flags: &[u8], places: &mut [u8; BATCH + 8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut count = 0;
    for (eight, flags) in flags.as_chunks().0.iter().enumerate() {
        let flags = u64::from_le_bytes(*flags);
        // Flag i meets factor 2^(56 − 7i) at bit 56 + i.
        let pattern = flags.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let found = PLACES[pattern as usize] + 8 * eight as u64 * EACH;
        places[count..count + 8].copy_from_slice(&found.to_le_bytes());
        // The highest byte of the product is the sum of all.
        count += (flags.wrapping_mul(EACH) >> 56) as usize;
    }
    count
}

/// For each pattern of eight flags the places of those that are set, a byte each, the first lowest.
static PLACES: [u64; 256] = {
    let mut table = [0; 256];
    let mut pattern = 0;
    while pattern < 256 {
        let (mut place, mut found) = (0, 0);
        while place < 8 {
            if pattern >> place & 1 == 1 {
                table[pattern] |= place << (8 * found);
                found += 1;
            }
            place += 1;
        }
        pattern += 1;
    }
    table
};
