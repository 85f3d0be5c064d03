//! Bytes of a fuzzer, as numbers and choices; behind their end are zeros.

use crate::machine::level::Level;
use crate::region::picks::Picks;

pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// One of `0..count`, of which there are few.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        u64::from(self.byte()) % count
    }

    /// One of these.
    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Any number: near 0, near 2^64, or of so many bytes.
    pub(super) fn number(&mut self) -> u64 {
        let kind = self.byte();
        let number = (0..kind % 9).fold(0, |number, _| number << 8 | u64::from(self.byte()));
        if kind & 0x80 == 0 { number } else { !number }
    }

    pub(super) fn level(&mut self) -> Level {
        self.of(&[Level::best(), Level::Baseline, Level::Avx2])
    }

    /// Picks of any kind, which may leave any axis.
    pub(super) fn picks(&mut self) -> Picks {
        if self.below(4) == 0 {
            return Picks::List((0..self.below(9)).map(|_| self.number()).collect());
        }
        let (start, step, count) = (self.number(), self.number() as i64, self.number());
        Picks::Range { start, step, count }
    }

    /// `count` picks of an axis of `extent`, of which there is one index at least.
    pub(super) fn picks_within(&mut self, extent: u64, count: u64) -> Picks {
        if self.below(3) == 0 {
            return Picks::List((0..count).map(|_| self.number() % extent).collect());
        }
        // As far apart as there is room for.
        let widest = (extent - 1).checked_div(count.saturating_sub(1)).unwrap_or(1).min(i64::MAX as u64);
        let step = if self.below(2) == 0 { widest.min(1) } else { self.number() % (widest + 1) };
        let reach = step * count.saturating_sub(1);
        let start = self.number() % (extent - reach);
        if self.below(2) == 0 {
            Picks::Range { start, step: step as i64, count }
        } else {
            Picks::Range { start: start + reach, step: -(step as i64), count }
        }
    }
}
