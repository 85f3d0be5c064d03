//! Batches of torch's values, as kernels that elements of one type of value share.

use super::arithmetic::{Arithmetic, BATCH, Capability, GROUP};
use super::tensor::{Torch, TorchElement};
use crate::element::Element;
use crate::machine::level::{Kernel, Level, Simd};
use crate::machine::lines::CacheLines;
use crate::replay::mt19937::{HIGHEST, Mt19937};
use crate::value::Value;

/// The nearest value that the elements' type has.
#[inline(always)]
pub(super) fn rounded<E: Element>(value: E::Value) -> E::Value {
    E::round(value).widen()
}

/// Memory of a batch, and what fills it.
pub(super) struct Scratch<V> {
    simd: Simd,
    capability: Capability,
    values: CacheLines<[V; BATCH]>,
    first: CacheLines<[V; BATCH / 2]>,
    second: CacheLines<[V; BATCH / 2]>,
}

impl<V: Arithmetic> Scratch<V> {
    #[inline(always)]
    pub(super) fn new(simd: Simd, torch: &Torch) -> Self {
        // Made once per draw and used for every batch: zeroing it each time would cost a pass over the cache.
        let half = || CacheLines([V::default(); BATCH / 2]);
        let values = CacheLines([V::default(); BATCH]);
        Self { simd, capability: torch.capability, values, first: half(), second: half() }
    }

    /// Values of `normal_`, whole groups of them.
    #[inline(always)]
    pub(super) fn normal(&mut self, generator: &mut Mt19937, count: usize, moments: [f64; 2]) -> &[V] {
        // Halves are exact: a batch is made of whole groups.
        let (first, second) = (&mut self.first.0[..count / 2], &mut self.second.0[..count / 2]);
        let values = &mut self.values.0[..count];
        self.simd.run(Normal { generator, capability: self.capability, moments, values, first, second });
        &self.values.0[..count]
    }

    /// Elements of `uniform_`: what rounds to the upper limit becomes the lower one.
    #[inline(always)]
    pub(super) fn uniform<E: TorchElement<Value = V>>(
        &mut self,
        generator: &mut Mt19937,
        limits: [f64; 2],
        out: &mut [E],
    ) {
        // Two kernels: values are the same for every type that computes in them, only the limit is each type's own.
        let values = &mut self.values.0[..out.len()];
        self.simd.run(Uniform { generator, capability: self.capability, limits, values });
        let [low, high] = limits.map(V::from_f64);
        // Limits as elements, because it is the rounded value that meets them.
        let (least, limit) = (E::round(low), rounded::<E>(high));
        self.simd.run(Limited { values, least, limit, out });
    }
}

/// Values of `normal_`, whole groups of them, and memory for their halves.
struct Normal<'a, V> {
    generator: &'a mut Mt19937,
    capability: Capability,
    moments: [f64; 2],
    values: &'a mut [V],
    first: &'a mut [V],
    second: &'a mut [V],
}

impl<V: Arithmetic> Kernel for Normal<'_, V> {
    const HIGHEST: Level = HIGHEST;

    #[inline(always)]
    fn run(self, _: Level) {
        // torch's order in a group: eight radii, then eight angles, and their values in the same places.
        const HALF: usize = GROUP / 2;
        let Self { generator, values, first, second, .. } = self;
        let [mean, std] = self.moments.map(V::from_f64);
        V::uniform(generator, values);
        // Radii and angles, eight of each per group, become two long arrays, over which one loop vectorises.
        let halves = values.as_chunks::<GROUP>().0.iter();
        for ((group, a), b) in halves.zip(first.as_chunks_mut::<HALF>().0).zip(second.as_chunks_mut::<HALF>().0) {
            a.copy_from_slice(&group[..HALF]);
            b.copy_from_slice(&group[HALF..]);
        }
        V::box_muller(self.capability, first, second);
        let halves = values.as_chunks_mut::<GROUP>().0.iter_mut();
        for ((group, a), b) in halves.zip(first.as_chunks::<HALF>().0).zip(second.as_chunks::<HALF>().0) {
            for lane in 0..HALF {
                group[lane] = V::fused(a[lane], std, mean);
                group[HALF + lane] = V::fused(b[lane], std, mean);
            }
        }
    }
}

/// Values between limits, before the elements' rounding.
struct Uniform<'a, V> {
    generator: &'a mut Mt19937,
    capability: Capability,
    limits: [f64; 2],
    values: &'a mut [V],
}

impl<V: Arithmetic> Kernel for Uniform<'_, V> {
    const HIGHEST: Level = HIGHEST;

    #[inline(always)]
    fn run(self, _: Level) {
        let [low, high] = self.limits.map(V::from_f64);
        V::uniform(self.generator, self.values);
        for value in self.values {
            // The range is taken in the type of the computation, like torch's: one from float64 would round otherwise.
            *value = V::affine(self.capability, *value, high - low, low);
        }
    }
}

/// Elements between limits: what rounds to the upper one becomes the lower one.
struct Limited<'a, E: TorchElement> {
    values: &'a [E::Value],
    least: E,
    limit: E::Value,
    out: &'a mut [E],
}

impl<E: TorchElement> Kernel for Limited<'_, E> {
    const HIGHEST: Level = HIGHEST;

    #[inline(always)]
    fn run(self, _: Level) {
        for (element, value) in self.out.iter_mut().zip(self.values) {
            let found = E::round(*value);
            // torch excludes the upper limit, which rounding may reach; a selection instead of a branch vectorises.
            *element = if found.widen() == self.limit { self.least } else { found };
        }
    }
}

/// Elements of values.
pub(super) struct Round<'a, E: TorchElement> {
    pub(super) values: &'a [E::Value],
    pub(super) out: &'a mut [E],
}

impl<E: TorchElement> Kernel for Round<'_, E> {
    const HIGHEST: Level = HIGHEST;

    #[inline(always)]
    fn run(self, _: Level) {
        for (element, value) in self.out.iter_mut().zip(self.values) {
            *element = E::round(*value);
        }
    }
}

/// Elements that Keras keeps of four candidates each.
pub(super) struct Kept<'a, E: TorchElement> {
    pub(super) candidates: &'a [[E::Value; 4]],
    pub(super) moments: [f64; 2],
    pub(super) out: &'a mut [E],
}

impl<E: TorchElement> Kernel for Kept<'_, E> {
    const HIGHEST: Level = HIGHEST;

    #[inline(always)]
    fn run(self, _: Level) {
        for (element, candidates) in self.out.iter_mut().zip(self.candidates) {
            // Rounded before Keras compares: its candidates are a tensor of the elements' type.
            *element = keras_truncated(candidates.map(E::round), self.moments);
        }
    }
}

/// The first of four that is inside two standard deviations, or the first; placed step by step in the elements' type.
#[inline(always)]
pub(super) fn keras_truncated<E: TorchElement>(candidates: [E; 4], [mean, std]: [f64; 2]) -> E {
    let (low, high) = (E::Value::from_f64(-2.0), E::Value::from_f64(2.0));
    let values = candidates.map(E::widen);
    // Keras takes the largest of four truth values, which is the first one's place where all are false.
    let mut chosen = values[0];
    // From the last to the first: the first one inside wins, without a branch.
    for value in values.into_iter().rev() {
        chosen = if value > low && value < high { value } else { chosen };
    }
    // Two operations on a tensor, so two roundings; the added number is rounded before, the factor is not.
    let scaled = rounded::<E>(chosen * E::Value::from_f64(std));
    E::round(scaled + rounded::<E>(E::Value::from_f64(mean)))
}
