//! Forks: what a process made for itself is not its child's.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many forks lie between the process that loaded the library and this one.
static FORKS: AtomicUsize = AtomicUsize::new(0);

static COUNTED: AtomicBool = AtomicBool::new(false);

/// What a process shares with none of its ancestors.
///
/// Forks are counted, because a child in another PID namespace may have its parent's PID, and the system reuses them.
/// The PID tells where a fork is a bare system call, which the C library counts for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    forks: usize,
    process: u32,
}

impl Generation {
    /// This process's.
    pub(crate) fn current() -> Self {
        if !COUNTED.load(Ordering::Acquire) {
            count();
            COUNTED.store(true, Ordering::Release); // two threads may both count: every fork is then two
        }
        Self { forks: FORKS.load(Ordering::Relaxed), process: process::id() }
    }
}

/// From now on, forks are counted.
#[cfg(all(unix, not(miri)))]
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

/// Elsewhere there are no forks, nor in Miri.
#[cfg(any(miri, not(unix)))]
fn count() {}

#[cfg(all(test, unix))]
pub(crate) mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    /// Forks, for a child that ends with [`leave`].
    #[allow(unsafe_code, reason = "forking is what the tests are about; see the block")]
    pub(crate) fn fork() -> libc::pid_t {
        // SAFETY: the child runs nothing of its parent's other threads, and leaves.
        unsafe { libc::fork() }
    }

    /// The same, by a system call of which the C library knows nothing.
    #[cfg(target_os = "linux")]
    #[allow(unsafe_code, reason = "forking is what the tests are about; see the block")]
    pub(crate) fn bare_fork() -> libc::pid_t {
        // SAFETY: as above; no flag lets the child share memory, and without a stack it has a copy of its parent's.
        unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t }
    }

    /// Ends a child.
    #[allow(unsafe_code, reason = "nothing else may run in it; see the block")]
    pub(crate) fn leave(well: bool) -> ! {
        // SAFETY: ends this process.
        unsafe { libc::_exit(i32::from(!well)) }
    }

    /// Whether a child ended well, within ten seconds.
    #[allow(unsafe_code, reason = "waiting for a child; see the blocks")]
    pub(crate) fn ended_well(child: libc::pid_t) -> bool {
        let mut status = 0;
        for _ in 0..10_000 {
            // SAFETY: `status` outlives the call, and `child` is ours to wait for.
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                return status == 0;
            }
            thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: `child` has not been waited for, so the number is still its own.
        unsafe { libc::kill(child, libc::SIGKILL) };
        false
    }

    /// Whether the child of a fork does its work well.
    pub(crate) fn child_does(fork: fn() -> libc::pid_t, work: impl FnOnce() -> bool) -> bool {
        match fork() {
            0 => leave(work()),
            child => ended_well(child),
        }
    }

    /// A child that takes its parent's threads for its own.
    #[test]
    fn a_child_is_of_another_generation() {
        let parent = Generation::current();
        assert!(child_does(fork, || Generation::current() != parent));
        #[cfg(target_os = "linux")]
        assert!(child_does(bare_fork, || Generation::current() != parent));
        assert_eq!(Generation::current(), parent);
    }
}
