//! Values: what a law computes in, and the place where they go.

use crate::law::Law;
use std::ops::{Add, Mul, Sub};

/// A type that laws compute in.
pub trait Value:
    Copy + Default + PartialOrd + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Send + Sync + 'static
{
    /// Values that one 128-bit block of the stream gives.
    const PER_BLOCK: usize;

    /// Rounds a parameter to this type.
    fn from_f64(x: f64) -> Self;

    /// The greatest number below 1, which is the greatest of the uniform law.
    const BELOW_ONE: Self;

    /// One value of `law` times `scale` for each of the blocks' words, in whole groups of blocks.
    fn sample(law: &Law, blocks: &[[u64; 2]], values: &mut [Self], scale: Self);

    /// RN(RN(self · scale) + loc), kept within \[low, high\].
    #[must_use]
    fn place(self, placement: &Placement<Self>) -> Self;
}

/// Where a standard value goes: `x · scale + loc`, kept within `low` and `high`.
#[derive(Clone, Copy, Debug)]
pub struct Placement<V> {
    /// Added last.
    pub loc: V,
    /// Multiplied first.
    pub scale: V,
    /// The least value.
    pub low: V,
    /// The greatest value.
    pub high: V,
}

impl Placement<f64> {
    /// The same placement, every parameter rounded to `V`.
    #[inline(always)]
    #[must_use]
    pub fn to<V: Value>(&self) -> Placement<V> {
        Placement {
            loc: V::from_f64(self.loc),
            scale: V::from_f64(self.scale),
            low: V::from_f64(self.low),
            high: V::from_f64(self.high),
        }
    }
}

/// The least scale by which a law's own loop multiplies: its product with a step of the uniform laws is exact.
const LEAST: f64 = 1.0 / (1_u64 << 60) as f64;

/// A placement in two steps: what the law's own loop does, and what is left to do.
#[derive(Clone, Copy, Debug)]
pub struct Placing<V> {
    scale: V,
    rest: Option<Placement<V>>,
}

impl<V: Value> Placing<V> {
    /// What puts the values of `law` where `placement` says.
    #[must_use]
    pub fn new(law: &Law, placement: &Placement<f64>) -> Self {
        let one = V::from_f64(1.0);
        let whole @ Placement { loc, scale, low, high } = placement.to::<V>();
        // Below, the product of scale and step may be subnormal: it has fewer digits than the scale.
        if placement.scale.abs() < LEAST {
            return Self { scale: one, rest: Some(whole) };
        }
        let most = match law {
            Law::Uniform => V::BELOW_ONE,
            Law::TruncatedNormal => V::from_f64(2.0),
            Law::Normal | Law::Truncated(_) => V::from_f64(f64::INFINITY),
        };
        // Of the other laws no value is below 2^-96, so that no product is 0: to add 0 changes none.
        let may_be_zero = matches!(law, Law::Truncated(_));
        // Multiplication keeps the order of what it rounds: what holds at the ends holds between them.
        let within = |end: V| low <= end && end <= high;
        let nothing =
            loc == V::default() && !may_be_zero && within(most * scale) && within(V::default() - most * scale);
        Self { scale, rest: if nothing { None } else { Some(Placement { scale: one, ..whole }) } }
    }

    /// Writes the values of `law`, where they go: one for each of the blocks' words, in whole groups of blocks.
    #[inline(always)]
    pub fn sample(&self, law: &Law, blocks: &[[u64; 2]], values: &mut [V]) {
        V::sample(law, blocks, values, self.scale);
        if let Some(rest) = &self.rest {
            // A loop of its own: to most laws' the constants would be too many for the registers.
            for value in values {
                *value = value.place(rest);
            }
        }
    }
}

macro_rules! float {
    ($type:ty, $per_block:literal, $sample:ident) => {
        impl Value for $type {
            const PER_BLOCK: usize = $per_block;
            const BELOW_ONE: Self = 1.0 - <$type>::EPSILON / 2.0;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn sample(law: &Law, blocks: &[[u64; 2]], values: &mut [Self], scale: Self) {
                law.$sample(blocks, values, scale);
            }

            #[inline(always)]
            fn place(self, placement: &Placement<Self>) -> Self {
                // Two roundings, on every machine: a fused operation has one.
                let x = self * placement.scale + placement.loc;
                // Comparisons, not min and max: those may return either zero when both are zeros.
                let x = if x < placement.low { placement.low } else { x };
                if x > placement.high { placement.high } else { x }
            }
        }
    };
}
float!(f32, 4, sample_f32);
float!(f64, 2, sample_f64);

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;

    /// A clamp that changes the sign of a zero, or a place that adds before it multiplies, or rounds once.
    #[test]
    fn place_multiplies_adds_then_clamps() {
        let placement = Placement { loc: 0.25_f32, scale: 0.5, low: 0.0, high: 1.0 };
        assert_eq!([-1.0_f32, 0.5, 3.0].map(|x| x.place(&placement)), [0.0, 0.5, 1.0]);
        let x = 1.0 + 2.0_f32.powi(-12); // its square has a digit too many, which a fused operation keeps
        assert_eq!(x.place(&Placement { loc: -1.0, scale: x, low: 0.0, high: 1.0 }), 2.0_f32.powi(-11));
        let zero = Placement { loc: -0.0_f32, scale: 1.0, low: 0.0, high: 1.0 };
        assert!((-0.0_f32).place(&zero).is_sign_negative());
    }

    /// Asserts that placing in two steps has the bits of placing in one.
    fn same_places(law: &Law, placement: &Placement<f64>) {
        fn of<V: Value + std::fmt::Debug>(law: &Law, placement: &Placement<f64>, bits: impl Fn(V) -> u64) {
            // Words of both ends, of the middle, of a truncated law's 0, and any others.
            let word = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let blocks: [[u64; 2]; 64] = std::array::from_fn(|i| match i {
                0..6 => [[0, u64::MAX, u64::MAX >> 1, 1 << 63, 0x7fff_ffff_8000_0000, 1 << 11][i]; 2],
                _ => [word(i as u64), word(i as u64 + 100)],
            });
            let (mut found, mut expected) = (vec![V::default(); 256], vec![V::default(); 256]);
            let (found, expected) = (&mut found[..64 * V::PER_BLOCK], &mut expected[..64 * V::PER_BLOCK]);
            Placing::new(law, placement).sample(law, &blocks, found);
            V::sample(law, &blocks, expected, V::from_f64(1.0));
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(bits(*found), bits(expected.place(&placement.to())), "{law:?} {placement:?} {expected:?}");
            }
        }
        of::<f32>(law, placement, |x| x.to_bits().into());
        of::<f64>(law, placement, f64::to_bits);
    }

    /// A bound, a loc or the sign of a zero that is lost, or a small scale that loses digits.
    #[test]
    fn placing_in_two_steps_changes_no_bit() {
        let infinity = f64::INFINITY;
        let truncated = Law::truncated_normal(-1e-3, 1e-3).unwrap();
        for law in [Law::Uniform, Law::Normal, Law::TruncatedNormal, truncated] {
            for scale in [1.0, -0.7, 0.0, 2.0_f64.powi(-60), 1e-19, 1e-36, 1e-40, 1e-310, 1e300] {
                for loc in [0.0, -0.0, 0.3, 1e-42] {
                    for reach in [0.5, 1.0 - f64::EPSILON / 2.0, 1.0, 1.999, 2.0, infinity] {
                        let bound = reach * scale.abs();
                        for (low, high) in [(-bound, bound), (-infinity, bound), (-bound, infinity)] {
                            same_places(&law, &Placement { loc, scale, low, high });
                        }
                    }
                }
            }
        }
    }

    /// A placement that is done in full where the scale is all that counts, as it is for the usual laws.
    #[test]
    fn usual_placements_are_scales() {
        let usual = |law, scale: f64, high: f64| {
            let placement = Placement { loc: 0.0, scale, low: -high, high };
            (Placing::<f32>::new(&law, &placement).rest.is_none(), Placing::<f64>::new(&law, &placement).rest.is_none())
        };
        assert_eq!(usual(Law::TruncatedNormal, 0.05, 0.1), (true, true));
        assert_eq!(usual(Law::Normal, 0.05, f64::INFINITY), (true, true));
        assert_eq!(usual(Law::Uniform, 0.05, 0.05), (true, true));
        // The half-open interval of float64 ends one number below.
        assert_eq!(usual(Law::Uniform, 0.05, 0.05_f64.next_down()), (true, true));
        assert_eq!(usual(Law::Uniform, 1.0, 0.99), (false, false));
    }
}
