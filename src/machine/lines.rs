//! Cache lines: buffers whose vectors do not straddle two of them.

/// A buffer that begins where a line does.
#[repr(align(64))]
pub(crate) struct CacheLines<T>(pub(crate) T);
