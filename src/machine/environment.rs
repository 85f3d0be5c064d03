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
        // Always: on x86-64 the word has exception flags too, and those of the fill are not the caller's.
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
        // that no reserved bit is set. Code that the compiler might move across computes in functions of its own
        // (level.rs).
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

    /// A word of Python's that ends the process.
    #[test]
    fn reserved_bits_are_ignored() {
        let saved = exchange(Some(u64::MAX << 16 | 0x1f80));
        assert_eq!(exchange(Some(saved)), 0x1f80);
    }
}
