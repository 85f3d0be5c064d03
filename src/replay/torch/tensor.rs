//! A tensor of torch's: its law, its place in the generator, and how far it is drawn.

use super::arithmetic::{Arithmetic, Capability};
use super::rows::{Rest, Row, Rows};
use crate::element::{BF16, Element, F16};
use crate::fill::CHUNK;
use crate::machine::level::Simd;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A generator at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The seed's low 32 bits: all that the generator uses.
    pub seed: u32,
    /// Words that were drawn before.
    pub skip: u64,
    /// Where the words began whose second normal value is still kept, from a draw of fewer than sixteen.
    pub spare: Option<u64>,
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub enum TorchLaw {
    /// `uniform_`: two limits.
    Uniform([f64; 2]),
    /// `normal_`: mean and standard deviation.
    Normal([f64; 2]),
    /// `trunc_normal_`, where more than 0.3 of the mass is in bounds: `normal_`, and again for what is out of bounds.
    Redrawn([f64; 2], [f64; 2]),
    /// `trunc_normal_` elsewhere: `uniform_` in bounds, and again for what a chance by the density, whose logarithm at
    /// the peak is the last number, does not keep.
    Accepted([f64; 2], [f64; 2], f64),
    /// `keras.random.uniform`.
    KerasUniform([f64; 2]),
    /// `keras.random.truncated_normal`: the first of four normal values that is inside two standard deviations.
    KerasTruncated([f64; 2]),
}

impl TorchLaw {
    /// Values that are drawn for one element.
    pub(super) const fn values(&self) -> u64 {
        if matches!(self, Self::KerasTruncated(..)) { 4 } else { 1 }
    }

    /// Draws of the whole tensor in one attempt.
    pub(super) const fn rows(&self) -> u64 {
        if matches!(self, Self::Accepted(..)) { 2 } else { 1 }
    }

    /// Whether the values that are drawn are normal ones.
    pub(super) const fn is_normal(&self) -> bool {
        matches!(self, Self::Normal(..) | Self::Redrawn(..) | Self::KerasTruncated(..))
    }
}

/// Where the generator is when a tensor is done.
#[derive(Debug, Default)]
pub struct End {
    pub(super) skip: AtomicU64,
    /// One more than the place; 0 is none.
    spare: AtomicU64,
}

impl End {
    /// Words drawn until then, and where those of a kept value began.
    pub fn get(&self) -> (u64, Option<u64>) {
        (self.skip.load(Ordering::Relaxed), self.spare.load(Ordering::Relaxed).checked_sub(1))
    }

    pub(super) fn reach(&self, skip: u64, spare: Option<u64>) {
        // Never back: further passes draw farther on.
        self.skip.fetch_max(skip, Ordering::Relaxed);
        self.spare.store(spare.map_or(0, |place| place + 1), Ordering::Relaxed);
    }
}

/// One tensor of torch's. Its clones are the same tensor: they share how far it is drawn.
#[derive(Clone, Debug)]
pub struct Torch {
    pub(super) law: TorchLaw,
    pub(super) place: Place,
    pub(super) capability: Capability,
    /// Elements of the tensor.
    pub(super) elements: u64,
    pub(super) rows: Arc<OnceLock<Rows>>,
    pub(super) attempt: Arc<Attempt>,
    pub(super) end: Arc<End>,
}

/// How far a tensor is that torch draws as a whole, again and again, until all of its elements are kept.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    /// Attempts before this one.
    pub(super) number: AtomicU64,
    /// Whether an element was not kept.
    pub(super) failed: AtomicBool,
    /// Which ones, where their values do not show it: a list per stretch of a chunk, by the number
    /// of its first element.
    pending: Mutex<HashMap<u64, Vec<bool>>>,
}

impl Torch {
    /// A tensor of so many elements; `end` is where the generator is when all are written.
    #[must_use]
    pub fn new(law: TorchLaw, place: Place, capability: Capability, elements: u64, end: Arc<End>) -> Self {
        // Where the generator stays if nothing is drawn: a tensor may have no elements.
        end.reach(place.skip, place.spare);
        Self { law, place, capability, elements, rows: Arc::default(), attempt: Arc::default(), end }
    }

    pub(super) fn rows<E: TorchElement>(&self, simd: Simd) -> &Rows {
        self.rows.get_or_init(|| {
            let rest = if self.law.is_normal() { E::REST } else { Rest::Plain };
            // Whichever thread comes first makes them; the others would have made the same.
            let row = Row { values: self.elements * self.law.values(), words: E::Value::WORDS, rest };
            // A station per chunk, because chunks are where threads begin.
            Rows::new(row, simd, self.place.seed, self.place.skip, CHUNK as u64 * self.law.values())
        })
    }

    /// The number of this attempt's first row.
    pub(super) fn first_row(&self) -> u64 {
        // It changes between passes only, when no thread is at work.
        self.attempt.number.load(Ordering::Relaxed) * self.law.rows()
    }
}

impl Torch {
    /// Which of the elements that are written together from `first` on no attempt has kept; `None` if all are.
    pub(super) fn pending(&self, first: u64, count: usize) -> Option<Vec<bool>> {
        // Before the first attempt all are pending; after it, what has no entry is done.
        let all = || (self.first_row() == 0).then(|| vec![true; count]);
        // Every attempt cuts the tensor at the same places, so that a stretch finds its own list.
        self.held().remove(&first).or_else(all)
    }

    /// Leaves them to the next attempt.
    pub(super) fn leave(&self, first: u64, pending: Vec<bool>) {
        // No list where all are kept: an attempt late in the series then holds next to nothing.
        if pending.contains(&true) {
            self.held().insert(first, pending);
            self.attempt.failed.store(true, Ordering::Relaxed);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Vec<bool>>> {
        // Poison is passed over: the map is whole between any two of its calls.
        self.attempt.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an array of torch's holds.
pub trait TorchElement: Element<Value: Arithmetic> {
    /// What a normal draw does with the values after the last whole group.
    const REST: Rest;
}

impl TorchElement for f32 {
    const REST: Rest = Rest::Redrawn;
}
impl TorchElement for f64 {
    const REST: Rest = Rest::Redrawn;
}
impl TorchElement for F16 {
    const REST: Rest = Rest::Replaced;
}
impl TorchElement for BF16 {
    const REST: Rest = Rest::Replaced;
}
