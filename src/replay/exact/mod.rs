//! Functions that frameworks compute their values with, to the last bit; each in one place.

pub(crate) mod cephes;
pub(crate) mod libm;
