//! Picks: which indices of one axis a part of a tensor holds.

use std::ops::Range;

/// Which indices of one axis a part holds, in its own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picks {
    /// `count` indices from `start` on, `step` apart.
    Range {
        /// The first.
        start: u64,
        /// From one to the next; negative backwards.
        step: i64,
        /// How many.
        count: u64,
    },
    /// These, in any order, repeated or not.
    List(Vec<u64>),
}

impl Picks {
    /// `count` neighbours from `start` on.
    #[must_use]
    pub const fn range(start: u64, count: u64) -> Self {
        Self::Range { start, step: 1, count }
    }

    /// How many indices.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Range { count, .. } => *count,
            Self::List(list) => list.len() as u64,
        }
    }

    /// Those at `places`, which must lie in them.
    #[must_use]
    pub fn part(&self, places: Range<u64>) -> Self {
        match self {
            Self::Range { start, step, .. } => {
                // Wraps only where no index is left.
                let start = start.wrapping_add_signed(step.wrapping_mul(places.start as i64));
                Self::Range { start, step: *step, count: places.end - places.start }
            }
            Self::List(list) => Self::List(list[places.start as usize..places.end as usize].to_vec()),
        }
    }

    /// Whether every index is less than `extent`.
    pub(crate) fn lie_in(&self, extent: u128) -> bool {
        match self {
            Self::Range { count: 0, .. } => true,
            Self::Range { start, step, count } => {
                // In 128 bits, because start, step and count may each need 64.
                let last = i128::from(*start) + i128::from(*step) * i128::from(count - 1);
                // Both ends suffice, because a range does not turn round.
                u128::from(*start) < extent && u128::try_from(last).is_ok_and(|last| last < extent)
            }
            // A list has no order to rely on: every index is looked at.
            Self::List(list) => list.iter().all(|&index| u128::from(index) < extent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts that lose, repeat or reorder indices.
    #[test]
    fn parts_keep_all_indices_in_order() {
        let back = Picks::Range { start: 9, step: -2, count: 5 };
        assert_eq!(back.part(0..2), Picks::Range { start: 9, step: -2, count: 2 });
        assert_eq!(back.part(2..5), Picks::Range { start: 5, step: -2, count: 3 });
        assert_eq!(Picks::List(vec![7, 7, 1]).part(0..1), Picks::List(vec![7]));
        assert_eq!(Picks::List(vec![7, 7, 1]).part(1..3), Picks::List(vec![7, 1]));
    }

    /// A range whose last index wraps past 64 bits and looks as if it were inside.
    #[test]
    fn the_last_index_counts_too() {
        assert!(Picks::Range { start: 3, step: -1, count: 4 }.lie_in(4));
        assert!(!Picks::Range { start: 3, step: -1, count: 5 }.lie_in(4));
        assert!(!Picks::Range { start: 0, step: i64::MAX, count: u64::MAX }.lie_in(u64::MAX.into()));
        assert!(Picks::Range { start: 9, step: 1, count: 0 }.lie_in(4), "nothing is outside of nothing");
    }
}
