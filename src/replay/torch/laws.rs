//! torch's laws over some elements of a tensor: what every draw of the whole tensor leaves in them.

use super::arithmetic::{Arithmetic, BATCH, GROUP};
use super::rows::Rows;
use super::scratch::{Kept, Round, Scratch, rounded};
use super::tensor::{Torch, TorchElement, TorchLaw};
use crate::element::Element;
use crate::machine::level::Simd;
use crate::replay::mt19937::Mt19937;
use crate::value::Value;
use std::ops::Range;
use std::sync::atomic::Ordering;

/// The elements `first..first + out.len()` of a tensor.
pub(super) struct Draw<'a, E> {
    pub(super) torch: &'a Torch,
    /// For the kernels that elements of one type of value share.
    pub(super) simd: Simd,
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
        // To the end, without a way out early: that is what vectorises.
        let mut any = false;
        for &element in elements {
            any |= self.exclude(element);
        }
        any
    }
}

impl<E: TorchElement> Draw<'_, E> {
    /// Writes them.
    pub(super) fn write(self) {
        match self.torch.law {
            TorchLaw::Uniform(limits) => self.uniform(limits, |element| element),
            TorchLaw::KerasUniform([low, high]) => {
                // Where torch computes with 16 bits, a number that it adds is rounded to them; a factor is not.
                let (range, low) = (E::Value::from_f64(high - low), rounded::<E>(E::Value::from_f64(low)));
                // Keras draws a tensor of the elements' type first: what it scales has been rounded once already.
                self.uniform([0.0, 1.0], |element| E::round(rounded::<E>(range * element.widen()) + low));
            }
            TorchLaw::Normal(moments) => self.normal(moments),
            TorchLaw::Redrawn(moments, bounds) => self.redrawn(moments, bounds),
            TorchLaw::Accepted(moments, bounds, log_peak) => self.accepted(moments, bounds, log_peak),
            TorchLaw::KerasTruncated(moments) => self.keras_truncated(moments),
        }
    }

    /// The elements' numbers.
    fn range(&self, each: u64) -> Range<u64> {
        self.first * each..(self.first + self.out.len() as u64) * each
    }

    /// The generator in a row of this attempt.
    fn row(&self, number: u64) -> Mt19937 {
        self.rows.at(self.torch.first_row() + number, self.first * self.torch.law.values())
    }

    /// The generator in a row of uniform values, which are not in groups.
    fn uniform_row(&self, number: u64) -> Mt19937 {
        let mut generator = self.row(number);
        // A row's place is that of a group of sixteen, and uniform values begin anywhere in it.
        generator.skip(self.first % GROUP as u64 * E::Value::WORDS);
        generator
    }

    fn uniform(self, limits: [f64; 2], last: impl Fn(E) -> E) {
        let mut generator = self.uniform_row(0);
        let mut scratch = Scratch::new(self.simd, self.torch);
        for out in self.out.chunks_mut(BATCH) {
            scratch.uniform(&mut generator, limits, out);
            for element in out {
                *element = last(*element);
            }
        }
    }

    fn normal(self, moments: [f64; 2]) {
        let mut generator = self.row(0);
        let mut scratch = Scratch::new(self.simd, self.torch);
        let range = self.range(1);
        for batch in self.rows.row.batches(&range, BATCH as u64) {
            generator.skip(batch.skip);
            let values = scratch.normal(&mut generator, batch.count, moments);
            let (elements, of_batch) = batch.overlap(&range, 1);
            self.simd.run(Round { values: &values[of_batch], out: &mut self.out[elements] });
        }
    }

    fn redrawn(self, moments: [f64; 2], bounds: [f64; 2]) {
        let bounds = Bounds::new::<E>(bounds);
        // Values out of bounds show by themselves that they are to be drawn again: no list is kept.
        // Before the first attempt the memory holds whatever its owner left there.
        let is_first = self.torch.first_row() == 0;
        if !is_first && !bounds.exclude_any(self.out) {
            return;
        }
        let mut generator = self.row(0);
        let mut scratch = Scratch::new(self.simd, self.torch);
        let range = self.range(1);
        for batch in self.rows.row.batches(&range, BATCH as u64) {
            generator.skip(batch.skip);
            let (elements, of_batch) = batch.overlap(&range, 1);
            let out = &mut self.out[elements];
            if !is_first && !bounds.exclude_any(out) {
                // torch draws for values that stay, too: their words are passed over.
                generator.skip(batch.count as u64 * E::Value::WORDS);
                continue;
            }
            let values = scratch.normal(&mut generator, batch.count, moments);
            for (element, value) in out.iter_mut().zip(&values[of_batch]) {
                let keep = !is_first && !bounds.exclude(*element);
                *element = if keep { *element } else { E::round(*value) };
            }
        }
        // Relaxed, here and elsewhere: threads are waited for before anybody reads it.
        if bounds.exclude_any(self.out) {
            self.torch.attempt.failed.store(true, Ordering::Relaxed);
        }
    }

    fn accepted(self, [mean, std]: [f64; 2], bounds: [f64; 2], log_peak: f64) {
        // torch computes the density's logarithm in the elements' type, step by step; what it adds is rounded to that
        // type first, what it divides by is not.
        let number = E::Value::from_f64;
        let (mean, std, log_peak) = (rounded::<E>(number(mean)), number(std), rounded::<E>(number(log_peak)));
        let log_density = |candidate: E| {
            let x = rounded::<E>(rounded::<E>(candidate.widen() - mean) / std);
            rounded::<E>(rounded::<E>(rounded::<E>(x * x) * number(-0.5)) - log_peak)
        };
        // A value looks the same whether it was accepted or not: which are pending is remembered.
        let Some(mut pending) = self.torch.pending(self.first, self.out.len()) else { return };
        let mut scratch = Scratch::new(self.simd, self.torch);
        let nothing = E::round(E::Value::default());
        let (mut candidates, mut chances) = ([nothing; BATCH], [nothing; BATCH]);
        // Candidates and chances are two draws of the whole tensor: a generator walks in each.
        let (mut first, mut second) = (self.uniform_row(0), self.uniform_row(1));
        for (out, pending) in self.out.chunks_mut(BATCH).zip(pending.chunks_mut(BATCH)) {
            if !pending.contains(&true) {
                first.skip(out.len() as u64 * E::Value::WORDS);
                second.skip(out.len() as u64 * E::Value::WORDS);
                continue;
            }
            let (candidates, chances) = (&mut candidates[..out.len()], &mut chances[..out.len()]);
            scratch.uniform(&mut first, bounds, candidates);
            scratch.uniform(&mut second, [0.0, 1.0], chances);
            for (i, element) in out.iter_mut().enumerate() {
                if pending[i] {
                    *element = candidates[i];
                    // Once accepted, never drawn again, although torch goes on drawing for its place.
                    pending[i] = rounded::<E>(E::Value::ln(chances[i].widen())) > log_density(candidates[i]);
                }
            }
        }
        self.torch.leave(self.first, pending);
    }

    fn keras_truncated(self, moments: [f64; 2]) {
        let mut generator = self.row(0);
        let mut scratch = Scratch::new(self.simd, self.torch);
        let (range, values) = (self.range(1), self.range(4));
        for batch in self.rows.row.batches(&values, BATCH as u64) {
            generator.skip(batch.skip);
            // Standard ones: Keras chooses first, and places only what it has chosen.
            let values = scratch.normal(&mut generator, batch.count, [0.0, 1.0]);
            let (elements, of_batch) = batch.overlap(&range, 4);
            let candidates = &values.as_chunks::<4>().0[of_batch];
            self.simd.run(Kept { candidates, moments, out: &mut self.out[elements] });
        }
    }
}
