//! torch's CPU tensors: `uniform_`, `normal_` and `trunc_normal_` of torch 2.12 and later, and Keras 3 on torch.
//!
//! torch draws from one serial generator and wastes nothing: how many words a tensor takes, and which, depends on its
//! law, its dtype and its size. A tensor is therefore made whole, chunk by chunk on any threads ([`rows`]); normal
//! values of fewer than sixteen elements come from another algorithm, one after another ([`short`]).

mod arithmetic;
mod laws;
mod rows;
mod short;

use super::mt19937::Mt19937;
use crate::element::{BF16, Element, F16};
use crate::environment::DefaultEnvironment;
use crate::fill::{Schedule, Task};
use arithmetic::{Arithmetic, GROUP};
use laws::Chunk;
use rows::{Layout, Rest, Rows};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which of torch's kernels drew the values: `ATEN_CPU_CAPABILITY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Machines with AVX2 or AVX-512.
    Avx2,
    /// All others, and those that were told `default`.
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
    /// `uniform_(low, high)`.
    Uniform { low: f64, high: f64 },
    /// `normal_(mean, std)`.
    Normal { mean: f64, std: f64 },
    /// `trunc_normal_`, where more than 0.3 of the mass is in bounds: `normal_`, and again for what is outside.
    Redrawn { mean: f64, std: f64, low: f64, high: f64 },
    /// `trunc_normal_` elsewhere: `uniform_`, kept with the density's probability, and again for what is not.
    Accepted { mean: f64, std: f64, low: f64, high: f64, log_peak: f64 },
    /// `keras.random.uniform`.
    KerasUniform { low: f64, high: f64 },
    /// `keras.random.truncated_normal`: the first of four normal values that is inside two standard deviations.
    KerasTruncated { mean: f64, std: f64 },
}

impl Law {
    /// Values that are drawn for one element.
    fn values(&self) -> usize {
        if matches!(self, Self::KerasTruncated { .. }) { 4 } else { 1 }
    }

    /// Whether normal values are drawn, by Box and Muller's method.
    pub fn is_normal(&self) -> bool {
        matches!(self, Self::Normal { .. } | Self::Redrawn { .. } | Self::KerasTruncated { .. })
    }
}

/// One tensor of torch's.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What is drawn.
    pub law: Law,
    /// From where on.
    pub place: Place,
    /// By which kernels.
    pub capability: Capability,
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

/// The work of drawing a whole tensor into `out`, in parts that may be done in any order; `end` is right when all are.
pub fn tasks<'a, E: TorchElement>(
    plan: &Plan,
    out: &'a mut [E],
    schedule: &Schedule,
    end: &'a End,
) -> Vec<Task<'a>> {
    let (plan, level) = (*plan, schedule.level);
    let Place { seed, skip, spare } = plan.place;
    end.reach(skip, spare);
    if out.is_empty() {
        return Vec::new();
    }
    let per_element = plan.law.values();
    let values = out.len() * per_element;
    if plan.law.is_normal() && values < GROUP {
        return vec![Box::new(move || {
            let _environment = DefaultEnvironment::enter();
            let (skip, spare) = short::draw(&plan, out);
            end.reach(skip, spare);
        })];
    }
    let chunk = schedule.chunk.next_multiple_of(GROUP) * per_element;
    let rest = if plan.law.is_normal() { E::REST } else { Rest::Plain };
    let layout = Layout { values, chunk, words: E::Value::WORDS, rest };
    let rows = Arc::new(Rows::new(layout, Mt19937::new(seed), skip));
    let mut out = out;
    let mut tasks: Vec<Task<'a>> = Vec::with_capacity(layout.chunks());
    for (number, length) in layout.lengths().enumerate() {
        let (now, later) = std::mem::take(&mut out).split_at_mut(length / per_element);
        out = later;
        let rows = Arc::clone(&rows);
        tasks.push(Box::new(move || {
            let _environment = DefaultEnvironment::enter();
            let taken = AtomicU64::new(0);
            level.run(Chunk { plan: &plan, layout: &layout, rows: &rows, number, out: now, taken: &taken });
            rows.finish(number);
            end.skip.fetch_max(skip + taken.into_inner() * layout.words_of_all(), Ordering::Relaxed);
        }));
    }
    tasks
}
