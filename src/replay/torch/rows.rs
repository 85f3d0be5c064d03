//! Rows: draws of a whole tensor, one after another from one generator, shared out to threads.
//!
//! The generator is serial. Whoever needs a place walks the generator there, one thread at a time, which takes a small
//! part of the work of drawing and transforming values, and keeps a copy of it at the stations on the way: the places
//! where others begin.

use super::arithmetic::GROUP;
use crate::machine::level::Simd;
use crate::replay::mt19937::Mt19937;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a draw of one tensor lies in the generator's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Values of the tensor.
    pub(super) values: u64,
    /// Words of a value.
    pub(super) words: u64,
    /// What is drawn after the last whole group.
    pub(super) rest: Rest,
}

/// What a draw does with the values after the last whole group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
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
    /// The first one's number.
    pub(super) first: u64,
    /// How many.
    pub(super) count: usize,
    /// The first of them that another batch draws again.
    pub(super) end: u64,
}

impl Batch {
    /// Where the batch overlaps the elements of `range`, of `each` values: first in the range, then in the batch.
    #[inline(always)]
    pub(super) fn overlap(&self, range: &Range<u64>, each: u64) -> (Range<usize>, Range<usize>) {
        // The divisions are exact: groups, and so batches, begin and end at whole elements.
        let first = range.start.max(self.first / each);
        // Not before `first`: no overlap is an empty range, and no subtraction below wraps.
        let end = range.end.min(self.end / each).max(first);
        let within = |number: u64, start: u64| (number - start) as usize;
        let start = self.first / each;
        (within(first, range.start)..within(end, range.start), within(first, start)..within(end, start))
    }
}

impl Row {
    /// Values after the last whole group.
    const fn rest_values(&self) -> u64 {
        if matches!(self.rest, Rest::Plain) { 0 } else { self.values % GROUP as u64 }
    }

    /// Words of the whole draw.
    pub(super) const fn len(&self) -> u64 {
        self.words
            * match (self.rest_values(), self.rest) {
                (0, _) | (_, Rest::Plain) => self.values,
                (_, Rest::Redrawn) => self.values + GROUP as u64,
                (rest, Rest::Replaced) => self.values - rest + GROUP as u64,
            }
    }

    /// The batches, of `limit` values at most, that hold all that remains of the values of `range`; a generator for
    /// them begins at the first one's place.
    #[inline(always)]
    pub(super) fn batches(&self, range: &Range<u64>, limit: u64) -> impl Iterator<Item = Batch> + use<> {
        // Taken out, so that the iterator borrows neither the row nor the range.
        let (group, rest, words) = (GROUP as u64, self.rest_values(), self.words);
        // Values in whole groups, and values that the last group does not draw again.
        let (grouped, kept) = (self.values - rest, self.values - if rest > 0 { group } else { 0 });
        // Outwards to whole groups: each normal value depends on another one of its group.
        let start = (range.start - range.start % group).min(grouped);
        let end = range.end.next_multiple_of(group).min(grouped);
        let whole = (start..end).step_by(limit as usize).map(move |first| {
            let count = limit.min(end - first);
            // Drawn as a whole, used up to `kept`: the last group writes over what follows.
            Batch { skip: 0, first, count: count as usize, end: (first + count).min(kept) }
        });
        // Their words lie between the whole groups and the last one, and nobody uses them.
        let redrawn = if self.rest == Rest::Redrawn { rest } else { 0 };
        let last =
            Batch { skip: (grouped - end.max(start) + redrawn) * words, first: kept, count: GROUP, end: self.values };
        // The last group overlaps the one before, so that a range may need both.
        whole.chain((rest > 0 && range.end > kept).then_some(last))
    }
}

/// The generator on its way through row after row.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) row: Row,
    simd: Simd,
    seed: u32,
    /// Words before the first row.
    skip: u64,
    /// Values between two stations.
    spacing: u64,
    walk: Mutex<Walk>,
}

/// How far the generator has come.
#[derive(Debug)]
struct Walk {
    generator: Mt19937,
    word: u64,
    /// The number of the station ahead, through all rows.
    next: u64,
    /// The generator at stations that it has passed.
    kept: HashMap<u64, Mt19937>,
}

impl Rows {
    /// Rows that begin `skip` words after the seed's first; work on them begins at multiples of `spacing` values, a
    /// multiple of [`GROUP`].
    pub(super) fn new(row: Row, simd: Simd, seed: u32, skip: u64, spacing: u64) -> Self {
        let walk = Walk { generator: Mt19937::new(seed, simd), word: 0, next: 0, kept: HashMap::new() };
        Self { row, simd, seed, skip, spacing, walk: Mutex::new(walk) }
    }

    /// Words before row `number`.
    pub(super) const fn start(&self, number: u64) -> u64 {
        self.skip + number * self.row.len()
    }

    /// The generator in row `number`, where the batches of values from `value` on begin.
    pub(super) fn at(&self, number: u64, value: u64) -> Mt19937 {
        // Not past the whole groups: the way to the last group begins there, and is in its batch's `skip`.
        let value = (value - value % GROUP as u64).min(self.row.values - self.row.rest_values());
        // Less than one spacing on from the station; no way at all where the range begins with a chunk.
        let mut generator = self.station(number * self.stations() + value / self.spacing);
        generator.skip(value % self.spacing * self.row.words);
        generator
    }

    /// Forgets stations that nobody has begun at: all that comes is in later rows.
    pub(super) fn forget(&self) {
        self.walk().kept.clear();
    }

    const fn stations(&self) -> u64 {
        self.row.values.div_ceil(self.spacing)
    }

    fn walk(&self) -> MutexGuard<'_, Walk> {
        // Nothing panics under this lock: where memory is short, the process ends.
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn word_of(&self, station: u64) -> u64 {
        self.start(station / self.stations()) + station % self.stations() * self.spacing * self.row.words
    }

    fn station(&self, station: u64) -> Mt19937 {
        let mut walk = self.walk();
        // Taken away: as a rule nobody else begins here.
        if let Some(generator) = walk.kept.remove(&station) {
            return generator;
        }
        if station < walk.next {
            drop(walk);
            // Somebody else has taken it: only work that is cut at other places than the stations comes here.
            let mut generator = Mt19937::new(self.seed, self.simd);
            generator.skip(self.word_of(station));
            return generator;
        }
        // Ahead of the walk: on to that station, leaving a copy at each on the way for whoever begins there.
        let Walk { generator, word, next, kept } = &mut *walk;
        loop {
            let (passed, place) = (*next, self.word_of(*next));
            // Under the lock: a second walk at the same time would only make the same words again.
            generator.skip(place - *word);
            (*word, *next) = (place, passed + 1);
            if passed == station {
                return generator.clone();
            }
            // 2.5 KB for each chunk that others are about to begin.
            kept.insert(passed, generator.clone());
        }
    }
}
