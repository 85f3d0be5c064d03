//! Arrays in any order: transposed, strided, backwards. Chunks are filled in C order beside the array and copied in.

use super::queue::Task;
use super::run::Schedule;
use super::source::Source;
use crate::element::Element;
use crate::region::picks::Picks;
use crate::region::{Region, RegionError};
use bytemuck::Pod;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

/// The memory of an array, which belongs to this view alone: elements at regular steps.
pub(crate) struct View<'a> {
    first: *mut u8,
    shape: Vec<usize>,
    /// Bytes from one element to the next along each axis.
    strides: Vec<isize>,
    array: PhantomData<&'a mut [u8]>,
}

#[allow(unsafe_code, reason = "a view stands for a mutable slice; see the block")]
// SAFETY: it is the only way to memory that is borrowed mutably, as its field says.
unsafe impl Send for View<'_> {}

impl View<'_> {
    /// A view of an array whose first element, one of so many bytes, is at `first`; `None` where two elements may share
    /// memory, as no two do in slices and transpositions of ordinary arrays.
    ///
    /// # Safety
    ///
    /// For as long as the view lives, every element that shape and strides lead to may be written, is aligned, and is
    /// accessed by nobody else.
    #[allow(unsafe_code, reason = "nothing happens here, but what is promised is relied upon")]
    pub(crate) unsafe fn new(first: *mut u8, bytes: usize, shape: Vec<usize>, strides: Vec<isize>) -> Option<Self> {
        let axes = shape.iter().zip(&strides).filter(|&(&size, _)| size > 1);
        let mut axes: Vec<_> = axes.map(|(&size, stride)| (stride.unsigned_abs(), size)).collect();
        axes.sort_unstable();
        // From the narrowest axis to the widest: each must step over all the bytes that those before it reach.
        let mut reach = bytes;
        for (stride, size) in axes {
            if stride < reach {
                return None;
            }
            reach = reach.saturating_add(stride.saturating_mul(size - 1));
        }
        Some(Self { first, shape, strides, array: PhantomData })
    }

    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The first `count` indices of an axis, and the others.
    fn split_at(mut self, axis: usize, count: usize) -> (Self, Self) {
        // Wrapping, since the first element of an empty half may lie outside of the memory; nobody writes it.
        let first = self.first.wrapping_byte_offset(self.strides[axis] * count as isize);
        let mut behind = Self { first, shape: self.shape.clone(), strides: self.strides.clone(), array: PhantomData };
        behind.shape[axis] -= count;
        self.shape[axis] = count;
        (self, behind)
    }

    /// Copies values in C order into the array, in the array's own: its neighbours share cache lines and pages, those
    /// of the values are at hand anyway.
    #[allow(unsafe_code, reason = "writing an array's elements where they are; see the blocks")]
    fn write<N: Copy>(&self, values: &[N]) {
        // What the blocks below rely on: no value is missing for an element.
        assert!(values.len() == self.len(), "a piece has as many values as its view has elements");
        if values.is_empty() {
            return;
        }
        // A loop along the innermost axis, and an odometer of the others around it: no recursion for any number of
        // axes.
        let (last, mut outer) = self.axes();
        let (mut to, mut from) = (self.first, 0);
        loop {
            if last.stride == size_of::<N>() as isize && last.step == 1 {
                // Neighbours on both sides: the whole run is one copy.
                let run = &values[from..from + last.size];
                // SAFETY: these are neighbouring elements of the view, which may be written (`new`).
                unsafe { ptr::copy_nonoverlapping(run.as_ptr(), to.cast(), run.len()) };
            } else {
                let mut to = to;
                for value in values[from..].iter().step_by(last.step).take(last.size) {
                    // SAFETY: `to` is an element of the view, which may be written and is aligned (`new`).
                    unsafe { to.cast::<N>().write(*value) };
                    to = to.wrapping_byte_offset(last.stride);
                }
            }
            // Like an odometer: the innermost axis that has not come to its end steps on, those inward of it start
            // anew.
            let Some(stepped) = outer.iter().rposition(|axis| axis.index + 1 < axis.size) else { return };
            for axis in &mut outer[stepped + 1..] {
                to = to.wrapping_byte_offset(-axis.stride * axis.index as isize);
                from -= axis.step * axis.index;
                axis.index = 0;
            }
            outer[stepped].index += 1;
            to = to.wrapping_byte_offset(outer[stepped].stride);
            from += outer[stepped].step;
        }
    }

    /// The axis of the shortest steps in memory, and the others, that of the longest first.
    fn axes(&self) -> (Along, Vec<Along>) {
        let mut step = 1;
        let mut axes: Vec<Along> = Vec::with_capacity(self.shape.len());
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            // Sorted by steps in memory, so that what is written in turn lies close together.
            let place = axes.partition_point(|axis| axis.stride.unsigned_abs() > stride.unsigned_abs());
            axes.insert(place, Along { index: 0, size, stride, step });
            // In C order an axis steps over all the axes inside it.
            step *= size;
        }
        let last = axes.pop().unwrap_or(Along { index: 0, size: 1, stride: 0, step: 1 });
        (last, axes)
    }
}

/// A walk along an axis.
struct Along {
    index: usize,
    size: usize,
    /// Bytes between two elements of the array.
    stride: isize,
    /// Values between two of the values.
    step: usize,
}

/// The work of filling `view`, whose elements are `N`s and which holds `picks` of a tensor of shape `full`.
///
/// # Errors
///
/// [`RegionError`] when the view does not lie in the tensor.
pub(crate) fn tasks<'a, E, N, S>(
    source: &S,
    view: View<'a>,
    full: Vec<u128>,
    picks: Vec<Picks>,
    schedule: &Schedule,
) -> Result<impl Iterator<Item = Task<'a>> + Send + use<'a, E, N, S>, RegionError>
where
    E: Element + Pod,
    N: Pod,
    S: Source<E> + Clone + Send + 'a,
{
    // Here, before any work is begun: pieces of a view that lies in the tensor lie there too.
    Region::mesh(&full, &picks)?;
    let (source, level, places) = (source.clone(), schedule.level, vec![0; view.shape.len()]);
    let part = Arc::new((full, picks));
    Ok(Pieces { left: vec![(view, places)], limit: schedule.chunk }.map(move |(view, places)| {
        let (source, part, elements) = (source.clone(), Arc::clone(&part), view.len());
        let work = move || {
            let mut values = Vec::new();
            // Refused memory fails this fill; an ordinary allocation would end the process.
            values.try_reserve_exact(elements)?;
            values.resize(elements, E::zeroed());
            // Here, on many threads at once: pieces are cut one after another.
            let (full, picks) = &*part;
            let ends = places.iter().zip(&view.shape).map(|(&place, &size)| place + size as u64);
            let picks: Vec<_> =
                picks.iter().zip(&places).zip(ends).map(|((p, &place), end)| p.part(place..end)).collect();
            let Ok(region) = Region::mesh(full, &picks) else { unreachable!("the pieces lie where the view does") };
            source.write(&region, 0, &mut values, level);
            // 16-bit floats are lent by NumPy as uint16, which has their bits.
            view.write(bytemuck::cast_slice::<E, N>(&values));
            Ok(())
        };
        Task { elements, work: Box::new(work) }
    }))
}

/// A view cut into pieces of at most `limit` elements, one after another, each with its place along every axis.
struct Pieces<'a> {
    left: Vec<(View<'a>, Vec<u64>)>,
    limit: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (View<'a>, Vec<u64>);

    /// The longest axis is halved until the piece is small: pieces that are compact in every direction touch few pages
    /// of memory, in any memory order, and still have runs of elements long enough for the stream.
    fn next(&mut self) -> Option<Self::Item> {
        let (mut view, places) = self.left.pop()?;
        // A limit of 0 would halve for ever.
        while view.len() > self.limit.max(1) {
            let axis = view.shape.iter().enumerate().max_by_key(|&(_, &size)| size).map_or(0, |(axis, _)| axis);
            // At least 1: a view of more than one element has an axis of two or more.
            let half = view.shape[axis] / 2;
            let (front, back) = view.split_at(axis, half);
            let mut behind = places.clone();
            behind[axis] += half as u64;
            // On a stack, which grows by one per halving: the front half is done first, as in C order.
            self.left.push((back, behind));
            view = front;
        }
        Some((view, places))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 3] = [3, 4, 5];
    /// In elements: C order, Fortran order, backwards, with gaps, and with axes that are stepped through in turn.
    const STRIDES: [[isize; 3]; 6] = [[20, 5, 1], [1, 3, 12], [-20, -5, -1], [40, 10, 2], [5, -15, 1], [-1, 30, 6]];

    /// Where the elements lie in memory that just holds them, in C order, and how long that is.
    fn places(strides: [isize; 3]) -> (Vec<usize>, usize) {
        let reach = |axis: usize, index: usize| strides[axis] * index as isize;
        let first: isize = (0..3).map(|axis| -reach(axis, SIZES[axis] - 1).min(0)).sum();
        let indices =
            (0..SIZES[0]).flat_map(|i| (0..SIZES[1]).flat_map(move |j| (0..SIZES[2]).map(move |k| [i, j, k])));
        let place = |index: [usize; 3]| (first + (0..3).map(|axis| reach(axis, index[axis])).sum::<isize>()) as usize;
        let places: Vec<usize> = indices.map(place).collect();
        let length = places.iter().max().map_or(0, |last| last + 1);
        (places, length)
    }

    #[allow(unsafe_code, reason = "what is tested")]
    fn view(memory: &mut [i32], places: &[usize], strides: [isize; 3]) -> View<'static> {
        let strides = strides.map(|stride| stride * size_of::<i32>() as isize);
        let first = memory.as_mut_ptr().wrapping_add(places[0]).cast();
        // SAFETY: `places` are those that shape and strides lead to, all in `memory`, which nobody uses meanwhile.
        unsafe { View::new(first, size_of::<i32>(), SIZES.to_vec(), strides.to_vec()) }.unwrap()
    }

    /// Two threads that write one element, or an ordinary view that is refused.
    #[test]
    #[allow(unsafe_code, reason = "what is tested")]
    fn elements_have_places_of_their_own() {
        // SAFETY: nothing is accessed.
        let view = |shape: &[usize], strides: &[isize]| unsafe {
            View::new(ptr::null_mut(), 4, shape.to_vec(), strides.to_vec()).is_some()
        };
        for (shape, strides) in [(&[4, 6], &[0, 4]), (&[4, 6], &[4, 4]), (&[4, 6], &[20, 4]), (&[2, 2], &[-2, 8])] {
            assert!(!view(shape, strides), "{shape:?} {strides:?}");
        }
        for (shape, strides) in [(&[4, 6], &[24, 4]), (&[4, 6], &[-4, 16]), (&[1, 6], &[0, 4]), (&[1, 1], &[0, 0])] {
            assert!(view(shape, strides), "{shape:?} {strides:?}");
        }
        assert!(!view(&[3, 3], &[isize::MAX, isize::MIN]), "sums that wrap");
        assert!(view(&[], &[]));
    }

    /// A value at another element's place, one that is left out, or memory between the elements that is written.
    #[test]
    fn every_element_gets_its_value() {
        for strides in STRIDES {
            let (places, length) = places(strides);
            let (mut found, mut expected) = (vec![-1; length], vec![-1; length]);
            let values: Vec<i32> = (0..places.len() as i32).collect();
            view(&mut found, &places, strides).write(&values);
            for (value, &place) in values.iter().zip(&places) {
                expected[place] = *value;
            }
            assert_eq!(found, expected, "{strides:?}");
        }
    }

    /// Pieces that overlap, or leave something out.
    #[test]
    fn pieces_are_the_view() {
        for strides in STRIDES {
            let (places, length) = places(strides);
            for limit in [1, 7, 60] {
                let mut found = vec![-1; length];
                let whole = view(&mut found, &places, strides);
                let first = whole.first;
                let pieces: Vec<_> = Pieces { left: vec![(whole, vec![0; 3])], limit }.collect();
                for (number, (piece, place)) in pieces.iter().enumerate() {
                    assert!((1..=limit).contains(&piece.len()), "{strides:?} {limit}");
                    let steps = place.iter().zip(&piece.strides).map(|(&place, stride)| place as isize * stride);
                    assert_eq!(piece.first, first.wrapping_byte_offset(steps.sum()), "{strides:?} {limit}");
                    piece.write(&vec![number as i32; piece.len()]);
                }
                let elements: usize = pieces.iter().map(|(piece, _)| piece.len()).sum();
                assert_eq!(elements, places.len());
                assert!(places.iter().all(|&place| found[place] >= 0), "{strides:?} {limit}");
                assert_eq!(found.iter().filter(|&&value| value >= 0).count(), places.len());
            }
        }
    }
}
