//! Picks: indices of an axis, and whether they lie in it.

use super::bytes::Bytes;
use crate::region::picks::Picks;

/// So many indices are gone through one by one.
const FEW: u64 = 300;

/// Picks are the indices that their definition lists.
pub fn picks(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let picks = bytes.picks();
    // An axis that ends at one of the indices, or beside it, or anywhere.
    let place = bytes.number().min(picks.count().saturating_sub(1));
    let near = if picks.count() > 0 { index(&picks, place).max(0) as u128 + u128::from(bytes.below(3)) } else { 0 };
    let extent = if bytes.below(2) == 0 { near.min(1 << 64) } else { u128::from(bytes.number()) };
    let inside = lie_in(&picks, extent);
    assert_eq!(picks.lie_in(extent), inside, "{picks:?} {extent}");
    if inside {
        let first = bytes.number().min(picks.count());
        let end = first + bytes.number().min(picks.count() - first);
        let part = picks.part(first..end);
        assert_eq!(part.count(), end - first);
        for place in (first..end).take(FEW as usize) {
            assert_eq!(index(&part, place - first), index(&picks, place), "{picks:?} {first}..{end}");
        }
    }
}

/// The index at a place, in numbers that hold any.
pub(super) fn index(picks: &Picks, place: u64) -> i128 {
    match picks {
        Picks::Range { start, step, .. } => i128::from(*start) + i128::from(*step) * i128::from(place),
        Picks::List(list) => i128::from(list[place as usize]),
    }
}

/// Whether all indices are in an axis: one by one, or by how many steps there is room for.
pub(super) fn lie_in(picks: &Picks, extent: u128) -> bool {
    let is_inside = |index: i128| index >= 0 && (index as u128) < extent;
    match picks {
        Picks::Range { start, step, count } if *count > FEW => {
            let room = if *step < 0 { u128::from(*start) } else { extent.saturating_sub(u128::from(*start) + 1) };
            let steps = room.checked_div(u128::from(step.unsigned_abs()));
            is_inside(i128::from(*start)) && steps.is_none_or(|steps| u128::from(*count) <= steps + 1)
        }
        _ => (0..picks.count()).all(|place| is_inside(index(picks, place))),
    }
}
