//! Surveys: what one pass over stored numbers tells of them.
//!
//! Numbers are counted by their upper 16 bits. Of those that have no more bits, that is all there is to know. Of wider ones
//! moments are summed as well, block by block, in an order that depends on the numbers' places alone.

mod bins;
mod moments;

use crate::machine::level::Simd;
pub(crate) use bins::Bins;
use bins::count;
pub(crate) use moments::Moments;
use moments::{BLOCK, Number};

/// How numbers lie in memory that is aligned to nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored {
    /// Any of 8 bits.
    Bits8,
    /// Any of 16 bits.
    Bits16,
    /// IEEE binary32.
    Float32,
    /// IEEE binary64, which are counted by the upper bits of the nearest binary32.
    Float64,
}

/// Counts the numbers in `bytes`, whole ones, and returns the moments of those that are wider than their bins.
pub(crate) fn survey(stored: Stored, bytes: &[u8], bins: &mut Bins, simd: Simd) -> Moments {
    match stored {
        Stored::Bits8 => bytes.chunks(BLOCK).for_each(|block| count(block, bins, u16::from)),
        Stored::Bits16 => {
            bytes.as_chunks().0.chunks(BLOCK).for_each(|block| count(block, bins, u16::from_le_bytes));
        }
        Stored::Float32 => return wide::<4, f32>(bytes, bins, simd),
        Stored::Float64 => return wide::<8, f64>(bytes, bins, simd),
    }
    Moments::NONE
}

fn wide<const N: usize, T: Number<N>>(bytes: &[u8], bins: &mut Bins, simd: Simd) -> Moments {
    let blocks = bytes.as_chunks().0.chunks(BLOCK);
    blocks.fold(Moments::NONE, |moments, block| moments.with(Moments::of::<N, T>(block, bins, simd)))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;
    use crate::element::Element;
    use crate::fill::{Native, Schedule, fill};
    use crate::law::Law;
    use crate::machine::level::Level;
    use crate::region::Region;
    use crate::stream::{Identity, Version};
    use crate::value::Placement;

    fn normals<E: Element + Default + bytemuck::Pod>(count: usize) -> Vec<u8> {
        let placement = Placement { loc: 1.0, scale: 0.02, low: f64::NEG_INFINITY, high: f64::INFINITY };
        let identity = Identity { key: [1, 2], counter_high: [3, 4] };
        let mut numbers = vec![E::default(); count];
        fill(
            &Native { law: Law::Normal, placement, words: Version::One.words(identity) },
            Region::whole(count as u64),
            &mut numbers,
            &Schedule::new(1),
        );
        bytemuck::cast_slice(&numbers).to_vec()
    }

    fn surveyed(stored: Stored, bytes: &[u8], level: Level) -> (Moments, Vec<u32>) {
        let mut bins = vec![0; 1 << 16];
        let moments = survey(stored, bytes, bins.as_mut_slice().try_into().unwrap(), level.simd());
        (moments, bins)
    }

    /// A level that adds in another order, memory that is taken for aligned, or a tail that is lost.
    #[test]
    fn levels_and_alignment_change_nothing() {
        for count in [0, 1, 15, 17, BLOCK, 2 * BLOCK + 33] {
            let (narrow, wide) = (normals::<f32>(count), normals::<f64>(count));
            let cases = [
                (Stored::Float32, &narrow, count),
                (Stored::Float64, &wide, count),
                (Stored::Bits16, &narrow, 2 * count),
                (Stored::Bits8, &wide, 8 * count),
            ];
            for (stored, bytes, numbers) in cases {
                let expected = surveyed(stored, bytes, Level::Baseline);
                assert_eq!(expected.1.iter().sum::<u32>(), numbers as u32, "{stored:?}");
                let moved = [&[7][..], bytes].concat();
                for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                    assert_eq!(surveyed(stored, &moved[1..], level), expected, "{stored:?}, {count}, {level:?}");
                }
            }
        }
    }

    /// A platform or a release whose sums are taken in another order: reports would differ in their last digits.
    #[test]
    fn moments_are_those_of_all_platforms() {
        let found = surveyed(Stored::Float32, &normals::<f32>(3 * BLOCK + 5), Level::best()).0;
        assert_eq!(
            (found.mean.to_bits(), found.squares.to_bits()),
            (4_607_182_772_602_403_051, 4_617_245_375_683_444_740)
        );
    }

    /// Moments that are off, which sums of squares would be so far from 0.
    #[test]
    fn moments_are_those_of_two_passes() {
        let bytes = normals::<f64>(100_000);
        let numbers: Vec<f64> = bytes.as_chunks().0.iter().map(|&bytes| 1e6 + f64::from_le_bytes(bytes)).collect();
        let (found, bins) = surveyed(Stored::Float64, bytemuck::cast_slice(&numbers), Level::best());
        let mean = 1e6 + numbers.iter().map(|x| x - 1e6).sum::<f64>() / 1e5;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        assert!((found.mean - mean).abs() < 1e-4 * 0.02 && (found.squares / squares - 1.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.low, numbers.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(found.high, numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert_eq!((found.finite, found.nans, bins.iter().sum()), (100_000, 0, 100_000_u32));
    }

    /// One NaN that hides all other numbers, or that is not seen; an infinity that counts as an extreme.
    #[test]
    fn what_is_not_finite_is_told_apart() {
        let numbers = [2.0, f32::NAN, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001), -1.0];
        let (found, bins) = surveyed(Stored::Float32, bytemuck::cast_slice(&numbers), Level::best());
        let expected = Moments { finite: 3, low: -1.0, high: 2.0, mean: 0.0, squares: 6.0, nans: 2 };
        assert_eq!(found, expected);
        assert_eq!((bins[0x7f80], bins[0xff80], bins[0xbf80], bins[0x4000]), (2, 1, 2, 1));
        let none = surveyed(Stored::Float32, bytemuck::cast_slice(&[f32::NAN]), Level::best()).0;
        assert_eq!(none, Moments { nans: 1, ..Moments::NONE });
    }

    /// A sign of a zero that depends on which of two comes first: bits would depend on how numbers are gone through.
    #[test]
    fn zeros_are_in_order() {
        for zeros in [[0.0_f64, -0.0], [-0.0, 0.0]] {
            let found = surveyed(Stored::Float64, bytemuck::cast_slice(&zeros), Level::best()).0;
            assert_eq!((found.low.to_bits(), found.high.to_bits()), ((-0.0_f64).to_bits(), 0.0_f64.to_bits()));
        }
    }

    /// Equal numbers that are counted once, or by the wrong bits.
    #[test]
    fn equal_numbers_are_counted() {
        let numbers = vec![0x1234_u16; 3 * BLOCK + 5];
        let bins = surveyed(Stored::Bits16, bytemuck::cast_slice(&numbers), Level::best()).1;
        assert_eq!(bins[0x1234], numbers.len() as u32);
        let bins = surveyed(Stored::Bits8, &[0x80, 0x7f, 0x80], Level::best()).1;
        assert_eq!((bins[0x80], bins[0x7f]), (2, 1));
    }
}
