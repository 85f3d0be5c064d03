//! Bins: numbers, counted by their upper 16 bits.

/// How many numbers have the same upper 16 bits, by these; of fewer than 2³² numbers in all. Counts of 64 bits would be too
/// many for the nearest cache.
pub(crate) type Bins = [u32; 1 << 16];

/// Counts numbers, a few at a time.
#[inline(always)]
pub(super) fn count<T: Copy + PartialEq>(few: &[T], bins: &mut Bins, bin: impl Fn(T) -> u16) {
    // To count one and the same bin, each addition would wait for the one before it.
    if few.iter().all(|number| *number == few[0]) {
        bins[usize::from(bin(few[0]))] += few.len() as u32;
    } else {
        for &number in few {
            bins[usize::from(bin(number))] += 1;
        }
    }
}
