//! The states of MT19937, each of which is made of the one before.

/// Words of a state, which are tempered one after another before the next state is made.
pub(super) const STATE: usize = 624;
// The paper's m: how far ahead the word lies that a new one is mixed with.
pub(super) const SHIFT: usize = 397;
// The paper's a: the last row of the matrix that a word is mixed with.
pub(super) const MATRIX: u32 = 0x9908_b0df;

pub(super) type State = [u32; STATE];

/// The state of a seed, which itself gives no words: the first ones are of the state after it.
pub(super) fn seeded(seed: u32) -> State {
    let mut state = [seed; STATE];
    for i in 1..STATE {
        // The multiplier is Knuth's (TAOCP volume 2, third edition, page 106), as `mt19937ar.c` says.
        let before = state[i - 1];
        state[i] = (before ^ before >> 30).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
    }
    state
}

/// Makes the next state.
#[inline(always)]
pub(super) fn twist(x: &mut State) {
    // Two loops whose reads are never behind the writes that they need: 227 words apart at least.
    for i in 0..STATE - SHIFT {
        x[i] = x[i + SHIFT] ^ mixed(x[i], x[i + 1]);
    }
    for i in STATE - SHIFT..STATE - 1 {
        x[i] = x[i + SHIFT - STATE] ^ mixed(x[i], x[i + 1]);
    }
    // The last word's right neighbour is the first of the new state, which stands already.
    x[STATE - 1] = x[SHIFT - 1] ^ mixed(x[STATE - 1], x[0]);
}

#[inline(always)]
const fn mixed(high: u32, low: u32) -> u32 {
    // One bit of this word and 31 of the next: that makes the state 19,937 bits and not 19,968.
    let joined = (high & 0x8000_0000) | (low & 0x7fff_ffff);
    // A mask and not a branch, so that loops over this vectorise.
    joined >> 1 ^ (low & 1).wrapping_neg() & MATRIX
}

/// The word that is drawn of a state's.
#[inline(always)]
pub(super) const fn temper(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c_5680;
    y ^= y << 15 & 0xefc6_0000;
    y ^ y >> 18
}
