//! Streams: where random words come from.
//!
//! A stream is a pure function from (identity, block number) to words. Stream 1, the native one, is
//! [`Philox`]; a released stream never changes, a better one becomes the next file here.

mod consecutive;
mod identity;
mod philox;

pub(crate) use consecutive::{Consecutive, RUN};
pub use identity::{Fields, Identity};
pub use philox::{GROUP, PastTheEnd, Philox};
