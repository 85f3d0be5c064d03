//! Prefetching: memory that is about to be written is fetched while the values are computed.

/// Asks for the cache lines of `out`, to be written.
///
/// A store to a line that is not in the cache waits for it. Values come in bursts, a batch at a time, which fill every
/// buffer between core and memory and stop the computation: a large float32 array took 1.5 times as long without this.
#[inline(always)]
#[allow(unsafe_code, reason = "the instruction has no safe name; see the block")]
pub(crate) fn prefetch_for_writing<E>(out: &[E]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for line in 0..size_of_val(out).div_ceil(64) {
        let address = out.as_ptr().wrapping_byte_add(64 * line);
        // SAFETY: a hint: it neither reads nor writes as far as the program can see, and cannot fault. Processors that
        // do not know it do nothing.
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags));
        };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = out;
}
