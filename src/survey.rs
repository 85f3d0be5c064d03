//! Surveys: what one pass over stored numbers tells of them.
//!
//! Numbers are counted by their upper 16 bits. Of those that have no more bits, that is all there is to know. Of wider ones
//! moments are summed as well, block by block, in an order that depends on the numbers' places alone.

use crate::machine::level::{Kernel, Level, Simd};
use std::marker::PhantomData;

/// How many numbers have the same upper 16 bits, by these; of fewer than 2³² numbers in all. Counts of 64 bits would be too
/// many for the nearest cache.
pub(crate) type Bins = [u32; 1 << 16];

/// Numbers of a block, which stays in the nearest cache while it is gone through.
const BLOCK: usize = 1 << 12;
/// Sums that go on side by side, at every level.
const LANES: usize = 8;
/// Numbers that are summed, compared and counted in turn: so few that a processor is at all three at once.
const FEW: usize = 1 << 8;

/// What numbers are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moments {
    /// How many of them are finite. What follows is of these.
    pub(crate) finite: u64,
    /// The least, infinity where there is none.
    pub(crate) low: f64,
    /// The greatest, likewise.
    pub(crate) high: f64,
    /// Their mean.
    pub(crate) mean: f64,
    /// The sum of their squared distances from the mean.
    pub(crate) squares: f64,
    /// How many numbers are NaN.
    pub(crate) nans: u64,
}

impl Moments {
    /// Those of no numbers.
    pub(crate) const NONE: Self =
        Self { finite: 0, low: f64::INFINITY, high: f64::NEG_INFINITY, mean: 0.0, squares: 0.0, nans: 0 };

    /// Those of both.
    fn with(self, other: Self) -> Self {
        let finite = self.finite + other.finite;
        let (share, apart) = (other.finite as f64 / finite.max(1) as f64, other.mean - self.mean);
        Self {
            finite,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            mean: self.mean + apart * share,
            squares: self.squares + other.squares + apart * apart * share * self.finite as f64,
            nans: self.nans + other.nans,
        }
    }

    /// Those of any numbers, which are counted too.
    fn of<const N: usize, T: Number<N>>(numbers: &[[u8; N]], bins: &mut Bins, simd: Simd) -> Self {
        let mut all = Self::NONE;
        simd.run(Finite::<N, T> { numbers, bins: Some(bins), moments: &mut all, of: PhantomData });
        // One look at a block tells of all its numbers: hardly any has others than finite ones.
        if all.mean.is_finite() {
            return all;
        }
        let (mut kept, mut finite, mut nans) = ([[0; N]; BLOCK], 0, 0);
        for &bytes in numbers {
            let wide: f64 = T::read(bytes).into();
            if wide.is_finite() {
                kept[finite] = bytes;
                finite += 1;
            }
            nans += u64::from(wide.is_nan());
        }
        let mut all = Self::NONE;
        simd.run(Finite::<N, T> { numbers: &kept[..finite], bins: None, moments: &mut all, of: PhantomData });
        Self { nans, ..all }
    }
}

/// A number of `N` bytes that moments are summed of.
trait Number<const N: usize>: Copy + Into<f64> {
    /// An integer that is less where the number is, and where it is -0.0 beside 0.0.
    type Key: Ord + Copy;

    fn read(bytes: [u8; N]) -> Self;
    fn key(self) -> Self::Key;
    fn of(key: Self::Key) -> Self;
    fn bin(self) -> u16;
}

impl Number<4> for f32 {
    type Key = i32;

    #[inline(always)]
    fn read(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }

    #[inline(always)]
    fn key(self) -> i32 {
        let bits = self.to_bits() as i32;
        bits ^ (bits >> 31 & i32::MAX)
    }

    #[inline(always)]
    fn of(key: i32) -> Self {
        Self::from_bits((key ^ (key >> 31 & i32::MAX)) as u32)
    }

    #[inline(always)]
    fn bin(self) -> u16 {
        (self.to_bits() >> 16) as u16
    }
}

impl Number<8> for f64 {
    type Key = i64;

    #[inline(always)]
    fn read(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }

    #[inline(always)]
    fn key(self) -> i64 {
        let bits = self.to_bits() as i64;
        bits ^ (bits >> 63 & i64::MAX)
    }

    #[inline(always)]
    fn of(key: i64) -> Self {
        Self::from_bits((key ^ (key >> 63 & i64::MAX)) as u64)
    }

    #[inline(always)]
    fn bin(self) -> u16 {
        (self as f32).bin()
    }
}

/// Counts numbers, and sums their moments where all are finite. Where one is not, or their sum overflows, the mean is not.
struct Finite<'a, const N: usize, T> {
    numbers: &'a [[u8; N]],
    bins: Option<&'a mut Bins>,
    moments: &'a mut Moments,
    of: PhantomData<T>,
}

impl<const N: usize, T: Number<N>> Kernel for Finite<'_, N, T> {
    const HIGHEST: Level = Level::Avx2; // counting takes longer than that

    #[inline(always)]
    fn run(self, _: Level) {
        let Self { numbers, mut bins, moments, .. } = self;
        let Some(&first) = numbers.first() else { return };
        let wide = |bytes: &[u8; N]| -> f64 { T::read(*bytes).into() };
        let (mut sums, mut low, mut high) = ([0.0; LANES], T::read(first).key(), T::read(first).key());
        // Each has a loop of its own, of which compilers make vectors; of one for all they do not.
        for few in numbers.chunks(FEW) {
            for row in few.as_chunks::<LANES>().0 {
                for (sum, bytes) in sums.iter_mut().zip(row) {
                    *sum += wide(bytes);
                }
            }
            for &bytes in few {
                let key = T::read(bytes).key();
                (low, high) = (low.min(key), high.max(key));
            }
            if let Some(bins) = &mut bins {
                count(few, bins, |bytes| T::read(bytes).bin());
            }
        }
        let (rows, rest) = numbers.as_chunks::<LANES>();
        let mean = sums.into_iter().chain(rest.iter().map(wide)).sum::<f64>() / numbers.len() as f64;
        let mut squares = [0.0; LANES];
        for row in rows {
            for (square, bytes) in squares.iter_mut().zip(row) {
                let apart = wide(bytes) - mean;
                *square += apart * apart;
            }
        }
        let rest_squares = rest.iter().map(|bytes| (wide(bytes) - mean) * (wide(bytes) - mean));
        *moments = Moments {
            finite: numbers.len() as u64,
            low: T::of(low).into(),
            high: T::of(high).into(),
            mean,
            squares: squares.into_iter().chain(rest_squares).sum(),
            nans: 0,
        };
    }
}

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

/// Counts numbers, a few at a time.
#[inline(always)]
fn count<T: Copy + PartialEq>(few: &[T], bins: &mut Bins, bin: impl Fn(T) -> u16) {
    // To count one and the same bin, each addition would wait for the one before it.
    if few.iter().all(|number| *number == few[0]) {
        bins[usize::from(bin(few[0]))] += few.len() as u32;
    } else {
        for &number in few {
            bins[usize::from(bin(number))] += 1;
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are promised")]
mod tests {
    use super::*;
    use crate::element::Element;
    use crate::fill::{Native, Schedule, fill};
    use crate::law::Law;
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
