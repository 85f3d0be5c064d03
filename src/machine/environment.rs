//! The floating-point environment: rounding to nearest with subnormals, whatever the caller's thread has set.
//!
//! Other libraries do change it, per thread: flush-to-zero for speed, other roundings for interval arithmetic. Values
//! must not depend on that, so every fill enters the default environment and leaves the caller's as it was.

/// While this lives, the thread rounds to nearest and keeps subnormals.
#[derive(Debug)]
pub struct DefaultEnvironment {
    saved: control::Word,
}

impl DefaultEnvironment {
    /// Enters the default environment.
    #[must_use]
    pub fn enter() -> Self {
        let saved = control::read();
        if saved != control::DEFAULT {
            control::write(control::DEFAULT);
        }
        Self { saved }
    }
}

impl Drop for DefaultEnvironment {
    /// Restores the caller's environment, its exception flags included.
    fn drop(&mut self) {
        control::write(self.saved);
    }
}

/// The control word as a number, for callers who enter and leave at separate times. Bits that no word has are ignored.
#[must_use]
pub fn exchange(word: Option<u64>) -> u64 {
    let saved = control::read();
    control::write(word.map_or(control::DEFAULT, |word| word as control::Word & control::LEGAL));
    u64::from(saved)
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "reading and writing the control register; see the blocks")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u32;

    /// All exceptions masked, no flags, round to nearest, no flush to zero.
    pub(super) const DEFAULT: Word = 0x1f80;

    /// The bits that are not reserved: setting another is a fault.
    pub(super) const LEGAL: Word = 0xffff;

    #[inline(always)]
    pub(super) fn read() -> Word {
        let mut word: Word = 0;
        // SAFETY: stores the 32-bit register to a local of that size.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
        word
    }

    #[inline(always)]
    pub(super) fn write(word: Word) {
        // SAFETY: loads the register from a local. The word is the default, or one that `read` returned, or masked, so
        // that no reserved bit is set. Code that the compiler might move across computes in functions of its own (level.rs).
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code, reason = "reading and writing the control register; see the blocks")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u64;

    /// Round to nearest, no flush to zero, no traps.
    pub(super) const DEFAULT: Word = 0;

    /// Rounding modes, flushing to zero, what NaNs are; no traps, which would end the process.
    pub(super) const LEGAL: Word = 0x1F << 22 | 1 << 19;

    #[inline(always)]
    pub(super) fn read() -> Word {
        let word: Word;
        // SAFETY: reading FPCR has no effect.
        unsafe { asm!("mrs {}, fpcr", out(reg) word, options(nostack, preserves_flags)) };
        word
    }

    #[inline(always)]
    pub(super) fn write(word: Word) {
        // SAFETY: the word is either the default or one that `read` returned. Code that the compiler might move
        // across computes in functions of its own (level.rs).
        unsafe { asm!("msr fpcr, {}", in(reg) word, options(nostack, preserves_flags)) };
    }
}

/// Elsewhere nothing is promised, and nothing is changed.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    pub(super) type Word = u32;
    pub(super) const DEFAULT: Word = 0;
    pub(super) const LEGAL: Word = 0;

    pub(super) fn read() -> Word {
        DEFAULT
    }

    pub(super) fn write(_: Word) {}
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::element::{F16, Placement};
    use crate::fill::{Plan, Schedule, fill};
    use crate::law::Law;
    use crate::region::Region;
    use crate::stream::Identity;

    const FLUSH_AND_ROUND_UP: u64 = 0x1f80 | 1 << 15 | 1 << 6 | 0b10 << 13;

    fn filled(scale: f64, threads: usize) -> (Vec<f32>, Vec<F16>) {
        let mut values = (vec![0.0; 3000], vec![F16(0); 3000]);
        for law in [Law::Uniform, Law::Normal, Law::TruncatedNormal] {
            let placement = Placement { loc: 0.0, scale, low: f64::NEG_INFINITY, high: f64::INFINITY };
            let plan = Plan { law, placement, identity: Identity { key: [1, 2], counter_high: [3, 4] } };
            let schedule = Schedule { chunk: 500, ..Schedule::new(threads) };
            fill(&plan, Region::whole(3000), &mut values.0, &schedule);
            fill(&plan, Region::whole(3000), &mut values.1, &schedule);
        }
        values
    }

    /// Values that depend on what another library did to this thread, or a thread left changed.
    #[test]
    fn values_do_not_depend_on_the_callers_environment() {
        for scale in [1.0, 1e-39, 1e-6] {
            for threads in [1, 3] {
                let expected = filled(scale, threads);
                assert!(expected.0.iter().all(|x| *x != 0.0), "subnormals are part of the test");
                let saved = exchange(Some(FLUSH_AND_ROUND_UP));
                let found = filled(scale, threads);
                let after = exchange(Some(saved));
                assert_eq!(after & !0x3f, FLUSH_AND_ROUND_UP, "the caller's environment is restored");
                assert!(found.0.iter().zip(&expected.0).all(|(a, b)| a.to_bits() == b.to_bits()), "{scale} {threads}");
                assert_eq!(found.1, expected.1, "{scale} {threads}");
            }
        }
    }

    /// A word of Python's that ends the process.
    #[test]
    fn reserved_bits_are_ignored() {
        let saved = exchange(Some(u64::MAX << 16 | 0x1f80));
        assert_eq!(exchange(Some(saved)), 0x1f80);
    }

    /// The test of modes cannot fail: their environment must change ordinary arithmetic.
    #[test]
    fn the_environment_of_the_test_does_something() {
        let saved = exchange(Some(FLUSH_AND_ROUND_UP));
        let tenth = std::hint::black_box(1.0_f32) / std::hint::black_box(10.0);
        let tiny = std::hint::black_box(1e-38_f32) * std::hint::black_box(0.1);
        let _ = exchange(Some(saved));
        assert!(tenth.to_bits() == 0.1_f32.to_bits() && tiny == 0.0 || tenth.to_bits() != 0.1_f32.to_bits());
        assert!(tiny == 0.0, "{tiny:e}");
    }
}
