//! JAX's CPU kernels (jax 0.10): Threefry, the uniform, and the normal laws by the inverse error function.
//!
//! Every element is a function of its own number. Float32 and float64 fuse the uniform's product and sum, as XLA's compiler
//! does where the processor can; 16-bit types round after every operation, the inverse error function being float32's.

mod real;

use super::threefry::Threefry;
use crate::batch::{BUFFER, Batch, Blocks, CacheLines, Chunk};
use crate::element::{Element, Value};
use crate::fill::Source;
use crate::level::Level;
use crate::region::Region;
pub use real::Real;
use std::f64::consts::SQRT_2;

/// A law as `jax.random` has it.
#[derive(Clone, Copy, Debug)]
pub enum Law {
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
    /// The law.
    pub law: Law,
    /// Between what the uniform is drawn.
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

impl<E: Element<Value: Real>> Source<E> for Jax {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let (low, high) = (E::Value::from_f64(self.limits.0), E::Value::from_f64(self.limits.1));
        let blocks = Op {
            law: self.law,
            threefry: self.threefry,
            low,
            span: quantised::<E>(high - low),
            central: low.is_central() && high.is_central(),
            fused_half: self.fused_half,
            scale: E::Value::from_f64(self.scale),
            loc: E::Value::from_f64(self.loc),
        };
        level.run(Chunk { blocks, region, first, out });
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
    law: Law,
    threefry: Threefry,
    low: V,
    span: V,
    central: bool,
    fused_half: bool,
    scale: V,
    loc: V,
}

impl<E: Element<Value: Real>> Blocks<E> for Op<E::Value> {
    type Value = E::Value;
    type Scratch = CacheLines<[<E::Value as Real>::Bits; BUFFER]>;
    const PER_BLOCK: usize = 1;

    #[inline(always)]
    fn scratch(&self) -> Self::Scratch {
        CacheLines([<E::Value as Real>::Bits::default(); BUFFER])
    }

    #[inline(always)]
    fn sample(&self, batch: &Batch, scratch: &mut Self::Scratch, values: &mut [E::Value]) {
        let bits = &mut scratch.0[..values.len()];
        E::Value::bits(&self.threefry, width::<E>(), batch.numbers(), bits);
        self.uniforms::<E>(bits, values);
        let sqrt_2 = quantised::<E>(E::Value::from_f64(SQRT_2));
        // A loop for each law, without closures: one that is not inlined is compiled for the baseline level only.
        match self.law {
            Law::Uniform => {}
            Law::FoldedNormal => {
                for x in values {
                    *x = x.erfinv();
                }
            }
            Law::Normal => {
                for x in values {
                    *x = quantised::<E>(x.erfinv()) * sqrt_2;
                }
            }
            Law::Truncated { least, largest } => {
                if self.central {
                    for x in values.iter_mut() {
                        *x = x.central_erfinv();
                    }
                } else {
                    for x in values.iter_mut() {
                        *x = x.erfinv();
                    }
                }
                let (least, largest) = (E::Value::from_f64(least), E::Value::from_f64(largest));
                for x in values {
                    let scaled = quantised::<E>(quantised::<E>(*x) * sqrt_2);
                    let kept = if scaled < least { least } else { scaled };
                    *x = if kept > largest { largest } else { kept };
                }
            }
        }
    }

    #[inline(always)]
    fn element(&self, value: E::Value) -> E {
        E::round(quantised::<E>(quantised::<E>(value) * self.scale) + self.loc)
    }
}

impl<V: Real> Op<V> {
    /// What `jax.random.uniform` makes of each element's bits.
    #[inline(always)]
    fn uniforms<E: Element<Value = V>>(&self, bits: &[V::Bits], values: &mut [V]) {
        let (low, span) = (self.low, self.span);
        let fused_half = self.fused_half && E::MANTISSA == 10;
        for (value, &bits) in values.iter_mut().zip(bits) {
            let fraction = V::fraction(bits, width::<E>(), E::MANTISSA);
            let u = if E::MANTISSA >= 23 {
                fraction.fused(span, low)
            } else if fused_half {
                quantised::<E>(fraction.fused_to_odd(span, low))
            } else {
                quantised::<E>(quantised::<E>(fraction * span) + low)
            };
            *value = if u > low { u } else { low };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{BF16, F16};
    use crate::fill::tests::same_bits;
    use crate::replay::Replay;
    use crate::replay::threefry::Layout;

    /// A level without fused instructions that rounds otherwise, or a part that hashes other numbers.
    #[test]
    fn levels_chunks_and_threads_change_no_bit() {
        let truncated = Law::Truncated { least: -1.5, largest: 2.5 };
        for (law, limits) in [
            (Law::Uniform, (-0.75, 1.0)),
            (Law::Normal, (-0.9375, 1.0)),
            (Law::FoldedNormal, (-0.9375, 1.0)),
            (truncated, (-0.875, 0.984_375)),
            (truncated, (-1.0, 1.0)),
        ] {
            for layout in [Layout::Partitionable, Layout::Original { words: 150_001 }] {
                let threefry = Threefry { key: [1, 2], layout };
                let source = Replay::Jax(Jax { law, limits, scale: 0.375, loc: -0.0, threefry, fused_half: true });
                same_bits(&source, 0.0_f32);
                same_bits(&source, 0.0_f64);
                same_bits(&source, F16(0));
                same_bits(&source, BF16(0));
            }
        }
    }
}
