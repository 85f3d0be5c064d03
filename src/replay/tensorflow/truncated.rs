//! TensorFlow's truncated normal law: values are taken from the blocks of a group until it is full.

use super::pairs::{Normals, Pairs};
use super::words::{Stream, Words};
use crate::fill::batch::BUFFER;
use crate::machine::level::{Kernel, Level, Simd};
use crate::machine::lines::CacheLines;

/// The groups that are not full, and how many values each has.
pub(super) struct Open<V> {
    groups: [u16; BUFFER],
    held: [u16; BUFFER],
    /// The values of each group's next block.
    candidates: CacheLines<[V; 4 * BUFFER]>,
}

impl<V: Pairs> Open<V> {
    pub(super) fn new() -> Self {
        Self { groups: [0; BUFFER], held: [0; BUFFER], candidates: CacheLines([V::default(); 4 * BUFFER]) }
    }
}

/// Standard normal values that are inside.
pub(super) struct Truncated<'a, V> {
    pub(super) stream: &'a Stream,
    pub(super) simd: Simd,
    pub(super) groups: &'a [u64],
    pub(super) words: &'a mut Words,
    pub(super) open: &'a mut Open<V>,
    pub(super) values: &'a mut [V],
}

impl<V: Pairs> Kernel for Truncated<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        // A constant of the type: one of the two is compiled away. As a parameter it gives loops their length.
        if V::PER_BLOCK == 4 { self.fill::<4>() } else { self.fill::<2>() }
    }
}

impl<V: Pairs> Truncated<'_, V> {
    /// Fills every group, of N values: first from its first block, then those that are still open from their next ones.
    #[inline(always)]
    fn fill<const N: usize>(self) {
        let Self { stream, simd, groups, words, open, values } = self;
        // TensorFlow sets 64 blocks aside per element, of which a group needs one or two as a rule.
        let first = |group: u64| group.wrapping_mul(64 * N as u64);
        simd.run(Normals { words: words.of(stream, simd, groups.iter().map(|&group| first(group))), values });
        let values = values.as_chunks_mut::<N>().0;
        // Open groups are kept at the front of the list, which shrinks from round to round.
        let mut left = 0;
        for (group, values) in values.iter().enumerate() {
            // Without branches, as in `keep`.
            open.groups[left] = group as u16;
            left += usize::from(!values.iter().fold(true, |all, value| all & value.is_inside()));
        }
        for (&group, held) in open.groups[..left].iter().zip(&mut open.held) {
            let values = &mut values[usize::from(group)];
            // A copy, because the values that are kept move to the front of where these stand.
            let candidates = *values;
            *held = keep(values, 0, &candidates) as u16;
        }
        let mut round = 1;
        // One group of four in six comes here: each of its values is outside with a chance of 4.6 %.
        while left > 0 {
            // Block `round` of each: a group's blocks lie in a row.
            let blocks = open.groups[..left].iter().map(|&group| first(groups[usize::from(group)]) + round);
            // One batch for all open groups, since their blocks are far apart but kernels want many.
            let candidates = &mut open.candidates.0[..left * N];
            simd.run(Normals { words: words.of(stream, simd, blocks), values: candidates });
            left = 0;
            for (row, candidates) in candidates.as_chunks::<N>().0.iter().enumerate() {
                let group = open.groups[row];
                let held = keep(&mut values[usize::from(group)], usize::from(open.held[row]), candidates);
                // Written behind the reader: `left` never passes `row`.
                (open.groups[left], open.held[left]) = (group, held as u16);
                left += usize::from(held < N);
            }
            round += 1;
        }
    }
}

/// Puts the candidates of a block that are inside behind the values that a group holds; how many it then has.
///
/// Without branches, which could not be predicted: a candidate that is not kept is overwritten by the next one.
#[inline(always)]
fn keep<V: Pairs, const N: usize>(values: &mut [V; N], mut held: usize, candidates: &[V; N]) -> usize {
    // A group that is not full holds three at most, and a block adds four.
    let mut kept = [V::default(); 8];
    kept[..N].copy_from_slice(values);
    for candidate in candidates {
        // The remainder tells the compiler that the place is inside; `held` never passes 7.
        kept[held % 8] = *candidate;
        held += usize::from(candidate.is_inside());
    }
    values.copy_from_slice(&kept[..N]);
    held
}
