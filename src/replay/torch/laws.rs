//! torch's laws over one chunk of a tensor: what every draw of the whole tensor leaves in it.

use super::arithmetic::{Arithmetic, BATCH, GROUP};
use super::rows::{Layout, Rows};
use super::{Capability, Law, Plan, TorchElement};
use crate::element::{Element, Value};
use crate::level::Kernel;
use crate::replay::mt19937::Mt19937;
use std::sync::atomic::{AtomicU64, Ordering};

/// A chunk of a tensor, as work for one thread.
pub(super) struct Chunk<'a, E> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    pub(super) rows: &'a Rows,
    pub(super) number: usize,
    pub(super) out: &'a mut [E],
    /// How many draws of the whole tensor the chunk took part in.
    pub(super) taken: &'a AtomicU64,
}

/// Bounds in the elements' own precision.
pub(super) struct Bounds<V> {
    low: V,
    high: V,
}

impl<V: Arithmetic> Bounds<V> {
    #[inline(always)]
    pub(super) fn new<E: Element<Value = V>>(low: f64, high: f64) -> Self {
        Self { low: rounded::<E>(V::from_f64(low)), high: rounded::<E>(V::from_f64(high)) }
    }

    #[inline(always)]
    pub(super) fn exclude<E: Element<Value = V>>(&self, element: E) -> bool {
        let value = element.widen();
        value < self.low || value > self.high
    }
}

/// The nearest value that the element's type has.
#[inline(always)]
fn rounded<E: Element>(value: E::Value) -> E::Value {
    E::round(value).widen()
}

/// The first of four that is inside two standard deviations, or the first; placed step by step in the element's type.
#[inline(always)]
pub(super) fn keras_truncated<E: TorchElement>(candidates: [E; 4], mean: f64, std: f64) -> E {
    let two = E::Value::from_f64(2.0);
    let minus_two = E::Value::from_f64(-2.0);
    let mut chosen = candidates[0].widen();
    for candidate in candidates.into_iter().rev() {
        let value = candidate.widen();
        if value > minus_two && value < two {
            chosen = value;
        }
    }
    let scaled = rounded::<E>(chosen * E::Value::from_f64(std));
    E::round(scaled + rounded::<E>(E::Value::from_f64(mean)))
}

/// Elements of `uniform_(low, high)`, of which a value that rounds to `high` becomes `low`.
#[inline(always)]
fn uniform<E: TorchElement>(
    generator: &mut Mt19937,
    capability: Capability,
    low: f64,
    high: f64,
    out: &mut [E],
    buffer: &mut [E::Value; BATCH],
) {
    let (low, high) = (E::Value::from_f64(low), E::Value::from_f64(high));
    let (least, past) = (E::round(low), rounded::<E>(high));
    let values = &mut buffer[..out.len()];
    E::Value::uniform(generator, values);
    for (element, value) in out.iter_mut().zip(values) {
        let found = E::round(E::Value::affine(capability, *value, high - low, low));
        *element = if found.widen() == past { least } else { found };
    }
}

/// Values of `normal_(mean, std)`, whole groups of them.
#[inline(always)]
fn normal<V: Arithmetic>(generator: &mut Mt19937, capability: Capability, mean: f64, std: f64, values: &mut [V]) {
    let (mean, std) = (V::from_f64(mean), V::from_f64(std));
    let half = values.len() / 2;
    let (mut first, mut second) = ([V::default(); BATCH / 2], [V::default(); BATCH / 2]);
    let (first, second) = (&mut first[..half], &mut second[..half]);
    V::uniform(generator, values);
    let groups = values.as_chunks_mut::<GROUP>().0;
    for (number, group) in groups.iter().enumerate() {
        let at = number * GROUP / 2;
        first[at..at + GROUP / 2].copy_from_slice(&group[..GROUP / 2]);
        second[at..at + GROUP / 2].copy_from_slice(&group[GROUP / 2..]);
    }
    V::box_muller(capability, first, second);
    for value in first.iter_mut().chain(second.iter_mut()) {
        *value = V::fused(*value, std, mean);
    }
    for (number, group) in groups.iter_mut().enumerate() {
        let at = number * GROUP / 2;
        group[..GROUP / 2].copy_from_slice(&first[at..at + GROUP / 2]);
        group[GROUP / 2..].copy_from_slice(&second[at..at + GROUP / 2]);
    }
}

impl<E: TorchElement> Chunk<'_, E> {
    #[inline(always)]
    fn take(&self) -> Mt19937 {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.rows.take(self.number)
    }

    #[inline(always)]
    fn plain_uniform(self, low: f64, high: f64, last: impl Fn(E) -> E) {
        let mut generator = self.take();
        let mut buffer = [E::Value::default(); BATCH];
        for out in self.out.chunks_mut(BATCH) {
            uniform(&mut generator, self.plan.capability, low, high, out, &mut buffer);
            for element in out {
                *element = last(*element);
            }
        }
    }

    #[inline(always)]
    fn normal(self, mean: f64, std: f64) {
        let mut generator = self.take();
        let mut values = [E::Value::default(); BATCH];
        for batch in self.layout.batches(self.out.len(), BATCH) {
            generator.skip(batch.skip);
            normal(&mut generator, self.plan.capability, mean, std, &mut values[..batch.count]);
            for (element, value) in self.out[batch.first..].iter_mut().zip(&values[..batch.keep]) {
                *element = E::round(*value);
            }
        }
    }

    #[inline(always)]
    fn redrawn(self, mean: f64, std: f64, low: f64, high: f64) {
        let bounds = Bounds::new::<E>(low, high);
        let mut values = [E::Value::default(); BATCH];
        let mut is_first = true;
        while is_first || self.out.iter().any(|&element| bounds.exclude(element)) {
            let mut generator = self.take();
            for batch in self.layout.batches(self.out.len(), BATCH) {
                generator.skip(batch.skip);
                let out = &mut self.out[batch.first..batch.first + batch.keep];
                if !is_first && !out.iter().any(|&element| bounds.exclude(element)) {
                    generator.skip(batch.count as u64 * E::Value::WORDS);
                    continue;
                }
                normal(&mut generator, self.plan.capability, mean, std, &mut values[..batch.count]);
                for (element, value) in out.iter_mut().zip(&values[..batch.keep]) {
                    if is_first || bounds.exclude(*element) {
                        *element = E::round(*value);
                    }
                }
            }
            is_first = false;
        }
    }

    #[inline(always)]
    fn accepted(self, mean: f64, std: f64, [low, high]: [f64; 2], log_peak: f64) {
        // torch computes the density's logarithm in the element's type, a step at a time. Sums take a rounded
        // number, products a float32 one.
        let number = E::Value::from_f64;
        let (mean, std) = (rounded::<E>(number(mean)), number(std));
        let (minus_half, log_peak) = (number(-0.5), rounded::<E>(number(log_peak)));
        let log_density = |candidate: E| {
            let x = rounded::<E>(rounded::<E>(candidate.widen() - mean) / std);
            rounded::<E>(rounded::<E>(rounded::<E>(x * x) * minus_half) - log_peak)
        };
        let mut pending = vec![true; self.out.len()];
        let mut buffer = [E::Value::default(); BATCH];
        let (mut candidates, mut chances) = ([self.out[0]; BATCH], [self.out[0]; BATCH]);
        while pending.contains(&true) {
            let (mut first, mut second) = (self.take(), self.take());
            for (out, pending) in self.out.chunks_mut(BATCH).zip(pending.chunks_mut(BATCH)) {
                if !pending.contains(&true) {
                    first.skip(out.len() as u64 * E::Value::WORDS);
                    second.skip(out.len() as u64 * E::Value::WORDS);
                    continue;
                }
                let (candidates, chances) = (&mut candidates[..out.len()], &mut chances[..out.len()]);
                uniform(&mut first, self.plan.capability, low, high, candidates, &mut buffer);
                uniform(&mut second, self.plan.capability, 0.0, 1.0, chances, &mut buffer);
                for (i, element) in out.iter_mut().enumerate().filter(|&(i, _)| pending[i]) {
                    *element = candidates[i];
                }
                for (i, pending) in pending.iter_mut().enumerate().filter(|(_, pending)| **pending) {
                    *pending = rounded::<E>(E::Value::log(chances[i].widen())) > log_density(candidates[i]);
                }
            }
        }
    }

    #[inline(always)]
    fn keras_truncated(self, mean: f64, std: f64) {
        let mut generator = self.take();
        let mut values = [E::Value::default(); BATCH];
        for batch in self.layout.batches(4 * self.out.len(), BATCH) {
            generator.skip(batch.skip);
            normal(&mut generator, self.plan.capability, 0.0, 1.0, &mut values[..batch.count]);
            let candidates = values[..batch.keep].as_chunks::<4>().0;
            for (element, candidates) in self.out[batch.first / 4..].iter_mut().zip(candidates) {
                *element = keras_truncated(candidates.map(E::round), mean, std);
            }
        }
    }
}

impl<E: TorchElement> Kernel for Chunk<'_, E> {
    #[inline(always)]
    fn run(self) {
        match self.plan.law {
            Law::Uniform { low, high } => self.plain_uniform(low, high, |element| element),
            Law::KerasUniform { low, high } => {
                let (range, low) = (E::Value::from_f64(high - low), rounded::<E>(E::Value::from_f64(low)));
                self.plain_uniform(0.0, 1.0, |element| E::round(rounded::<E>(range * element.widen()) + low));
            }
            Law::Normal { mean, std } => self.normal(mean, std),
            Law::Redrawn { mean, std, low, high } => self.redrawn(mean, std, low, high),
            Law::Accepted { mean, std, low, high, log_peak } => self.accepted(mean, std, [low, high], log_peak),
            Law::KerasTruncated { mean, std } => self.keras_truncated(mean, std),
        }
    }
}
