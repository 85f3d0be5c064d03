//! Jumps: a state far ahead, without the states on the way.
//!
//! A step by one word is a linear map T of the state's 19,937 bits over GF(2), and its characteristic polynomial p gives
//! p(T) = 0. So T^n = q(T), where q is x^n modulo p: the state n words ahead is a sum of states less than 19,937 words
//! ahead. (Haramoto, Matsumoto, Nishimura, Panneton and L'Ecuyer, *Efficient Jump Ahead for F2-Linear Random Number
//! Generators*, 2008.)

use super::state::{MATRIX, SHIFT, STATE, State, twist};

/// Of p.
const DEGREE: usize = 19_937;
/// Words of a remainder; the last one has 33 bits.
const LEN: usize = DEGREE.div_ceil(64);
const LAST: usize = DEGREE % 64;
/// Words that are reduced at once: fewer bits than the 623 between p's first two terms.
const STRIDE: usize = 8;

/// The exponents of p, without the first one.
///
/// Appendix A of Matsumoto and Nishimura has p as a sum of (t^n + t^m) (t^(n-1) + t^(m-1))^k, where k is 31, or 30 - i for
/// a bit i of the matrix, and of 1 for its highest bit. Such a product is t^(m + (m-1) k) times (t^(n-m) + 1)^(k+1),
/// whose terms over GF(2) are those of the bits of k + 1 (Lucas). No two of these exponents are equal.
const TAPS: [usize; 134] = {
    let mut taps = [0; 134]; // the first one is that of 1
    let (mut count, mut k) = (1, 0);
    while k < 32 {
        let mut j = 0;
        while j <= k + 1 {
            let is_term = j & !(k + 1) == 0 && (k == 31 || MATRIX >> (30 - k) & 1 == 1);
            let exponent = SHIFT + (SHIFT - 1) * k + (STATE - SHIFT) * j;
            if is_term && exponent < DEGREE {
                taps[count] = exponent;
                count += 1;
            }
            j += 1;
        }
        k += 1;
    }
    assert!(count == taps.len());
    taps
};

/// Makes the state `words` ahead. Of its first word only the highest bit is right, as only that belongs to the state.
#[inline(always)]
pub(super) fn jump(state: &mut State, words: u64) {
    // On the heap: 85 KB are more than some threads have.
    let mut next = Vec::with_capacity(DEGREE + 2 * STATE);
    while next.len() < DEGREE + STATE {
        next.extend_from_slice(state);
        twist(state);
    }
    *state = [0; STATE];
    let q = power(words);
    for i in (0..DEGREE).filter(|i| q[i / 64] >> (i % 64) & 1 == 1) {
        for (sum, word) in state.iter_mut().zip(&next[i..]) {
            *sum ^= word;
        }
    }
}

/// x^n modulo p.
#[inline(always)]
fn power(n: u64) -> [u64; LEN] {
    // The first 14 bits make a power that needs no reduction. Each further bit is a square, and an x more if it is set.
    let further = (u64::BITS - n.leading_zeros()).saturating_sub(DEGREE.ilog2());
    let mut q = [0; LEN];
    let first = (n >> further) as usize;
    q[first / 64] = 1 << (first % 64);
    for bit in (0..further).rev() {
        // A square over GF(2) has each bit at twice its place, which leaves a place for it to move on by one.
        let mut square = [0; 2 * LEN];
        for (pair, &word) in square.as_chunks_mut::<2>().0.iter_mut().zip(&q) {
            *pair = [word as u32, (word >> 32) as u32].map(|half| spread(half) << (n >> bit & 1));
        }
        q = reduced(square);
    }
    q
}

/// Zeros between the bits.
#[inline(always)]
const fn spread(half: u32) -> u64 {
    let mut x = half as u64;
    x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    x = (x | x << 2) & 0x3333_3333_3333_3333;
    (x | x << 1) & 0x5555_5555_5555_5555
}

/// The remainder modulo p.
#[inline(always)]
fn reduced(mut square: [u64; 2 * LEN]) -> [u64; LEN] {
    // From the highest words down: x^(19937 + 64 i) times a word is the sum of its products with x^(64 i + tap).
    for first in (0..LEN).step_by(STRIDE).rev() {
        // A zero at both ends, from which shifting takes what it fills up with.
        let mut high = [0; STRIDE + 2];
        for (i, word) in high[1..=STRIDE].iter_mut().enumerate() {
            let at = first + i + LEN - 1;
            *word = square[at] >> LAST | square[at + 1] << (64 - LAST);
        }
        for &tap in &TAPS {
            let (to, shift) = (first + tap / 64, tap % 64);
            for (i, word) in square[to..=to + STRIDE].iter_mut().enumerate() {
                // In two steps, as a shift by 64 is none.
                *word ^= high[i + 1] << shift | high[i] >> 1 >> (63 - shift);
            }
        }
    }
    let mut remainder = [0; LEN];
    remainder.copy_from_slice(&square[..LEN]);
    remainder[LEN - 1] &= (1 << LAST) - 1;
    remainder
}
