//! Regions: which element numbers of a full tensor a part holds, as runs of consecutive numbers.

use std::ops::Range;

/// A part that does not lie in its full tensor, or a tensor with too many elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionError {
    /// Shape, offset and part differ in length.
    Rank,
    /// `offset + part` leaves the full tensor along this axis.
    Outside(usize),
    /// More than 2^64 elements.
    TooLarge,
}

impl std::fmt::Display for RegionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rank => f.write_str("the part, its offset and the full shape must have the same rank"),
            Self::Outside(axis) => write!(f, "the part leaves the full tensor along axis {axis}"),
            Self::TooLarge => f.write_str("a tensor must have at most 2^64 elements"),
        }
    }
}

impl std::error::Error for RegionError {}

/// One axis of the box: how many runs lie along it and how far apart.
#[derive(Clone, Copy, Debug)]
struct Axis {
    count: u64,
    stride: u64,
}

/// A box of a tensor in C order: runs of equal length, at strided positions.
#[derive(Clone, Debug)]
pub struct Region {
    first: u64,
    run: u64,
    /// Outermost first; none when the region is one run.
    axes: Vec<Axis>,
    len: u64,
}

impl Region {
    /// A whole tensor: the elements `0..len`.
    #[must_use]
    pub const fn whole(len: u64) -> Self {
        Self { first: 0, run: len, axes: Vec::new(), len }
    }

    /// The box of shape `part` at `offset` in a tensor of shape `full`.
    ///
    /// # Errors
    ///
    /// [`RegionError`] when the box does not lie in the tensor or the tensor has more than 2^64 elements.
    pub fn part(full: &[u64], offset: &[u64], part: &[u64]) -> Result<Self, RegionError> {
        if full.len() != offset.len() || full.len() != part.len() {
            return Err(RegionError::Rank);
        }
        for axis in 0..full.len() {
            if offset[axis].checked_add(part[axis]).is_none_or(|end| end > full[axis]) {
                return Err(RegionError::Outside(axis));
            }
        }
        if part.contains(&0) {
            return Ok(Self::whole(0));
        }
        let mut region = Self::whole(1);
        let mut stride: u128 = 1; // up to 2^64 itself, which is a legal number of elements
        for axis in (0..full.len()).rev() {
            let (extent, start, count) = (full[axis], offset[axis], part[axis]);
            let next = stride.checked_mul(u128::from(extent)).filter(|&size| size <= 1 << 64);
            let next = next.ok_or(RegionError::TooLarge)?;
            let step = stride as u64; // 2^64 only where all further extents are 1: then never used
            region.first = region.first.wrapping_add(start.wrapping_mul(step));
            region.len *= count;
            if count > 1 {
                if region.axes.is_empty() && u128::from(region.run) == stride {
                    region.run *= count; // the part spans every axis inside this one
                } else {
                    region.axes.push(Axis { count, stride: step });
                }
            }
            stride = next;
        }
        region.axes.reverse();
        Ok(region)
    }

    /// How many elements the region has.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the region has no elements.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements at `positions` of the region, as (first element number, how many), in order.
    pub fn runs(&self, positions: Range<u64>) -> impl Iterator<Item = (u64, usize)> {
        let mut position = positions.start;
        std::iter::from_fn(move || {
            if position >= positions.end {
                return None;
            }
            let (run, within) = (position / self.run, position % self.run);
            let count = (self.run - within).min(positions.end - position);
            position += count;
            Some((self.run_start(run).wrapping_add(within), count as usize))
        })
    }

    /// The element number at which run number `run` starts.
    fn run_start(&self, mut run: u64) -> u64 {
        let mut start = self.first;
        for axis in self.axes.iter().rev() {
            start = start.wrapping_add((run % axis.count).wrapping_mul(axis.stride));
            run /= axis.count;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(region: &Region, positions: Range<u64>) -> Vec<u64> {
        region.runs(positions).flat_map(|(first, count)| first..first + count as u64).collect()
    }

    /// An element number other than C order's, at any cut: every box of a small tensor, every range of it.
    #[test]
    fn every_box_of_a_small_tensor() {
        let full = [3, 1, 4, 2];
        let boxes = |axis: usize| (0..full[axis]).flat_map(move |o| (0..=full[axis] - o).map(move |n| (o, n)));
        for (o0, n0) in boxes(0) {
            for (o1, n1) in boxes(1) {
                for (o2, n2) in boxes(2) {
                    for (o3, n3) in boxes(3) {
                        let region = Region::part(&full, &[o0, o1, o2, o3], &[n0, n1, n2, n3]).unwrap();
                        let mut expected = Vec::new();
                        for i0 in o0..o0 + n0 {
                            for i1 in o1..o1 + n1 {
                                for i2 in o2..o2 + n2 {
                                    for i3 in o3..o3 + n3 {
                                        expected.push(((i0 * full[1] + i1) * full[2] + i2) * full[3] + i3);
                                    }
                                }
                            }
                        }
                        assert_eq!(region.len(), expected.len() as u64);
                        for cut in 0..=region.len() {
                            let mut found = elements(&region, 0..cut);
                            found.extend(elements(&region, cut..region.len()));
                            assert_eq!(found, expected);
                        }
                    }
                }
            }
        }
    }

    /// Whole rows that are needlessly cut into runs: they are what makes contiguous parts fast.
    #[test]
    fn merges_what_is_contiguous() {
        let runs = |full: &[u64], offset: &[u64], part: &[u64]| {
            let region = Region::part(full, offset, part).unwrap();
            region.runs(0..region.len()).collect::<Vec<_>>()
        };
        assert_eq!(runs(&[8, 4, 2], &[2, 0, 0], &[3, 4, 2]), [(16, 24)]);
        assert_eq!(runs(&[8, 4, 2], &[2, 1, 0], &[1, 2, 2]), [(18, 4)]);
        assert_eq!(runs(&[8, 4], &[2, 1], &[2, 3]), [(9, 3), (13, 3)]);
        assert_eq!(runs(&[], &[], &[]), [(0, 1)]);
    }

    /// Element numbers cut to 32 bits, or a tensor that runs past the stream's numbers.
    #[test]
    fn reaches_far_and_refuses_what_is_outside() {
        let far = Region::part(&[1 << 40, 1 << 24], &[(1 << 40) - 1, 5], &[1, 2]).unwrap();
        assert_eq!(far.runs(0..2).collect::<Vec<_>>(), [(u64::MAX - (1 << 24) + 6, 2)]);
        assert_eq!(Region::part(&[1 << 40, 1 << 25], &[0, 0], &[1, 1]).unwrap_err(), RegionError::TooLarge);
        assert_eq!(Region::part(&[4, 4], &[0, 2], &[4, 3]).unwrap_err(), RegionError::Outside(1));
        assert_eq!(Region::part(&[4], &[u64::MAX], &[2]).unwrap_err(), RegionError::Outside(0));
        assert_eq!(Region::part(&[4], &[0, 0], &[2]).unwrap_err(), RegionError::Rank);
        assert!(Region::part(&[4, 0], &[0, 0], &[4, 0]).unwrap().is_empty());
    }
}
