//! Moments: what numbers are like together, summed in an order that depends on their places alone.

use super::bins::{Bins, count};
use crate::machine::level::{Kernel, Level, Simd};
use std::marker::PhantomData;

/// Numbers of a block, which stays in the nearest cache while it is gone through.
pub(super) const BLOCK: usize = 1 << 12;
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
    pub(super) fn with(self, other: Self) -> Self {
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
    pub(super) fn of<const N: usize, T: Number<N>>(numbers: &[[u8; N]], bins: &mut Bins, simd: Simd) -> Self {
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
pub(super) trait Number<const N: usize>: Copy + Into<f64> {
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
