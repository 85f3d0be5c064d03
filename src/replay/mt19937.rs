//! MT19937: the generator of torch's CPU tensors, a serial one.
//!
//! Matsumoto and Nishimura, *Mersenne Twister*, 1998; seeded by one word, as in their version of 2002. Both the twist
//! and the tempering are plain loops that vectorise.

mod jump;
mod state;

use crate::machine::level::{Kernel, Level, Simd};
use state::{STATE, State, seeded, temper, twist};

/// AVX-512 would make what draws from the generator at most a quarter faster.
pub const HIGHEST: Level = Level::Avx2;

/// States from which on a jump is faster than making all on the way: 0.9 ms for 4 million words, either way. The farthest
/// jump takes 3 ms.
const FAR: u64 = 6000;

/// A place in the sequence of one seed.
#[derive(Clone, Debug)]
pub struct Mt19937 {
    /// On the heap: it is passed on from hand to hand, and stacks may be small.
    state: Box<State>,
    /// Words of the state that are behind us: never none, as a jump leaves the first one undefined.
    used: usize,
    /// For passing over words.
    simd: Simd,
}

impl Mt19937 {
    /// The sequence of `seed`, from its first word.
    #[must_use]
    pub fn new(seed: u32, simd: Simd) -> Self {
        Self { state: Box::new(seeded(seed)), used: STATE, simd }
    }

    /// The next words.
    #[inline(always)]
    pub fn fill(&mut self, words: &mut [u32]) {
        let mut rest = words;
        while !rest.is_empty() {
            if self.used == STATE {
                twist(&mut self.state);
                self.used = 0;
            }
            // As many as the state still has, at once: tempering one word at a time would not vectorise.
            let count = rest.len().min(STATE - self.used);
            let (now, later) = rest.split_at_mut(count);
            for (word, &state) in now.iter_mut().zip(&self.state[self.used..self.used + count]) {
                *word = temper(state);
            }
            self.used += count;
            rest = later;
        }
    }

    /// Passes over words, without tempering them.
    pub fn skip(&mut self, words: u64) {
        self.simd.run(Skip { words, generator: self });
    }
}

/// Passes over words.
struct Skip<'a> {
    words: u64,
    generator: &'a mut Mt19937,
}

impl Kernel for Skip<'_> {
    const HIGHEST: Level = HIGHEST;

    #[inline(always)]
    fn run(self, _: Level) {
        let Self { words, generator: Mt19937 { state, used, .. } } = self;
        let states = words / STATE as u64;
        if states < FAR {
            // No word is tempered, but every state on the way is made: one follows only from the one before.
            for _ in 0..states {
                twist(state);
            }
        } else {
            jump::jump(state, states * STATE as u64);
        }
        *used += (words % STATE as u64) as usize;
        // Not at STATE itself: the next draw twists then, and a generator that is not drawn from never needs to.
        if *used > STATE {
            twist(state);
            *used -= STATE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(generator: &mut Mt19937, count: usize) -> Vec<u32> {
        let mut words = vec![0; count];
        generator.fill(&mut words);
        words
    }

    /// Another generator: the C++ standard fixes the 10,000th word of seed 5489, and the authors' `mt19937ar.out` of
    /// seed 5489 begins with these.
    #[test]
    fn known_answers() {
        let found = words(&mut Mt19937::new(5489, Level::best().simd()), 10_000);
        assert_eq!(found[..3], [3_499_211_612, 581_869_302, 3_890_346_734]);
        assert_eq!(found[9_999], 4_123_659_995);
    }

    /// Words that depend on how many are asked for at once, or a place that is skipped wrongly at the edge of a state.
    #[test]
    fn skipping_is_drawing() {
        let all = words(&mut Mt19937::new(42, Level::best().simd()), 5000);
        for first in [0, 1, 16, 623, 624, 625, 1247, 1248, 1249, 3000] {
            let mut generator = Mt19937::new(42, Level::best().simd());
            generator.skip(first as u64);
            assert_eq!(words(&mut generator, 700), all[first..first + 700], "{first}");
            generator.skip(0);
            generator.skip(7);
            assert_eq!(words(&mut generator, 1), all[first + 707..first + 708], "{first}");
        }
    }

    /// Another polynomial or a wrong power of x, which all but the shortest ways would show: the words are those of
    /// `tests/oracle/mersenne.py`, which finds a recurrence in words of `NumPy`'s.
    #[test]
    fn known_answers_far_ahead() {
        for (skip, expected) in [
            ((1 << 32) + 5, [3_889_728_932, 1_415_808_760, 2_457_656_970]),
            (1 << 48, [631_728_171, 3_346_868_722, 168_273_240]),
            (1 << 63, [2_901_213_308, 1_845_510_801, 2_757_225_701]),
            (u64::MAX, [2_381_927_529, 2_170_487_254, 3_928_228_602]),
        ] {
            for level in Level::ALL {
                let mut generator = Mt19937::new(5489, level.simd());
                generator.skip(skip);
                assert_eq!(words(&mut generator, 3), expected, "{skip} {level:?}");
            }
        }
    }

    /// A jump that is not as far as its steps, that depends on where in a state it begins, or whose first word, which has
    /// 31 undefined bits, is drawn or used.
    #[test]
    fn jumps_are_steps() {
        const STEP: u64 = FAR * STATE as u64 / 2;
        for used in [0, 1, 16, 622, 623, 624, 625] {
            let mut start = Mt19937::new(42, Level::best().simd());
            start.skip(used);
            // Multiples of a state, as an undefined word is right in one of two.
            for further in [0, 1, 622, 623, 624, 625, 1248, 1872, 2496, 3120, 3744, STEP - 1] {
                let (mut jumped, mut walked) = (start.clone(), start.clone());
                jumped.skip(2 * STEP + further);
                for step in [STEP, STEP, further] {
                    walked.skip(step);
                }
                assert_eq!(words(&mut jumped, 2000), words(&mut walked, 2000), "{used} {further}");
                // From where the last jump led, and so from words that it made.
                jumped.skip((1 << 40) + further);
                walked.skip(1 << 40);
                walked.skip(further);
                assert_eq!(words(&mut jumped, 2000), words(&mut walked, 2000), "{used} {further}");
            }
        }
    }
}
