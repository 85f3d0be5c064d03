//! Elements one by one: each is a function of its number alone.

use super::bytes::Bytes;
use super::picks::index;
use crate::element::Element;
use crate::fill::{Schedule, Source, fill};
use crate::machine::level::Level;
use crate::region::Region;
use crate::region::picks::Picks;
use bytemuck::Pod;
use std::fmt::Debug;

/// The number of the element at a position of a mesh, in numbers that hold any.
pub(super) fn number(full: &[u128], picks: &[Picks], position: u64) -> u64 {
    let (mut position, mut stride, mut number) = (position, 1_u128, 0);
    for (extent, picks) in full.iter().zip(picks).rev() {
        number += index(picks, position % picks.count()) as u128 * stride;
        position /= picks.count();
        stride *= extent;
    }
    u64::try_from(number).unwrap()
}

/// The shape of a tensor of any size, and few picks of each of its axes.
pub(super) fn part(bytes: &mut Bytes<'_>) -> (Vec<u128>, Vec<Picks>) {
    let mut left = u64::MAX;
    (0..bytes.below(5))
        .map(|_| {
            // Of all axes together there are no more elements than have numbers.
            let extent = bytes.number() % left.min(1 << (8 * (1 + bytes.below(7)))) + 1;
            left /= extent;
            let count = 1 + bytes.below(6);
            (u128::from(extent), bytes.picks_within(extent, count))
        })
        .unzip()
}

/// Asserts that a part has the elements that it has by themselves, however it is cut.
pub(super) fn same_elements<E, S>(bytes: &mut Bytes<'_>, source: &S, full: &[u128], picks: &[Picks])
where
    E: Element + Pod,
    S: Source<E> + Clone + Send + Debug,
{
    let region = Region::mesh(full, picks).unwrap();
    let mut found = vec![E::zeroed(); region.len() as usize];
    let schedule = Schedule { threads: 1, chunk: 1 + bytes.below(99) as usize, level: bytes.level() };
    fill(source, region, &mut found, &schedule);
    for (position, found) in found.iter().enumerate() {
        let number = number(full, picks, position as u64);
        let one = Region::mesh(&[1 << 64], &[Picks::range(number, 1)]).unwrap();
        let mut expected = [E::zeroed()];
        source.write(&one, 0, &mut expected, Level::Baseline);
        assert_eq!(
            bytemuck::bytes_of(found),
            bytemuck::bytes_of(&expected[0]),
            "{source:?} {full:?} {picks:?} {number}"
        );
    }
}

/// The bytes of a region's elements, cut anywhere.
pub(super) fn filled<E: Element + Pod, S: Source<E> + Clone + Send>(
    source: &S,
    region: Region,
    bytes: &mut Bytes<'_>,
) -> Vec<u8> {
    let mut out = vec![E::zeroed(); region.len() as usize];
    fill(source, region, &mut out, &Schedule { threads: 1, chunk: 1 + bytes.below(99) as usize, level: bytes.level() });
    bytemuck::cast_slice(&out).to_vec()
}

/// Asserts that a part has the elements of the whole tensor; each source is filled from once.
pub(super) fn same_as_whole<E, S>(bytes: &mut Bytes<'_>, source: impl Fn() -> S, full: &[u128], picks: &[Picks])
where
    E: Element + Pod,
    S: Source<E> + Clone + Send,
{
    let mut whole = vec![E::zeroed(); full.iter().product::<u128>() as usize];
    let plain = Schedule { threads: 1, chunk: 1 << 16, level: Level::Baseline };
    fill(&source(), Region::whole(whole.len() as u64), &mut whole, &plain);
    let region = Region::mesh(full, picks).unwrap();
    let numbers = (0..region.len()).map(|position| number(full, picks, position) as usize);
    let expected: Vec<E> = numbers.map(|number| whole[number]).collect();
    let found = filled::<E, _>(&source(), region, bytes);
    assert_eq!(found, bytemuck::cast_slice::<E, u8>(&expected), "{full:?} {picks:?}");
}
