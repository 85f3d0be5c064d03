//! Streams: where random words come from.
//!
//! A stream is a pure function from (identity, block number) to words. Version 1 of the native one is [`Philox`]. A
//! released version never changes: a better one becomes the next [`Version`], in a file of its own.

mod consecutive;
mod fields;
mod identity;
mod philox;
#[cfg(test)]
mod second;
mod version;

pub(crate) use consecutive::RUN;
pub use fields::Fields;
pub use identity::Identity;
pub use philox::{GROUP, PastTheEnd, Philox};
pub use version::{Version, Words};
