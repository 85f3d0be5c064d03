//! torch's laws over some elements of a tensor: what every draw of the whole tensor leaves in them.

use super::arithmetic::{Arithmetic, BATCH, GROUP};
use super::rows::Rows;
use super::{Capability, Law, Torch, TorchElement};
use crate::batch::CacheLines;
use crate::element::{Element, Value};
use crate::level::Kernel;
use crate::replay::mt19937::Mt19937;
use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// The elements `first..first + out.len()` of a tensor.
pub(super) struct Draw<'a, E> {
    pub(super) torch: &'a Torch,
    pub(super) rows: &'a Rows,
    pub(super) first: u64,
    pub(super) out: &'a mut [E],
}

/// Bounds in the elements' own precision.
pub(super) struct Bounds<V> {
    low: V,
    high: V,
}

impl<V: Arithmetic> Bounds<V> {
    #[inline(always)]
    pub(super) fn new<E: Element<Value = V>>([low, high]: [f64; 2]) -> Self {
        Self { low: rounded::<E>(V::from_f64(low)), high: rounded::<E>(V::from_f64(high)) }
    }

    #[inline(always)]
    pub(super) fn exclude<E: Element<Value = V>>(&self, element: E) -> bool {
        let value = element.widen();
        value < self.low || value > self.high
    }

    #[inline(always)]
    pub(super) fn exclude_any<E: Element<Value = V>>(&self, elements: &[E]) -> bool {
        let mut any = false;
        for &element in elements {
            any |= self.exclude(element);
        }
        any
    }
}

/// The nearest value that the elements' type has.
#[inline(always)]
fn rounded<E: Element>(value: E::Value) -> E::Value {
    E::round(value).widen()
}

/// The first of four that is inside two standard deviations, or the first; placed step by step in the elements' type.
#[inline(always)]
pub(super) fn keras_truncated<E: TorchElement>(candidates: [E; 4], [mean, std]: [f64; 2]) -> E {
    let (low, high) = (E::Value::from_f64(-2.0), E::Value::from_f64(2.0));
    let values = candidates.map(E::widen);
    let mut chosen = values[0];
    for value in values.into_iter().rev() {
        chosen = if value > low && value < high { value } else { chosen };
    }
    let scaled = rounded::<E>(chosen * E::Value::from_f64(std));
    E::round(scaled + rounded::<E>(E::Value::from_f64(mean)))
}

/// Memory of a batch.
struct Scratch<V> {
    values: CacheLines<[V; BATCH]>,
    first: CacheLines<[V; BATCH / 2]>,
    second: CacheLines<[V; BATCH / 2]>,
}

impl<V: Arithmetic> Scratch<V> {
    #[inline(always)]
    fn new() -> Self {
        let half = || CacheLines([V::default(); BATCH / 2]);
        Self { values: CacheLines([V::default(); BATCH]), first: half(), second: half() }
    }

    /// Values of `normal_`, whole groups of them.
    #[inline(always)]
    fn normal(&mut self, generator: &mut Mt19937, count: usize, torch: &Torch, [mean, std]: [f64; 2]) -> &[V] {
        const HALF: usize = GROUP / 2;
        let (mean, std) = (V::from_f64(mean), V::from_f64(std));
        let values = &mut self.values.0[..count];
        let (first, second) = (&mut self.first.0[..count / 2], &mut self.second.0[..count / 2]);
        V::uniform(generator, values);
        let halves = values.as_chunks::<GROUP>().0.iter();
        for ((group, a), b) in halves.zip(first.as_chunks_mut::<HALF>().0).zip(second.as_chunks_mut::<HALF>().0) {
            a.copy_from_slice(&group[..HALF]);
            b.copy_from_slice(&group[HALF..]);
        }
        V::box_muller(torch.capability, first, second);
        let halves = values.as_chunks_mut::<GROUP>().0.iter_mut();
        for ((group, a), b) in halves.zip(first.as_chunks::<HALF>().0).zip(second.as_chunks::<HALF>().0) {
            for lane in 0..HALF {
                group[lane] = V::fused(a[lane], std, mean);
                group[HALF + lane] = V::fused(b[lane], std, mean);
            }
        }
        values
    }

    /// Elements of `uniform_`: what rounds to the upper limit becomes the lower one.
    #[inline(always)]
    fn uniform<E: TorchElement<Value = V>>(
        &mut self,
        generator: &mut Mt19937,
        capability: Capability,
        [low, high]: [f64; 2],
        out: &mut [E],
    ) {
        let (low, high) = (V::from_f64(low), V::from_f64(high));
        let (least, limit) = (E::round(low), rounded::<E>(high));
        let values = &mut self.values.0[..out.len()];
        V::uniform(generator, values);
        for (element, value) in out.iter_mut().zip(values) {
            let found = E::round(V::affine(capability, *value, high - low, low));
            *element = if found.widen() == limit { least } else { found };
        }
    }
}

impl<E: TorchElement> Draw<'_, E> {
    /// The elements' numbers.
    #[inline(always)]
    fn range(&self, each: u64) -> Range<u64> {
        self.first * each..(self.first + self.out.len() as u64) * each
    }

    /// The generator in a row of this attempt.
    #[inline(always)]
    fn row(&self, number: u64) -> Mt19937 {
        self.rows.at(self.torch.first_row() + number, self.first * self.torch.law.values())
    }

    /// The generator in a row of uniform values, which are not in groups.
    #[inline(always)]
    fn uniform_row(&self, number: u64) -> Mt19937 {
        let mut generator = self.row(number);
        generator.skip(self.first % GROUP as u64 * E::Value::WORDS);
        generator
    }

    #[inline(always)]
    fn uniform(self, limits: [f64; 2], last: impl Fn(E) -> E) {
        let mut generator = self.uniform_row(0);
        let mut scratch = Scratch::new();
        for out in self.out.chunks_mut(BATCH) {
            scratch.uniform(&mut generator, self.torch.capability, limits, out);
            for element in out {
                *element = last(*element);
            }
        }
    }

    #[inline(always)]
    fn normal(self, moments: [f64; 2]) {
        let mut generator = self.row(0);
        let mut scratch = Scratch::new();
        let range = self.range(1);
        for batch in self.rows.row.batches(&range, BATCH as u64) {
            generator.skip(batch.skip);
            let values = scratch.normal(&mut generator, batch.count, self.torch, moments);
            let (elements, of_batch) = batch.meet(&range, 1);
            for (element, value) in self.out[elements].iter_mut().zip(&values[of_batch]) {
                *element = E::round(*value);
            }
        }
    }

    #[inline(always)]
    fn redrawn(self, moments: [f64; 2], bounds: [f64; 2]) {
        let bounds = Bounds::new::<E>(bounds);
        let is_first = self.torch.first_row() == 0;
        if !is_first && !bounds.exclude_any(self.out) {
            return;
        }
        let mut generator = self.row(0);
        let mut scratch = Scratch::new();
        let range = self.range(1);
        for batch in self.rows.row.batches(&range, BATCH as u64) {
            generator.skip(batch.skip);
            let (elements, of_batch) = batch.meet(&range, 1);
            let out = &mut self.out[elements];
            if !is_first && !bounds.exclude_any(out) {
                generator.skip(batch.count as u64 * E::Value::WORDS);
                continue;
            }
            let values = scratch.normal(&mut generator, batch.count, self.torch, moments);
            for (element, value) in out.iter_mut().zip(&values[of_batch]) {
                let keep = !is_first && !bounds.exclude(*element);
                *element = if keep { *element } else { E::round(*value) };
            }
        }
        if bounds.exclude_any(self.out) {
            self.torch.attempt.failed.store(true, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn accepted(self, [mean, std]: [f64; 2], bounds: [f64; 2], log_peak: f64) {
        // torch computes the density's logarithm in the elements' type, step by step; what it adds is rounded to that
        // type first, what it divides by is not.
        let number = E::Value::from_f64;
        let (mean, std, log_peak) = (rounded::<E>(number(mean)), number(std), rounded::<E>(number(log_peak)));
        let log_density = |candidate: E| {
            let x = rounded::<E>(rounded::<E>(candidate.widen() - mean) / std);
            rounded::<E>(rounded::<E>(rounded::<E>(x * x) * number(-0.5)) - log_peak)
        };
        let attempt = &self.torch.attempt;
        let held = || attempt.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pending = match held().remove(&self.first) {
            Some(pending) => pending,
            None if self.torch.first_row() == 0 => vec![true; self.out.len()],
            None => return,
        };
        let mut scratch = Scratch::new();
        let nothing = E::round(E::Value::default());
        let (mut candidates, mut chances) = ([nothing; BATCH], [nothing; BATCH]);
        let (mut first, mut second) = (self.uniform_row(0), self.uniform_row(1));
        for (out, pending) in self.out.chunks_mut(BATCH).zip(pending.chunks_mut(BATCH)) {
            if !pending.contains(&true) {
                first.skip(out.len() as u64 * E::Value::WORDS);
                second.skip(out.len() as u64 * E::Value::WORDS);
                continue;
            }
            let (candidates, chances) = (&mut candidates[..out.len()], &mut chances[..out.len()]);
            scratch.uniform(&mut first, self.torch.capability, bounds, candidates);
            scratch.uniform(&mut second, self.torch.capability, [0.0, 1.0], chances);
            for (i, element) in out.iter_mut().enumerate() {
                if pending[i] {
                    *element = candidates[i];
                    pending[i] = rounded::<E>(E::Value::ln(chances[i].widen())) > log_density(candidates[i]);
                }
            }
        }
        if pending.contains(&true) {
            held().insert(self.first, pending);
            attempt.failed.store(true, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn keras_truncated(self, moments: [f64; 2]) {
        let mut generator = self.row(0);
        let mut scratch = Scratch::new();
        let (range, values) = (self.range(1), self.range(4));
        for batch in self.rows.row.batches(&values, BATCH as u64) {
            generator.skip(batch.skip);
            let values = scratch.normal(&mut generator, batch.count, self.torch, [0.0, 1.0]);
            let (elements, of_batch) = batch.meet(&range, 4);
            let candidates = &values.as_chunks::<4>().0[of_batch];
            for (element, candidates) in self.out[elements].iter_mut().zip(candidates) {
                *element = keras_truncated(candidates.map(E::round), moments);
            }
        }
    }
}

impl<E: TorchElement> Kernel for Draw<'_, E> {
    #[inline(always)]
    fn run(self) {
        match self.torch.law {
            Law::Uniform(limits) => self.uniform(limits, |element| element),
            Law::KerasUniform([low, high]) => {
                let (range, low) = (E::Value::from_f64(high - low), rounded::<E>(E::Value::from_f64(low)));
                self.uniform([0.0, 1.0], |element| E::round(rounded::<E>(range * element.widen()) + low));
            }
            Law::Normal(moments) => self.normal(moments),
            Law::Redrawn(moments, bounds) => self.redrawn(moments, bounds),
            Law::Accepted(moments, bounds, log_peak) => self.accepted(moments, bounds, log_peak),
            Law::KerasTruncated(moments) => self.keras_truncated(moments),
        }
    }
}
