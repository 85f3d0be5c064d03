//! Pages: large memory that is filled for the first time takes as few of them as the system can give.

/// Memory of fewer bytes is left alone, as `NumPy` does with arrays of its own, of which it asks the same.
#[cfg(target_os = "linux")]
const LEAST: usize = 1 << 22;

/// A multiple of every size that pages have where huge ones are larger.
#[cfg(target_os = "linux")]
const PAGE: usize = 1 << 16;

/// Asks for huge pages where nobody has written yet: the first touch of a small one costs as much as filling it.
///
/// It is a hint, which the system need not take. Nothing that the memory holds changes.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a hint to the system; see the block")]
pub fn prefer_huge(address: usize, len: usize) {
    let (start, end) = (address.div_ceil(PAGE).saturating_mul(PAGE), address.saturating_add(len) / PAGE * PAGE);
    if len >= LEAST && start < end {
        // SAFETY: the hint changes no contents, and the system refuses addresses that are not this process's.
        let _ = unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
    }
}

/// Elsewhere the system chooses.
#[cfg(not(target_os = "linux"))]
pub fn prefer_huge(_address: usize, _len: usize) {}
