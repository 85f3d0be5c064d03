//! Surveys: what one pass over stored numbers tells of them.
//!
//! Numbers are counted by their upper 16 bits. Of those that have no more bits, that is all there is to know. Of wider ones
//! moments are summed as well, block by block, in an order that depends on the numbers' places alone.

/// How many numbers have the same upper 16 bits, by these.
pub(crate) type Bins = [u64; 1 << 16];

/// Numbers of a block, which stays in the nearest cache while it is gone through three times.
const BLOCK: usize = 1 << 12;
/// Sums that go on side by side, at every level.
const LANES: usize = 16;

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

    /// Those of numbers that are finite. Where one is not, or their sum overflows, the mean is not.
    fn of<T: Copy + Into<f64>>(numbers: &[T]) -> Self {
        let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
        let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        each(numbers, |lane, x| {
            sums[lane] += x;
            low[lane] = if x < low[lane] { x } else { low[lane] };
            high[lane] = if x > high[lane] { x } else { high[lane] };
        });
        let mean = sums.iter().sum::<f64>() / numbers.len().max(1) as f64;
        each(numbers, |lane, x| squares[lane] += (x - mean) * (x - mean));
        Self {
            finite: numbers.len() as u64,
            low: low.into_iter().fold(f64::INFINITY, f64::min),
            high: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
            mean,
            squares: squares.iter().sum(),
            nans: 0,
        }
    }

    /// Those of any numbers.
    fn of_any<T: Copy + Default + Into<f64>>(numbers: &[T]) -> Self {
        let all = Self::of(numbers);
        // One look at a block tells of all its numbers: hardly any has others than finite ones.
        if all.mean.is_finite() {
            return all;
        }
        let (mut kept, mut finite, mut nans) = ([T::default(); BLOCK], 0, 0);
        for &x in numbers {
            let wide: f64 = x.into();
            if wide.is_finite() {
                kept[finite] = x;
                finite += 1;
            }
            nans += u64::from(wide.is_nan());
        }
        Self { nans, ..Self::of(&kept[..finite]) }
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
///
/// There are no kernels for the levels: what takes the time is counting, one number after another.
pub(crate) fn survey(stored: Stored, bytes: &[u8], bins: &mut Bins) -> Moments {
    match stored {
        Stored::Bits8 => count(bytes.as_chunks().0, bins, |[bits]| u16::from(bits)),
        Stored::Bits16 => count(bytes.as_chunks().0, bins, u16::from_le_bytes),
        Stored::Float32 => return wide(bytes, bins, f32::from_le_bytes, |x| (x.to_bits() >> 16) as u16),
        Stored::Float64 => return wide(bytes, bins, f64::from_le_bytes, |x| ((x as f32).to_bits() >> 16) as u16),
    }
    Moments::NONE
}

fn wide<const N: usize, T: Copy + Default + Into<f64>>(
    bytes: &[u8],
    bins: &mut Bins,
    read: impl Fn([u8; N]) -> T,
    bin: impl Fn(T) -> u16,
) -> Moments {
    let (mut moments, mut numbers) = (Moments::NONE, [T::default(); BLOCK]);
    for block in bytes.as_chunks::<N>().0.chunks(BLOCK) {
        for (number, &bytes) in numbers.iter_mut().zip(block) {
            *number = read(bytes);
        }
        moments = moments.with(Moments::of_any(&numbers[..block.len()]));
        count(block, bins, |bytes| bin(read(bytes)));
    }
    moments
}

/// Goes through numbers side by side in so many lanes.
#[inline(always)]
fn each<T: Copy + Into<f64>>(numbers: &[T], mut take: impl FnMut(usize, f64)) {
    let (rows, rest) = numbers.as_chunks::<LANES>();
    for row in rows {
        for (lane, &x) in row.iter().enumerate() {
            take(lane, x.into());
        }
    }
    for (lane, &x) in rest.iter().enumerate() {
        take(lane, x.into());
    }
}

fn count<const N: usize>(numbers: &[[u8; N]], bins: &mut Bins, bin: impl Fn([u8; N]) -> u16) {
    for block in numbers.chunks(BLOCK) {
        // To count one and the same bin, each addition would wait for the one before it.
        if block.iter().all(|number| *number == block[0]) {
            bins[usize::from(bin(block[0]))] += block.len() as u64;
        } else {
            for &number in block {
                bins[usize::from(bin(number))] += 1;
            }
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
    use crate::stream::Identity;
    use crate::value::Placement;

    fn normals<E: Element + Default + bytemuck::Pod>(count: usize) -> Vec<u8> {
        let placement = Placement { loc: 1.0, scale: 0.02, low: f64::NEG_INFINITY, high: f64::INFINITY };
        let identity = Identity { key: [1, 2], counter_high: [3, 4] };
        let mut numbers = vec![E::default(); count];
        fill(
            &Native { law: Law::Normal, placement, identity },
            Region::whole(count as u64),
            &mut numbers,
            &Schedule::new(1),
        );
        bytemuck::cast_slice(&numbers).to_vec()
    }

    fn surveyed(stored: Stored, bytes: &[u8]) -> (Moments, Vec<u64>) {
        let mut bins = vec![0; 1 << 16];
        let moments = survey(stored, bytes, bins.as_mut_slice().try_into().unwrap());
        (moments, bins)
    }

    /// Memory that is taken for aligned, a tail that is lost, or a block whose numbers are added in another order.
    #[test]
    fn alignment_and_length_change_nothing() {
        for count in [0, 1, 15, 17, BLOCK, 2 * BLOCK + 33] {
            let (narrow, wide) = (normals::<f32>(count), normals::<f64>(count));
            let cases = [
                (Stored::Float32, &narrow, count),
                (Stored::Float64, &wide, count),
                (Stored::Bits16, &narrow, 2 * count),
                (Stored::Bits8, &wide, 8 * count),
            ];
            for (stored, bytes, numbers) in cases {
                let (moments, bins) = surveyed(stored, bytes);
                assert_eq!(bins.iter().sum::<u64>(), numbers as u64, "{stored:?}");
                let moved = [&[7][..], bytes].concat();
                assert_eq!(surveyed(stored, &moved[1..]), (moments, bins), "{stored:?}, {count}");
            }
        }
    }

    /// A platform or a release whose sums are taken in another order: reports would differ in their last digits.
    #[test]
    fn moments_are_those_of_all_platforms() {
        let found = surveyed(Stored::Float32, &normals::<f32>(3 * BLOCK + 5)).0;
        assert_eq!(
            (found.mean.to_bits(), found.squares.to_bits()),
            (4_607_182_772_602_403_051, 4_617_245_375_683_444_735)
        );
    }

    /// Moments that are off, which sums of squares would be so far from 0.
    #[test]
    fn moments_are_those_of_two_passes() {
        let bytes = normals::<f64>(100_000);
        let numbers: Vec<f64> = bytes.as_chunks().0.iter().map(|&bytes| 1e6 + f64::from_le_bytes(bytes)).collect();
        let (found, bins) = surveyed(Stored::Float64, bytemuck::cast_slice(&numbers));
        let mean = 1e6 + numbers.iter().map(|x| x - 1e6).sum::<f64>() / 1e5;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        assert!((found.mean - mean).abs() < 1e-4 * 0.02 && (found.squares / squares - 1.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.low, numbers.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(found.high, numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert_eq!((found.finite, found.nans, bins.iter().sum()), (100_000, 0, 100_000_u64));
    }

    /// One NaN that hides all other numbers, or that is not seen; an infinity that counts as an extreme.
    #[test]
    fn what_is_not_finite_is_told_apart() {
        let numbers = [2.0, f32::NAN, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001), -1.0];
        let (found, bins) = surveyed(Stored::Float32, bytemuck::cast_slice(&numbers));
        let expected = Moments { finite: 3, low: -1.0, high: 2.0, mean: 0.0, squares: 6.0, nans: 2 };
        assert_eq!(found, expected);
        assert_eq!((bins[0x7f80], bins[0xff80], bins[0xbf80], bins[0x4000]), (2, 1, 2, 1));
        let none = surveyed(Stored::Float32, bytemuck::cast_slice(&[f32::NAN])).0;
        assert_eq!(none, Moments { nans: 1, ..Moments::NONE });
    }

    /// Equal numbers that are counted once, or by the wrong bits.
    #[test]
    fn equal_numbers_are_counted() {
        let numbers = vec![0x1234_u16; 3 * BLOCK + 5];
        let bins = surveyed(Stored::Bits16, bytemuck::cast_slice(&numbers)).1;
        assert_eq!(bins[0x1234], numbers.len() as u64);
        let bins = surveyed(Stored::Bits8, &[0x80, 0x7f, 0x80]).1;
        assert_eq!((bins[0x80], bins[0x7f]), (2, 1));
    }
}
