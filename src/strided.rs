//! Arrays in any order: transposed, strided, backwards. Chunks are filled in C order beside the array and copied in.

use crate::element::Element;
use crate::fill::{Schedule, Source, Task};
use crate::picks::Picks;
use crate::region::{Region, RegionError};
use bytemuck::Pod;
use numpy::ndarray::{ArrayViewD, ArrayViewMutD, Axis, Zip};
use std::cmp::Reverse;
use std::sync::Arc;

/// The work of filling `view`, which holds `picks` of a tensor of shape `full`.
///
/// # Errors
///
/// [`RegionError`] when the view does not lie in the tensor.
pub(crate) fn tasks<'a, E, N, S>(
    source: &S,
    view: ArrayViewMutD<'a, N>,
    full: Vec<u128>,
    picks: Vec<Picks>,
    schedule: &Schedule,
) -> Result<impl Iterator<Item = Task<'a>> + Send + use<'a, E, N, S>, RegionError>
where
    E: Element + Pod,
    N: Pod + Send + Sync,
    S: Source<E> + Clone + Send + 'a,
{
    Region::mesh(&full, &picks)?;
    let (source, full, level) = (source.clone(), Arc::new(full), schedule.level);
    Ok(Pieces { left: vec![(view, picks)], limit: schedule.chunk }.map(move |(view, picks)| {
        let (source, full, elements) = (source.clone(), Arc::clone(&full), view.len());
        let work = move || {
            let mut values = Vec::new();
            values.try_reserve_exact(elements)?;
            values.resize(elements, E::zeroed());
            let Ok(region) = Region::mesh(&full, &picks) else { unreachable!("the pieces lie where the view does") };
            source.write(&region, 0, &mut values, level);
            copy(bytemuck::cast_slice::<E, N>(&values), view);
            Ok(())
        };
        Task { elements, work: Box::new(work) }
    }))
}

/// A view cut into pieces of at most `limit` elements, one after another, each with what it holds.
struct Pieces<'a, N> {
    left: Vec<(ArrayViewMutD<'a, N>, Vec<Picks>)>,
    limit: usize,
}

impl<'a, N> Iterator for Pieces<'a, N> {
    type Item = (ArrayViewMutD<'a, N>, Vec<Picks>);

    /// The longest axis is halved until the piece is small: pieces that are compact in every direction touch few pages of
    /// memory, in any memory order, and still have runs of elements long enough for the stream.
    fn next(&mut self) -> Option<Self::Item> {
        let (mut view, mut picks) = self.left.pop()?;
        while view.len() > self.limit.max(1) {
            let axis = view.shape().iter().enumerate().max_by_key(|&(_, &size)| size).map_or(0, |(axis, _)| axis);
            let half = view.len_of(Axis(axis)) / 2;
            let (front, back) = view.split_at(Axis(axis), half);
            let mut behind = picks.clone();
            let (before, after) = picks[axis].clone().split_at(half as u64);
            (picks[axis], behind[axis]) = (before, after);
            self.left.push((back, behind));
            view = front;
        }
        Some((view, picks))
    }
}

/// Copies values in C order into an array in any order, in the array's own: its neighbours share cache lines and pages,
/// those of the values are at hand anyway.
fn copy<N: Copy>(values: &[N], mut array: ArrayViewMutD<'_, N>) {
    let Ok(values) = ArrayViewD::from_shape(array.raw_dim(), values) else {
        unreachable!("a piece has as many values as its view has elements")
    };
    let order = memory_order(array.strides());
    let Some(last) = order.len().checked_sub(1) else { return array.assign(&values) };
    let (values, mut array) = (values.permuted_axes(order.clone()), array.permuted_axes(order));
    Zip::from(array.lanes_mut(Axis(last))).and(values.lanes(Axis(last))).for_each(|mut to, from| to.assign(&from));
}

/// The axes, that of the longest steps first. (A function of its own: a sort stands in the library once.)
fn memory_order(strides: &[isize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..strides.len()).collect();
    order.sort_by_key(|&axis| Reverse(strides[axis].unsigned_abs()));
    order
}
