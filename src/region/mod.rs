//! Regions: which element numbers of a full tensor a part holds, as runs of consecutive numbers.

pub mod picks;

use picks::Picks;
use std::ops::Range;

/// A part that does not lie in its full tensor, or a tensor with too many elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionError {
    /// Not one choice of indices for each axis.
    Rank,
    /// An index leaves the full tensor along this axis.
    Outside(usize),
    /// More than 2^64 elements.
    TooLarge,
}

impl std::fmt::Display for RegionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rank => f.write_str("a part must choose indices of every axis of its full tensor"),
            Self::Outside(axis) => write!(f, "the part leaves the full tensor along axis {axis}"),
            Self::TooLarge => f.write_str("a tensor must have at most 2^64 elements"),
        }
    }
}

impl std::error::Error for RegionError {}

/// One axis outside of the runs: how far each of its indices lies from the first.
#[derive(Clone, Debug)]
enum Axis {
    Even { count: u64, stride: u64 },
    Table(Vec<u64>),
}

impl Axis {
    fn count(&self) -> u64 {
        match self {
            Self::Even { count, .. } => *count,
            Self::Table(table) => table.len() as u64,
        }
    }

    /// Element numbers from the axis's origin; they wrap, as backward strides do.
    fn offset(&self, digit: u64) -> u64 {
        match self {
            // Modulo 2^64 throughout: whatever sums pass through, they end at an element of the tensor.
            Self::Even { stride, .. } => digit.wrapping_mul(*stride),
            Self::Table(table) => table[digit as usize],
        }
    }
}

/// A part of a tensor in C order: runs of equal length, at positions that a mesh of axes gives.
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

    /// The open mesh of `picks`, one for each axis, in a tensor of shape `full`, of whose axes one may be 2^64 long.
    ///
    /// # Errors
    ///
    /// [`RegionError`] when an index is not in the tensor, or the tensor or the part has more than 2^64 elements.
    pub fn mesh(full: &[u128], picks: &[Picks]) -> Result<Self, RegionError> {
        if full.len() != picks.len() {
            return Err(RegionError::Rank);
        }
        if let Some(axis) = (0..full.len()).find(|&axis| !picks[axis].lie_in(full[axis])) {
            return Err(RegionError::Outside(axis));
        }
        if picks.iter().any(|picks| picks.count() == 0) {
            // Whatever the size of the tensor: nothing of it needs a number.
            return Ok(Self::whole(0));
        }
        let mut region = Self::whole(1);
        let mut stride: u128 = 1; // up to 2^64 itself, which is a legal number of elements
        // From the innermost axis outwards, as strides grow and as whole axes merge into one run.
        for (extent, picks) in full.iter().zip(picks).rev() {
            let next = stride.checked_mul(*extent).filter(|&size| size <= 1 << 64);
            let next = next.ok_or(RegionError::TooLarge)?;
            region.len = region.len.checked_mul(picks.count()).ok_or(RegionError::TooLarge)?;
            region.surround(stride, picks);
            stride = next;
        }
        region.axes.reverse();
        Ok(region)
    }

    /// Adds the next axis outwards, whose neighbours are `stride` elements apart.
    fn surround(&mut self, stride: u128, picks: &Picks) {
        let apart = stride as u64; // 2^64 only where all further extents are 1: then never used
        match picks {
            Picks::Range { start, step, count } => {
                // An axis with one index only moves the first element: nothing is to be stepped along.
                self.first = self.first.wrapping_add(start.wrapping_mul(apart));
                if *count > 1 && *step == 1 && self.axes.is_empty() && u128::from(self.run) == stride {
                    self.run *= count; // the part spans every axis inside this one
                } else if *count > 1 {
                    // A negative step as two's complement, which steps back where sums wrap.
                    self.axes.push(Axis::Even { count: *count, stride: apart.wrapping_mul(*step as u64) });
                }
            }
            Picks::List(list) => {
                // Never merged with the run inside: neighbours in a list may lie anywhere.
                self.axes.push(Axis::Table(list.iter().map(|index| index.wrapping_mul(apart)).collect()));
            }
        }
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

    /// How many elements each of its runs has, but for those that a range of positions cuts.
    #[must_use]
    pub const fn run(&self) -> u64 {
        self.run
    }

    /// The elements at `positions` of the region, as (first element number, how many), in order.
    #[must_use]
    pub fn runs(&self, positions: Range<u64>) -> Runs<'_> {
        let left = positions.end.saturating_sub(positions.start);
        // An empty region's run is 0, and must not divide.
        let run = self.run.max(1);
        let (mut number, within) = (positions.start / run, positions.start % run);
        let mut digits = vec![0; self.axes.len()];
        let mut start = self.first;
        // The run's number, as digits in the mixed base of the axes' counts.
        for (digit, axis) in digits.iter_mut().zip(&self.axes).rev() {
            *digit = number % axis.count();
            number /= axis.count();
            start = start.wrapping_add(axis.offset(*digit));
        }
        Runs { region: self, digits, start, within, left }
    }
}

/// Runs of consecutive element numbers, counted through like an odometer.
#[derive(Debug)]
pub struct Runs<'a> {
    region: &'a Region,
    /// Where the current run lies along each axis.
    digits: Vec<u64>,
    /// Its first element number.
    start: u64,
    /// How much of it is behind us.
    within: u64,
    /// How many elements are still to come.
    left: u64,
}

impl Runs<'_> {
    #[inline]
    fn advance(&mut self) {
        self.within = 0;
        for (digit, axis) in self.digits.iter_mut().zip(&self.region.axes).rev() {
            let before = axis.offset(*digit);
            *digit += 1;
            let carry = *digit == axis.count();
            if carry {
                *digit = 0;
            }
            // From where the digit was to where it is: the offsets of a list have no common step.
            self.start = self.start.wrapping_add(axis.offset(*digit)).wrapping_sub(before);
            if !carry {
                return;
            }
        }
    }
}

impl Iterator for Runs<'_> {
    type Item = (u64, usize);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let count = (self.region.run - self.within).min(self.left);
        let found = (self.start.wrapping_add(self.within), count as usize);
        self.left -= count;
        // Behind the last run there is none: the odometer would only turn over.
        if self.left > 0 {
            self.advance();
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(region: &Region, positions: Range<u64>) -> Vec<u64> {
        region.runs(positions).flat_map(|(first, count)| first..first + count as u64).collect()
    }

    /// Boxes, steps in both directions and lists with repetitions, of an axis of `extent`.
    fn choices(extent: u64) -> Vec<Picks> {
        let mut all = vec![Picks::List(vec![extent - 1, 0, 0]), Picks::List(vec![extent / 2])];
        for start in 0..extent {
            all.extend((0..=extent - start).map(|count| Picks::range(start, count)));
            all.push(Picks::Range { start, step: -1, count: start + 1 });
            all.push(Picks::Range { start, step: 2, count: (extent - start).div_ceil(2) });
        }
        all
    }

    fn indices(picks: &Picks) -> Vec<u64> {
        match picks {
            Picks::Range { start, step, count } => {
                (0..*count).map(|i| start.wrapping_add_signed(step * i as i64)).collect()
            }
            Picks::List(list) => list.clone(),
        }
    }

    /// An element number other than C order's, at any cut: every mesh of a small tensor, every range of it.
    #[test]
    fn every_mesh_of_a_small_tensor() {
        let full = [3_u64, 1, 4];
        for p0 in choices(3) {
            for p1 in choices(1) {
                for p2 in choices(4) {
                    let region = Region::mesh(&full.map(u128::from), &[p0.clone(), p1.clone(), p2.clone()]).unwrap();
                    let mut expected = Vec::new();
                    for i0 in indices(&p0) {
                        for i1 in indices(&p1) {
                            expected.extend(indices(&p2).iter().map(|i2| (i0 * full[1] + i1) * full[2] + i2));
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

    /// Whole rows that are needlessly cut into runs: they are what makes contiguous parts fast.
    #[test]
    fn merges_what_is_contiguous() {
        let runs = |full: &[u128], offset: &[u64], part: &[u64]| {
            let picks: Vec<Picks> =
                offset.iter().zip(part).map(|(&start, &count)| Picks::range(start, count)).collect();
            let region = Region::mesh(full, &picks).unwrap();
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
        let mesh = |full: &[u128], picks: &[Picks]| Region::mesh(full, picks);
        let one = |start| Picks::range(start, 1);
        let far = mesh(&[1 << 40, 1 << 24], &[one((1 << 40) - 1), Picks::range(5, 2)]).unwrap();
        assert_eq!(far.runs(0..2).collect::<Vec<_>>(), [(u64::MAX - (1 << 24) + 6, 2)]);
        let back = mesh(&[1 << 63, 2], &[Picks::Range { start: (1 << 63) - 1, step: 1 - (1 << 62), count: 3 }, one(1)]);
        assert_eq!(back.unwrap().runs(0..3).collect::<Vec<_>>(), [(u64::MAX, 1), ((1 << 63) + 1, 1), (3, 1)]);
        assert_eq!(mesh(&[1 << 40, 1 << 25], &[one(0), one(0)]).unwrap_err(), RegionError::TooLarge);
        assert_eq!(mesh(&[4, 4], &[Picks::range(0, 4), Picks::range(2, 3)]).unwrap_err(), RegionError::Outside(1));
        assert_eq!(mesh(&[4], &[Picks::range(u64::MAX, 2)]).unwrap_err(), RegionError::Outside(0));
        assert_eq!(mesh(&[4], &[Picks::Range { start: 1, step: -1, count: 3 }]).unwrap_err(), RegionError::Outside(0));
        assert_eq!(mesh(&[4], &[Picks::List(vec![0, 4])]).unwrap_err(), RegionError::Outside(0));
        assert_eq!(mesh(&[4], &[]).unwrap_err(), RegionError::Rank);
        assert!(mesh(&[4, 0], &[Picks::range(0, 4), Picks::range(0, 0)]).unwrap().is_empty());
    }
}
