//! The floating-point environment: rounding to nearest with subnormals, whatever the caller's thread has set.
//!
//! Other libraries do change it, per thread: flush-to-zero for speed, other roundings for interval arithmetic. Values
//! must not depend on that, so every fill enters the default environment and leaves the caller's as it was.

use std::cell::Cell;

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
        // Nearly every thread has some exception's flag, which changes no value.
        if saved & !control::FLAGS != control::DEFAULT {
            control::write(control::DEFAULT);
        }
        Self { saved }
    }
}

impl Drop for DefaultEnvironment {
    /// Restores the caller's environment, its exception flags included.
    fn drop(&mut self) {
        // Always: on x86-64 the word has exception flags too, and those of the fill are not the caller's.
        control::write(self.saved);
    }
}

thread_local! {
    /// Traps that the thread had when it left its environment.
    static TRAPS: Cell<control::Word> = const { Cell::new(0) };
}

/// The control word as a number, for callers who enter and leave at separate times. Bits that no word has are ignored, and
/// so are traps that this thread never had: the next inexact operation would end the process.
#[must_use]
pub fn exchange(word: Option<u64>) -> u64 {
    let traps = |word| (word ^ control::DEFAULT) & control::TRAPS;
    let saved = control::read();
    let word = word.map_or(control::DEFAULT, |word| word as control::Word & control::LEGAL);
    TRAPS.set(TRAPS.get() | traps(saved));
    let foreign = traps(word) & !TRAPS.get();
    control::write(word ^ foreign);
    u64::from(saved)
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[allow(unsafe_code, reason = "reading and writing the control register; see the blocks")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u32;

    /// All exceptions masked, no flags, round to nearest, no flush to zero.
    pub(super) const DEFAULT: Word = 0x1f80;

    /// The bits that are not reserved: setting another is a fault.
    pub(super) const LEGAL: Word = 0xffff;

    /// Which exceptions are masked.
    pub(super) const TRAPS: Word = 0x1f80;

    /// Which exceptions there have been.
    pub(super) const FLAGS: Word = 0x3f;

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
        // that no reserved bit is set. Code that the compiler might move across computes in functions of its own
        // (level.rs).
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
    }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
#[allow(unsafe_code, reason = "reading and writing the control register; see the blocks")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u64;

    /// Round to nearest, no flush to zero, no traps.
    pub(super) const DEFAULT: Word = 0;

    /// Rounding modes, flushing to zero, what NaNs are; traps.
    pub(super) const LEGAL: Word = 0x1F << 22 | 1 << 19 | TRAPS;

    /// Which exceptions are trapped, on processors that can.
    pub(super) const TRAPS: Word = 1 << 15 | 0x1F << 8;

    /// They are in a register of their own.
    pub(super) const FLAGS: Word = 0;

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

/// Elsewhere nothing is promised, and nothing is changed. Miri has no such register.
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod control {
    pub(super) type Word = u32;
    pub(super) const DEFAULT: Word = 0;
    pub(super) const LEGAL: Word = 0;
    pub(super) const TRAPS: Word = 0;
    pub(super) const FLAGS: Word = 0;

    pub(super) fn read() -> Word {
        DEFAULT
    }

    pub(super) fn write(_: Word) {}
}

#[cfg(all(test, target_arch = "x86_64", not(miri)))]
mod tests {
    use super::*;

    /// A word of Python's that ends the process, now or at the next division.
    #[test]
    fn reserved_bits_and_traps_are_ignored() {
        let saved = exchange(Some(u64::MAX << 16 | 0x1f80));
        assert_eq!(exchange(Some(0)), 0x1f80);
        assert_eq!(exchange(Some(saved)), 0x1f80);
    }

    /// Traps of a host program, which looks for its own faults, that are lost.
    #[test]
    fn traps_that_the_thread_had_come_back() {
        let (default, divisions) = (control::read(), 0x1f80 & !0x200);
        control::write(divisions);
        let saved = exchange(None);
        assert_eq!(exchange(Some(saved)) & 0x1f80, 0x1f80);
        assert_eq!(control::read() & 0x1f80, divisions);
        control::write(default);
    }

    /// Flags of a fill's own exceptions that its caller finds, or flags of the caller's that are gone.
    #[test]
    fn flags_stay_the_callers() {
        for flags in [0, 1, 0x21] {
            let saved = exchange(Some(0x1f80 | flags));
            let inside = DefaultEnvironment::enter();
            std::hint::black_box(std::hint::black_box(1.0_f32) / 3.0);
            drop(inside);
            assert_eq!(exchange(Some(saved)), 0x1f80 | flags);
        }
    }
}
