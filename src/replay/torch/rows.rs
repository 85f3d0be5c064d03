//! Rows: draws of a whole tensor, one after another from one generator, shared out in chunks.
//!
//! The generator is serial. One thread at a time walks it from chunk to chunk, which takes a fifth of the work of
//! drawing and transforming a chunk's values, and keeps a copy of it for each chunk that somebody still needs.

use super::arithmetic::GROUP;
use crate::replay::mt19937::Mt19937;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a draw of one tensor lies in the generator's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Values of the tensor.
    pub(super) values: usize,
    /// Values of a chunk but the last; a multiple of [`GROUP`].
    pub(super) chunk: usize,
    /// Words of a value.
    pub(super) words: u64,
    /// What is drawn at the end where normal values do not make up whole groups.
    pub(super) rest: Rest,
}

/// What a draw does with the values after the last whole group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Draws them like the others: uniform values.
    Plain,
    /// Draws them, and then a whole new group for the tensor's last places: normal values.
    Redrawn,
    /// Draws only that group: normal values of 16-bit types.
    Replaced,
}

/// Values to draw together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Words to pass over first.
    pub(super) skip: u64,
    /// The place in the chunk of the first value.
    pub(super) first: usize,
    /// How many to draw.
    pub(super) count: usize,
    /// How many of them to keep; the last group draws the others again.
    pub(super) keep: usize,
}

impl Layout {
    /// How many chunks there are. The last one takes what would be less than a group.
    pub(super) fn chunks(&self) -> usize {
        (self.values.saturating_sub(GROUP) / self.chunk + 1).max(1)
    }

    /// The lengths of the chunks, in order.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> + use<> {
        let (chunks, chunk, values) = (self.chunks(), self.chunk, self.values);
        (0..chunks).map(move |number| if number + 1 < chunks { chunk } else { values - number * chunk })
    }

    /// Words of a chunk of this many values.
    pub(super) fn words_of(&self, values: usize) -> u64 {
        self.batches(values, values.max(1)).map(|batch| batch.skip + batch.count as u64 * self.words).sum()
    }

    /// Words of a draw.
    pub(super) fn words_of_all(&self) -> u64 {
        self.words_of(self.values)
    }

    /// The batches of a chunk of this many values, of at most `limit` of them.
    #[inline(always)]
    pub(super) fn batches(&self, values: usize, limit: usize) -> impl Iterator<Item = Batch> + use<> {
        let rest = if self.rest == Rest::Plain { 0 } else { values % GROUP };
        let (whole, keep) = (values - rest, if rest > 0 { values - GROUP } else { values });
        let groups = (0..whole).step_by(limit).map(move |first| {
            let count = limit.min(whole - first);
            Batch { skip: 0, first, count, keep: count.min(keep - first) }
        });
        let skip = if self.rest == Rest::Redrawn { rest as u64 * self.words } else { 0 };
        groups.chain((rest > 0).then_some(Batch { skip, first: keep, count: GROUP, keep: GROUP }))
    }
}

/// The generator on its way through row after row.
pub(super) struct Rows {
    layout: Layout,
    walk: Mutex<Walk>,
}

struct Walk {
    generator: Mt19937,
    /// Words from the generator to the next chunk.
    ahead: u64,
    /// That chunk.
    next: usize,
    /// For each chunk, copies of the generator at its places in rows that it has not taken; `None` once it is done.
    kept: Vec<Option<VecDeque<Mt19937>>>,
}

impl Rows {
    /// Rows that begin `skip` words after the generator's.
    pub(super) fn new(layout: Layout, generator: Mt19937, skip: u64) -> Self {
        let kept = vec![Some(VecDeque::new()); layout.chunks()];
        Self { layout, walk: Mutex::new(Walk { generator, ahead: skip, next: 0, kept }) }
    }

    /// The generator at the chunk's place in its next row.
    pub(super) fn take(&self, chunk: usize) -> Mt19937 {
        let mut walk = self.walk();
        loop {
            if let Some(generator) = walk.kept[chunk].as_mut().and_then(VecDeque::pop_front) {
                return generator;
            }
            self.step(&mut walk);
        }
    }

    /// Says that the chunk takes no more rows.
    pub(super) fn finish(&self, chunk: usize) {
        self.walk().kept[chunk] = None;
    }

    fn step(&self, walk: &mut Walk) {
        let Walk { generator, ahead, next, kept } = walk;
        generator.skip(*ahead);
        if let Some(kept) = &mut kept[*next] {
            kept.push_back(generator.clone());
        }
        let last = *next + 1 == kept.len();
        *ahead = self.layout.words_of(if last { self.layout.values - *next * self.layout.chunk } else { self.layout.chunk });
        *next = if last { 0 } else { *next + 1 };
    }

    fn walk(&self) -> MutexGuard<'_, Walk> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
