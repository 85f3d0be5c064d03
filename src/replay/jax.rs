//! JAX's CPU kernels (jax 0.10): Threefry, the uniform, and the normal laws by the inverse error function.
//!
//! Every element is a function of its own number. Float32 and float64 fuse the uniform's product and sum, as XLA's
//! compiler does where the processor can; 16-bit types round after every operation, the inverse error function being
//! float32's.

mod real;

use super::threefry::Threefry;
use crate::element::Element;
use crate::fill::batch::{BUFFER, Chunk, Units};
use crate::fill::{Passes, Source};
use crate::machine::level::{Kernel, Level, Simd};
use crate::machine::lines::CacheLines;
use crate::region::Region;
use crate::value::Value;
pub use real::Real;
use std::f64::consts::SQRT_2;

/// A law as `jax.random` has it.
#[derive(Clone, Copy, Debug)]
pub enum JaxLaw {
    /// The uniform itself.
    Uniform,
    /// √2 times its inverse error function.
    Normal,
    /// The inverse error function alone: under `jit` XLA has multiplied the scale by √2 in advance.
    FoldedNormal,
    /// The normal, clipped.
    Truncated {
        /// The least value.
        least: f64,
        /// The largest value.
        largest: f64,
    },
}

/// One tensor of JAX's; all numbers are values of its dtype.
#[derive(Clone, Copy, Debug)]
pub struct Jax {
    /// What is made of the uniform.
    pub law: JaxLaw,
    /// The limits that the uniform is drawn between.
    pub limits: (f64, f64),
    /// Multiplied first.
    pub scale: f64,
    /// Added last; −0 adds nothing.
    pub loc: f64,
    /// Where the bits come from.
    pub threefry: Threefry,
    /// Whether float16 fuses too, as on processors with AVX512-FP16.
    pub fused_half: bool,
}

impl Passes for Jax {}

impl<E: Element<Value: Real>> Source<E> for Jax {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let (low, high) = (E::Value::from_f64(self.limits.0), E::Value::from_f64(self.limits.1));
        let units = Op {
            law: self.law,
            threefry: self.threefry,
            low,
            // JAX takes the difference in the dtype: a 16-bit one is rounded before any element is multiplied by it.
            span: quantised::<E>(high - low),
            // Decided once: where both limits are central, so is all between them.
            central: low.is_central() && high.is_central(),
            fused_half: self.fused_half,
            scale: E::Value::from_f64(self.scale),
            loc: E::Value::from_f64(self.loc),
        };
        Chunk { units, region, first, out }.write(level.simd());
    }
}

/// The value rounded to the dtype, as JAX's 16-bit arithmetic does after every operation.
#[inline(always)]
fn quantised<E: Element>(value: E::Value) -> E::Value {
    E::round(value).widen()
}

/// Bits that `jax.random.uniform` asks for: as many as the type has, eight where its mantissa is shorter.
const fn width<E: Element>() -> u32 {
    if E::MANTISSA < 8 { 8 } else { 8 * size_of::<E>() as u32 }
}

/// A tensor, its numbers in the type that they are computed in.
struct Op<V> {
    law: JaxLaw,
    threefry: Threefry,
    low: V,
    span: V,
    central: bool,
    fused_half: bool,
    scale: V,
    loc: V,
}

impl<E: Element<Value: Real>> Units<E> for Op<E::Value> {
    type Value = E::Value;
    type Scratch = CacheLines<[<E::Value as Real>::Bits; BUFFER]>;
    const PER_UNIT: usize = 1;

    fn scratch(&self) -> Self::Scratch {
        CacheLines([<E::Value as Real>::Bits::default(); BUFFER])
    }

    fn sample(&self, simd: Simd, numbers: &[u64; BUFFER], scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        // Each step is a kernel of its own over the batch: those that do not know the element type are compiled once
        // for all types.
        let bits = &mut scratch.0[..values.len()];
        simd.run(Bits::<E::Value> { threefry: &self.threefry, width: width::<E>(), numbers, found: bits });
        simd.run(Uniform::<E> { op: self, bits, values });
        match self.law {
            JaxLaw::Uniform => {}
            // A whole normal law reaches the tails: only limits can keep a law central.
            JaxLaw::FoldedNormal => simd.run(Inverse { central: false, values }),
            JaxLaw::Normal => {
                simd.run(Inverse { central: false, values });
                simd.run(Normal::<E> { values });
            }
            JaxLaw::Truncated { least, largest } => {
                simd.run(Inverse { central: self.central, values });
                simd.run(Clipped::<E> { least, largest, values });
            }
        }
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        // The initializer's own operations, each rounded. A loc of −0 changes nothing; +0 would turn −0 into +0.
        E::round(quantised::<E>(quantised::<E>(value) * self.scale) + self.loc)
    }
}

// Kernels of plain loops, without closures: one that is not inlined is compiled for the baseline level only. What does
// not depend on the element, elements of 16 and 32 bits share.

/// The elements' random bits.
struct Bits<'a, V: Real> {
    threefry: &'a Threefry,
    width: u32,
    numbers: &'a [u64; BUFFER],
    found: &'a mut [V::Bits],
}

impl<V: Real> Kernel for Bits<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        V::bits(self.threefry, self.width, &self.numbers[..self.found.len()], self.found);
    }
}

/// What `jax.random.uniform` makes of each element's bits.
struct Uniform<'a, E: Element<Value: Real>> {
    op: &'a Op<E::Value>,
    bits: &'a [<E::Value as Real>::Bits],
    values: &'a mut [E::Value],
}

impl<E: Element<Value: Real>> Kernel for Uniform<'_, E> {
    #[inline(always)]
    fn run(self, _: Level) {
        let (low, span) = (self.op.low, self.op.span);
        // bfloat16 is not fused even there: AVX512-FP16 has no arithmetic for it.
        let fused_half = self.op.fused_half && E::MANTISSA == 10;
        for (value, &bits) in self.values.iter_mut().zip(self.bits) {
            let fraction = E::Value::fraction(bits, width::<E>(), E::MANTISSA);
            // For each element type all but its own arithmetic is compiled away.
            let u = if E::MANTISSA >= 23 {
                fraction.fused(span, low)
            } else if fused_half {
                quantised::<E>(fraction.fused_to_odd(span, low))
            } else {
                quantised::<E>(quantised::<E>(fraction * span) + low)
            };
            // JAX takes the maximum too: rounding may have led below the limit.
            *value = if u > low { u } else { low };
        }
    }
}

/// The inverse error function.
struct Inverse<'a, V> {
    /// Whether all values are [central](Real::is_central).
    central: bool,
    values: &'a mut [V],
}

impl<V: Real> Kernel for Inverse<'_, V> {
    #[inline(always)]
    fn run(self, _: Level) {
        // Asked once per batch and not per element, so that the loop without the tail's polynomial vectorises alone.
        if self.central {
            for x in self.values {
                *x = x.central_erfinv();
            }
        } else {
            for x in self.values {
                *x = x.erfinv();
            }
        }
    }
}

/// √2 times the value, which is rounded before.
#[inline(always)]
fn times_sqrt_2<E: Element>(value: E::Value) -> E::Value {
    // JAX's √2 is a constant of the dtype: it is rounded before the product.
    quantised::<E>(value) * quantised::<E>(E::Value::from_f64(SQRT_2))
}

/// Standard normal values of inverse error functions.
struct Normal<'a, E: Element> {
    values: &'a mut [E::Value],
}

impl<E: Element> Kernel for Normal<'_, E> {
    #[inline(always)]
    fn run(self, _: Level) {
        for x in self.values {
            *x = times_sqrt_2::<E>(*x);
        }
    }
}

/// Standard normal values of inverse error functions, clipped.
struct Clipped<'a, E: Element> {
    least: f64,
    largest: f64,
    values: &'a mut [E::Value],
}

impl<E: Element> Kernel for Clipped<'_, E> {
    #[inline(always)]
    fn run(self, _: Level) {
        // Rounding may reach a bound, which the law excludes: JAX clips to the bounds' neighbours inside.
        let (least, largest) = (E::Value::from_f64(self.least), E::Value::from_f64(self.largest));
        for x in self.values {
            let scaled = quantised::<E>(times_sqrt_2::<E>(*x));
            // Comparisons, because Rust's min and max leave the sign of a zero open.
            let kept = if scaled < least { least } else { scaled };
            *x = if kept > largest { largest } else { kept };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{BF16, F16};
    use crate::fill::tests::same_bits;
    use crate::replay::threefry::Layout;

    /// A level without fused instructions that rounds otherwise, or a part that hashes other numbers.
    #[test]
    fn levels_chunks_and_threads_change_no_bit() {
        let truncated = JaxLaw::Truncated { least: -1.5, largest: 2.5 };
        for (law, limits) in [
            (JaxLaw::Uniform, (-0.75, 1.0)),
            (JaxLaw::Normal, (-0.9375, 1.0)),
            (JaxLaw::FoldedNormal, (-0.9375, 1.0)),
            (truncated, (-0.875, 0.984_375)),
            (truncated, (-1.0, 1.0)),
        ] {
            for layout in [Layout::Partitionable, Layout::Original { words: 150_001 }] {
                let threefry = Threefry { key: [1, 2], layout };
                let source = Jax { law, limits, scale: 0.375, loc: -0.0, threefry, fused_half: true };
                same_bits(&source, 0.0_f32);
                same_bits(&source, 0.0_f64);
                same_bits(&source, F16(0));
                same_bits(&source, BF16(0));
            }
        }
    }
}
