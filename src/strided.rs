//! Arrays in any order: transposed, strided, backwards. Chunks are filled in C order beside the array and copied in.

use crate::element::Element;
use crate::fill::{Plan, Schedule, fill};
use crate::region::{Region, RegionError};
use crate::threads;
use bytemuck::Pod;
use numpy::ndarray::{ArrayViewMutD, Axis};
use rayon::prelude::*;

/// A piece of the array, small enough for one temporary, and which elements it holds.
pub(crate) struct Piece<'a, N> {
    view: ArrayViewMutD<'a, N>,
    region: Region,
}

/// Cuts `view`, which lies at `offset` in a tensor of shape `full`, into pieces of at most `limit` elements.
///
/// # Errors
///
/// [`RegionError`] when the view does not lie in the tensor.
pub(crate) fn pieces<'a, N>(
    view: ArrayViewMutD<'a, N>,
    full: &[u64],
    offset: &[u64],
    limit: usize,
) -> Result<Vec<Piece<'a, N>>, RegionError> {
    let mut done = Vec::new();
    let mut todo = vec![(view, offset.to_vec())];
    while let Some((view, mut offset)) = todo.pop() {
        // The longest axis is halved: pieces that are compact in every direction touch few pages of memory, in any
        // memory order, and still have runs of elements long enough for the stream.
        let axis = view.shape().iter().enumerate().max_by_key(|&(_, &size)| size).map_or(0, |(axis, _)| axis);
        if view.len() <= limit.max(1) {
            let shape: Vec<u64> = view.shape().iter().map(|&size| size as u64).collect();
            done.push(Piece { region: Region::part(full, &offset, &shape)?, view });
        } else {
            let half = view.len_of(Axis(axis)) / 2;
            let (front, back) = view.split_at(Axis(axis), half);
            todo.push((front, offset.clone()));
            offset[axis] += half as u64;
            todo.push((back, offset));
        }
    }
    Ok(done)
}

/// Fills pieces, each on one thread.
pub(crate) fn fill_pieces<E, N>(plan: &Plan, pieces: &mut [Piece<'_, N>], schedule: &Schedule)
where
    E: Element + Pod,
    N: Pod + Send + Sync,
{
    let alone = Schedule { threads: 1, ..*schedule };
    let one = |piece: &mut Piece<'_, N>| {
        let mut values = vec![E::zeroed(); piece.view.len()];
        fill(plan, &piece.region, 0, &mut values, &alone);
        for (element, value) in piece.view.iter_mut().zip(bytemuck::cast_slice::<E, N>(&values)) {
            *element = *value;
        }
    };
    match if pieces.len() > 1 && schedule.threads > 1 { threads::pool(schedule.threads) } else { None } {
        Some(pool) => pool.install(|| pieces.par_iter_mut().for_each(one)),
        None => pieces.iter_mut().for_each(one),
    }
}
