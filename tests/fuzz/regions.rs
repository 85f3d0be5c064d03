//! Regions: which elements a mesh has, in runs, and the values that they get.

use super::bytes::Bytes;
use super::elements::{number, part, same_elements};
use super::picks::lie_in;
use crate::element::{BF16, F16};
use crate::fill::Native;
use crate::law::Law;
use crate::region::picks::Picks;
use crate::region::{Region, RegionError};
use crate::stream::{Identity, Version};
use crate::value::Placement;

/// A mesh has the elements of its definition; a part's elements are those of the whole.
pub fn regions(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    if bytes.below(2) == 0 { mesh(&mut bytes) } else { values(&mut bytes) }
}

fn mesh(bytes: &mut Bytes<'_>) {
    let (mut full, mut picks) = part(bytes);
    // Now and then an axis is anything at all, or one of them is missing.
    if bytes.below(2) == 0 {
        full.push(u128::from(bytes.number()) + 1);
        picks.push(bytes.picks());
    }
    if bytes.below(8) == 0 {
        full.push(1);
    }
    let found = Region::mesh(&full, &picks);
    let len = match length(&full, &picks) {
        Err(error) => return assert_eq!(found.unwrap_err(), error, "{full:?} {picks:?}"),
        Ok(len) => len,
    };
    let region = found.unwrap();
    assert_eq!(region.len(), len, "{full:?} {picks:?}");
    if full.iter().zip(&picks).all(|(&extent, picks)| whole(picks, extent)) {
        assert_eq!(region.run(), len, "a whole tensor is one run");
    }
    let first = bytes.number().min(len);
    let end = first + bytes.number().min(300).min(len - first);
    let mut position = first;
    for (element, count) in region.runs(first..end) {
        let run_ends = (position / region.run() + 1).saturating_mul(region.run()).min(end);
        assert_eq!(count as u64, run_ends - position, "a run is as long as it can be");
        for next in 0..count as u64 {
            assert_eq!(element + next, number(&full, &picks, position + next), "{full:?} {picks:?} {position}");
        }
        position = run_ends;
    }
    assert_eq!(position, end);
}

/// How many elements a mesh has, or why there is none.
fn length(full: &[u128], picks: &[Picks]) -> Result<u64, RegionError> {
    if full.len() != picks.len() {
        return Err(RegionError::Rank);
    }
    for (axis, (&extent, picks)) in full.iter().zip(picks).enumerate() {
        if !lie_in(picks, extent) {
            return Err(RegionError::Outside(axis));
        }
    }
    let counts = || picks.iter().map(Picks::count);
    if counts().any(|count| count == 0) {
        return Ok(0);
    }
    let size = full.iter().try_fold(1_u128, |size, &extent| size.checked_mul(extent).filter(|&size| size <= 1 << 64));
    let len = counts().try_fold(1_u64, u64::checked_mul);
    size.and(len).ok_or(RegionError::TooLarge)
}

fn whole(picks: &Picks, extent: u128) -> bool {
    matches!(picks, Picks::Range { start: 0, step: 1, count } if u128::from(*count) == extent)
}

fn values(bytes: &mut Bytes<'_>) {
    let law = [Law::Uniform, Law::Normal, Law::TruncatedNormal, Law::truncated_normal(-1.0, 3.0).unwrap()];
    let placement = Placement { loc: 0.125, scale: 0.3, low: -0.7, high: 0.8 };
    let half = |bytes: &mut Bytes<'_>| [bytes.number() as u32, bytes.number() as u32];
    let identity = Identity { key: half(bytes), counter_high: half(bytes) };
    let source = Native { law: bytes.of(&law), placement, words: Version::One.words(identity) };
    let element = bytes.below(4);
    let (full, picks) = part(bytes);
    match element {
        0 => same_elements::<f32, _>(bytes, &source, &full, &picks),
        1 => same_elements::<f64, _>(bytes, &source, &full, &picks),
        2 => same_elements::<F16, _>(bytes, &source, &full, &picks),
        _ => same_elements::<BF16, _>(bytes, &source, &full, &picks),
    }
}
