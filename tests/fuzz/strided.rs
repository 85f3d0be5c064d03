//! Arrays in any order: each value at its element's place, and nothing beside them.

use super::bytes::Bytes;
use crate::element::{Element, F16};
use crate::fill::strided::{View, tasks};
use crate::fill::{Native, Schedule, fill};
use crate::law::Law;
use crate::region::Region;
use crate::region::picks::Picks;
use crate::stream::{Identity, Version};
use crate::value::Placement;
use bytemuck::Pod;

/// What memory holds that nobody writes.
const UNTOUCHED: [u8; 8] = [0xA5; 8];

/// A view is refused or filled, with the values that an array in C order gets.
pub fn strided(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    match bytes.below(3) {
        0 => view::<F16, u16>(&mut bytes),
        1 => view::<f32, f32>(&mut bytes),
        _ => view::<f64, f64>(&mut bytes),
    }
}

#[allow(unsafe_code, reason = "what is tested")]
fn view<E: Element + Pod, N: Pod>(bytes: &mut Bytes<'_>) {
    let shape: Vec<usize> = (0..bytes.below(5)).map(|_| bytes.of(&[1, 2, 3, 5, 7, 0, 40])).collect();
    if shape.iter().product::<usize>() > 5000 {
        return;
    }
    let ordinary = bytes.below(3) > 0;
    let strides = if ordinary { sliced(bytes, &shape) } else { shape.iter().map(|_| apart(bytes)).collect() };
    let places = places(&shape, &strides);
    let (low, high) = (*places.iter().min().unwrap_or(&0), *places.iter().max().unwrap_or(&0));
    let untouched: N = bytemuck::pod_read_unaligned(&UNTOUCHED[..size_of::<N>()]);
    // No longer than what the elements reach, so that a sanitizer sees what is beside them.
    let mut memory = vec![untouched; (high - low) as usize + 1];
    let first = memory.as_mut_ptr().wrapping_offset(-low).cast();
    let steps = strides.iter().map(|stride| stride * size_of::<N>() as isize).collect();
    // SAFETY: the elements are in the memory, which nobody uses before the tasks are done.
    let view = unsafe { View::new(first, size_of::<N>(), shape.clone(), steps) };
    let mut sorted = places.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let Some(view) = view else {
        return assert!(!ordinary, "a slice that is refused: {shape:?} {strides:?}");
    };
    assert_eq!(sorted.len(), places.len(), "two elements in one place: {shape:?} {strides:?}");

    let (full, picks): (Vec<u128>, Vec<Picks>) = shape.iter().map(|&size| axis(bytes, size as u64)).unzip();
    let placement = Placement { loc: 0.0, scale: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
    let source = Native {
        law: Law::Normal,
        placement,
        words: Version::One.words(Identity { key: [1, 2], counter_high: [3, 4] }),
    };
    let mut expected = vec![E::zeroed(); places.len()];
    let schedule = Schedule { threads: 1, chunk: bytes.below(99) as usize, level: bytes.level() };
    let region = Region::mesh(&full, &picks).unwrap();
    fill(&source, region, &mut expected, &Schedule { chunk: 1 << 16, ..schedule });
    // Threads take them in any order.
    let mut tasks: Vec<_> = tasks::<E, N, _>(&source, view, full, picks, &schedule).unwrap().collect();
    if bytes.below(2) == 0 {
        tasks.reverse();
    }
    assert_eq!(tasks.iter().map(|task| task.elements).sum::<usize>(), places.len());
    for task in tasks {
        (task.work)().unwrap();
    }
    let mut model = vec![untouched; memory.len()];
    for (value, place) in bytemuck::cast_slice(&expected).iter().zip(&places) {
        model[(place - low) as usize] = *value;
    }
    assert!(bytemuck::cast_slice::<N, u8>(&memory) == bytemuck::cast_slice::<N, u8>(&model), "{shape:?} {strides:?}");
}

/// Strides in elements, of an array in any order of its axes, sliced with steps in both directions.
fn sliced(bytes: &mut Bytes<'_>, shape: &[usize]) -> Vec<isize> {
    let (mut strides, mut left, mut next) = (vec![0; shape.len()], (0..shape.len()).collect::<Vec<_>>(), 1);
    while !left.is_empty() {
        let axis = left.remove(bytes.below(left.len() as u64) as usize);
        let step = 1 + bytes.below(3) as isize;
        strides[axis] = if bytes.below(2) == 0 { next * step } else { -next * step };
        next *= step * shape[axis].max(1) as isize;
    }
    strides
}

/// A step between neighbours, of which many lead to places that are taken.
fn apart(bytes: &mut Bytes<'_>) -> isize {
    isize::from(bytes.byte() as i8)
}

/// Where the elements lie, in C order, from the first one.
fn places(shape: &[usize], strides: &[isize]) -> Vec<isize> {
    let mut places = vec![0];
    for (&size, stride) in shape.iter().zip(strides) {
        let along = |place: isize| (0..size as isize).map(move |index| place + index * stride);
        places = places.into_iter().flat_map(along).collect();
    }
    places
}

/// An axis of a tensor, and so many picks of it.
fn axis(bytes: &mut Bytes<'_>, count: u64) -> (u128, Picks) {
    let extent = count * (1 + bytes.below(3)) + 1;
    (u128::from(extent), bytes.picks_within(extent, count))
}
