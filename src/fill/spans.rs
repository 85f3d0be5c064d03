//! Spans: the addresses between which the elements of an array lie.

use std::ops::Range;

/// Whether two arrays of one fill may have memory in common.
///
/// Judged by spans and not by elements: whether strided arrays share one is hard to decide in general (`NumPy`'s
/// `shares_memory`).
pub(crate) fn share_memory(mut spans: Vec<Range<usize>>) -> bool {
    spans.retain(|span| !span.is_empty());
    spans.sort_unstable_by_key(|span| span.start);
    // If any two overlap, two neighbours in this order do.
    spans.windows(2).any(|pair| pair[1].start < pair[0].end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arrays of one element in common that are filled at once, or neighbours and empty ones that are not.
    #[test]
    fn one_byte_in_common_is_enough() {
        assert!(share_memory(vec![8..16, 0..9]));
        assert!(share_memory(vec![0..16, 20..30, 15..16]));
        assert!(share_memory(vec![4..5, 0..100]));
        assert!(!share_memory(vec![8..16, 0..8, 16..20]));
        assert!(!share_memory(vec![0..16, 5..5, 16..16]));
    }
}
