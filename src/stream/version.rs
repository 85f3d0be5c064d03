//! Versions of the native stream, and the one place that chooses: once for a chunk or a batch, never in a kernel.

use super::consecutive;
use super::consecutive::RUN;
use super::identity::Identity;
use super::philox::Philox;
#[cfg(test)]
use super::second::Second;
use crate::machine::level::Simd;

/// A version of the native stream, which configs, plans and checkpoints know by its number.
///
/// What has been released stays here, beside all that comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Philox4x32-10.
    One,
    /// What the next one will be like, for tests alone.
    #[cfg(test)]
    Two,
}

impl Version {
    /// BLAKE2's personalisation, which ends with the number: in another version the same fields have other identities.
    pub(super) const fn person(self) -> &'static [u8; 16] {
        match self {
            Self::One => b"varscale-stream1",
            #[cfg(test)]
            Self::Two => b"varscale-stream2",
        }
    }

    /// The words of an identity.
    #[must_use]
    pub const fn words(self, identity: Identity) -> Words {
        match self {
            Self::One => Words::One(Philox::new(identity)),
            #[cfg(test)]
            Self::Two => Words::Two(Second::new(identity)),
        }
    }
}

/// The words of one identity in one version of the stream.
#[derive(Clone, Copy, Debug)]
pub enum Words {
    /// Those of version 1.
    One(Philox),
    /// Those of the version that tests have.
    #[cfg(test)]
    Two(Second),
}

impl Words {
    /// Writes the words of any blocks, in whole groups, as [`Philox`] does.
    pub(crate) fn groups(&self, simd: Simd, numbers: &[u64], pairs: &mut [[u64; 2]]) {
        match self {
            Self::One(philox) => philox.groups(simd, numbers, pairs),
            #[cfg(test)]
            Self::Two(second) => second.groups(numbers, pairs),
        }
    }

    /// The same words, for blocks that follow each other.
    pub(crate) fn consecutive(self) -> Consecutive {
        match self {
            Self::One(philox) => Consecutive::One(consecutive::Consecutive::new(philox)),
            #[cfg(test)]
            Self::Two(second) => Consecutive::Two(second),
        }
    }
}

/// The words of blocks that follow each other, in one version of the stream.
#[derive(Debug)]
pub(crate) enum Consecutive {
    One(consecutive::Consecutive),
    #[cfg(test)]
    Two(Second),
}

impl Consecutive {
    /// Writes the words of so many blocks from `first` on, [`RUN`] at most. Nobody looks at the words behind them.
    pub(crate) fn write(&mut self, simd: Simd, first: u64, blocks: usize, words: &mut [[u64; 2]; RUN]) {
        match self {
            Self::One(stream) => stream.write(simd, first, blocks, words),
            #[cfg(test)]
            Self::Two(second) => second.write(first, blocks, words),
        }
    }
}
