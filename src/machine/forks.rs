//! Forks: what a process made for itself is not its child's.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many forks lie between the process that loaded the library and this one.
static FORKS: AtomicUsize = AtomicUsize::new(0);

static COUNTED: AtomicBool = AtomicBool::new(false);

/// A number that a process shares with none of its ancestors, unlike a PID, which a child in another PID namespace may
/// share and the system reuses.
pub(crate) fn generation() -> usize {
    if !COUNTED.load(Ordering::Acquire) {
        count();
        COUNTED.store(true, Ordering::Release); // two threads may both count: every fork is then two
    }
    FORKS.load(Ordering::Relaxed)
}

/// From now on, forks are counted.
#[cfg(unix)]
#[allow(unsafe_code, reason = "registering a function with the C library; see the block")]
fn count() {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the function may run in a forked child: it does nothing but add to a number. It lives as long as the
    // library, whose handlers the C library drops when it unloads it. Where there is no memory for it, forks stay
    // uncounted.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

/// Elsewhere there are no forks.
#[cfg(not(unix))]
fn count() {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A child that takes its parent's threads for its own.
    #[test]
    #[allow(unsafe_code, reason = "forking is what the test is about; see the blocks")]
    fn a_child_is_of_another_generation() {
        let parent = generation();
        // SAFETY: the child compares two numbers and leaves without running anything of the parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: ends this process.
            unsafe { libc::_exit(i32::from(generation() == parent)) };
        }
        let mut status = 0;
        // SAFETY: `status` outlives the call, and `child` is ours to wait for.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        assert_eq!(generation(), parent);
    }
}
