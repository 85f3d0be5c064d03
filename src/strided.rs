//! Arrays in any order: transposed, strided, backwards. Chunks are filled in C order beside the array and copied in.

use crate::element::Element;
use crate::fill::{Schedule, Source, Task, fill};
use crate::picks::Picks;
use crate::region::{Region, RegionError};
use bytemuck::Pod;
use numpy::ndarray::{ArrayViewD, ArrayViewMutD, Axis, Zip};
use std::cmp::Reverse;

/// A piece of the array, small enough for one temporary, and which elements it holds.
pub(crate) struct Piece<'a, N> {
    view: ArrayViewMutD<'a, N>,
    region: Region,
}

/// Cuts `view`, which holds `picks` of a tensor of shape `full`, into pieces of at most `limit` elements.
///
/// # Errors
///
/// [`RegionError`] when the view does not lie in the tensor.
pub(crate) fn pieces<'a, N>(
    view: ArrayViewMutD<'a, N>,
    full: &[u64],
    picks: Vec<Picks>,
    limit: usize,
) -> Result<Vec<Piece<'a, N>>, RegionError> {
    let mut done = Vec::new();
    let mut todo = vec![(view, picks)];
    while let Some((view, picks)) = todo.pop() {
        if view.len() <= limit.max(1) {
            done.push(Piece { region: Region::mesh(full, &picks)?, view });
            continue;
        }
        // The longest axis is halved: pieces that are compact in every direction touch few pages of memory, in any
        // memory order, and still have runs of elements long enough for the stream.
        let axis = view.shape().iter().enumerate().max_by_key(|&(_, &size)| size).map_or(0, |(axis, _)| axis);
        let half = view.len_of(Axis(axis)) / 2;
        let (front, back) = view.split_at(Axis(axis), half);
        let (mut first, mut second) = (picks.clone(), picks);
        let (before, after) = first[axis].clone().split_at(half as u64);
        (first[axis], second[axis]) = (before, after);
        todo.push((front, first));
        todo.push((back, second));
    }
    Ok(done)
}

/// The work of filling pieces, one task each.
pub(crate) fn tasks<'a, E, N, S>(
    source: &S,
    pieces: Vec<Piece<'a, N>>,
    schedule: &Schedule,
) -> impl Iterator<Item = Task<'a>> + use<'a, E, N, S>
where
    E: Element + Pod,
    N: Pod + Send + Sync,
    S: Source<E> + Clone + Send + 'a,
{
    let (source, alone) = (source.clone(), Schedule { threads: 1, ..*schedule });
    pieces.into_iter().map(move |piece| -> Task<'a> {
        let source = source.clone();
        Box::new(move || {
            let mut values = vec![E::zeroed(); piece.view.len()];
            fill(&source, piece.region, &mut values, &alone);
            copy(bytemuck::cast_slice::<E, N>(&values), piece.view);
        })
    })
}

/// Copies values in C order into an array in any order, in the array's own: its neighbours share cache lines and pages,
/// those of the values are at hand anyway.
fn copy<N: Copy>(values: &[N], mut array: ArrayViewMutD<'_, N>) {
    let Ok(values) = ArrayViewD::from_shape(array.raw_dim(), values) else {
        unreachable!("a piece has as many values as its view has elements")
    };
    let mut order: Vec<usize> = (0..array.ndim()).collect();
    order.sort_by_key(|&axis| Reverse(array.strides()[axis].unsigned_abs()));
    let Some(last) = order.len().checked_sub(1) else { return array.assign(&values) };
    let (values, mut array) = (values.permuted_axes(order.clone()), array.permuted_axes(order));
    Zip::from(array.lanes_mut(Axis(last))).and(values.lanes(Axis(last))).for_each(|mut to, from| to.assign(&from));
}
