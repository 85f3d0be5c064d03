//! Targets for fuzzers: what bytes mean, and the readable model that each result is compared with.
//!
//! `make fuzz` finds inputs, of which a few are kept in `corpora`. The crate's own tests do them again, and Miri does.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a fault that is found ends the process")]

mod bytes;
mod elements;
mod picks;
mod regions;
mod replays;
mod strided;

pub use picks::picks;
pub use regions::regions;
pub use replays::replays;
pub use strided::strided;

#[cfg(test)]
mod tests {
    /// Does every input of a file in `corpora` again: a line of hexadecimal digits each.
    fn replay(corpus: &str, target: fn(&[u8])) {
        let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
        let inputs = corpus.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect::<Vec<u8>>());
        // Miri takes seconds for what a processor does in a millisecond.
        let most = if cfg!(miri) { 40 } else { usize::MAX };
        assert!(inputs.take(most).map(|input| target(&input)).count() > 20, "a corpus that was lost");
    }

    /// A mesh with other elements than its definition's.
    #[test]
    fn regions() {
        replay(include_str!("corpora/regions.txt"), super::regions);
    }

    /// Indices that leave their axis unseen, or a part of picks that is another one.
    #[test]
    fn picks() {
        replay(include_str!("corpora/picks.txt"), super::picks);
    }

    /// An array in any order that is written elsewhere, or beside its elements.
    #[test]
    fn strided() {
        replay(include_str!("corpora/strided.txt"), super::strided);
    }

    /// A replay that begins at another place of its framework's stream.
    #[test]
    fn replays() {
        replay(include_str!("corpora/replays.txt"), super::replays);
    }
}
