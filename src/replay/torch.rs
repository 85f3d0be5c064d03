//! torch's CPU tensors: `uniform_`, `normal_` and `trunc_normal_` of torch 2.12 and later, and Keras 3 on torch.
//!
//! torch draws from one serial generator and wastes nothing: how many words a tensor takes, and which, depends on its
//! law, its dtype and its size. Threads therefore share one walk of the generator ([`rows`]); normal values of fewer
//! than sixteen elements come from another algorithm, one after another ([`short`]).

mod arithmetic;
mod laws;
mod portable;
mod rows;
mod scratch;
mod short;
#[cfg(test)]
mod tests;

use crate::element::{BF16, Element, F16};
use crate::fill::{CHUNK, Source};
use crate::machine::level::{Level, Simd};
use crate::region::Region;
use arithmetic::{Arithmetic, GROUP};
use laws::Draw;
use rows::{Rest, Row, Rows};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Which of torch's kernels drew the values: `ATEN_CPU_CAPABILITY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Those of machines with AVX2 or AVX-512.
    Avx2,
    /// Those of all other machines.
    Default,
}

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
pub enum Law {
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

impl Law {
    /// Values that are drawn for one element.
    const fn values(&self) -> u64 {
        if matches!(self, Self::KerasTruncated(..)) { 4 } else { 1 }
    }

    /// Draws of the whole tensor in one attempt.
    const fn rows(&self) -> u64 {
        if matches!(self, Self::Accepted(..)) { 2 } else { 1 }
    }

    /// Whether the values that are drawn are normal ones.
    const fn is_normal(&self) -> bool {
        matches!(self, Self::Normal(..) | Self::Redrawn(..) | Self::KerasTruncated(..))
    }
}

/// Where the generator is when a tensor is done.
#[derive(Debug, Default)]
pub struct End {
    skip: AtomicU64,
    /// One more than the place; 0 is none.
    spare: AtomicU64,
}

impl End {
    /// Words drawn until then, and where those of a kept value began.
    pub fn get(&self) -> (u64, Option<u64>) {
        (self.skip.load(Ordering::Relaxed), self.spare.load(Ordering::Relaxed).checked_sub(1))
    }

    fn reach(&self, skip: u64, spare: Option<u64>) {
        self.skip.fetch_max(skip, Ordering::Relaxed);
        self.spare.store(spare.map_or(0, |place| place + 1), Ordering::Relaxed);
    }
}

/// One tensor of torch's. Its clones are the same tensor: they share how far it is drawn.
#[derive(Clone, Debug)]
pub struct Torch {
    law: Law,
    place: Place,
    capability: Capability,
    /// Elements of the tensor.
    elements: u64,
    rows: Arc<OnceLock<Rows>>,
    attempt: Arc<Attempt>,
    end: Arc<End>,
}

/// How far a tensor is drawn that torch draws as a whole until all of its elements are kept.
#[derive(Debug, Default)]
struct Attempt {
    /// Attempts before this one.
    number: AtomicU64,
    /// Whether an element was not kept.
    failed: AtomicBool,
    /// Which elements were not, where they do not show it, by the first element of those that are written together.
    pending: Mutex<HashMap<u64, Vec<bool>>>,
}

impl Torch {
    /// A tensor of so many elements; `end` is where the generator is when all are written.
    #[must_use]
    pub fn new(law: Law, place: Place, capability: Capability, elements: u64, end: Arc<End>) -> Self {
        end.reach(place.skip, place.spare);
        Self { law, place, capability, elements, rows: Arc::default(), attempt: Arc::default(), end }
    }

    fn rows<E: TorchElement>(&self, simd: Simd) -> &Rows {
        self.rows.get_or_init(|| {
            let rest = if self.law.is_normal() { E::REST } else { Rest::Plain };
            let row = Row { values: self.elements * self.law.values(), words: E::Value::WORDS, rest };
            Rows::new(row, simd, self.place.seed, self.place.skip, CHUNK as u64 * self.law.values())
        })
    }

    /// The number of this attempt's first row.
    fn first_row(&self) -> u64 {
        self.attempt.number.load(Ordering::Relaxed) * self.law.rows()
    }
}

impl Torch {
    /// Which of the elements that are written together from `first` on no attempt has kept; `None` if all are.
    fn pending(&self, first: u64, count: usize) -> Option<Vec<bool>> {
        let all = || (self.first_row() == 0).then(|| vec![true; count]);
        self.held().remove(&first).or_else(all)
    }

    /// Leaves them to the next attempt.
    fn leave(&self, first: u64, pending: Vec<bool>) {
        if pending.contains(&true) {
            self.held().insert(first, pending);
            self.attempt.failed.store(true, Ordering::Relaxed);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Vec<bool>>> {
        self.attempt.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: TorchElement> Source<E> for Torch {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let (mut rest, simd) = (out, level.simd());
        for (first, count) in region.runs(first..first + rest.len() as u64) {
            let (out, later) = rest.split_at_mut(count);
            rest = later;
            if self.law.is_normal() && self.elements * self.law.values() < GROUP as u64 {
                let (tensor, place) = short::tensor::<E>(self, simd);
                out.copy_from_slice(&tensor[first as usize..first as usize + count]);
                self.end.reach(place.skip, place.spare);
            } else {
                let rows = self.rows::<E>(simd);
                Draw { torch: self, simd, rows, first, out }.write();
                self.end.skip.fetch_max(rows.start(self.first_row() + self.law.rows()), Ordering::Relaxed);
            }
        }
    }

    fn again(&self) -> bool {
        let failed = self.attempt.failed.swap(false, Ordering::Relaxed);
        if failed {
            self.attempt.number.fetch_add(1, Ordering::Relaxed);
            if let Some(rows) = self.rows.get() {
                rows.forget();
            }
        }
        failed
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
