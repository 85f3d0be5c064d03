//! The threads of a fill beside its caller's: workers of our own, never rayon's global pool, which
//! belongs to the host program.
//!
//! There are never more than a fill has asked for, and they live as long as the process. A forked child has none of its
//! parent's threads, so it makes its own and leaves the parent's memory alone. Looking a worker up takes no lock, which a
//! fork could leave locked for ever.

use crate::machine::crew::Worker;
use crate::machine::forks::Generation;
use crate::machine::threads::MAX_THREADS;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What the pointers point to is never freed and never changed.
static WORKERS: [AtomicPtr<Worker>; MAX_THREADS] = [const { AtomicPtr::new(null_mut()) }; MAX_THREADS];

/// `count` workers, or as many as the system allows.
pub(crate) fn workers(count: usize) -> Vec<&'static Worker> {
    let generation = Generation::current();
    // A system that refuses one thread will refuse the next: the fill goes on with those it has.
    (0..count).map_while(|number| worker(number, generation)).collect()
}

/// The worker of this number, or `None` where the system refuses a thread.
#[allow(unsafe_code, reason = "reading a worker through the pointer that publishes it; see the blocks")]
fn worker(number: usize, generation: Generation) -> Option<&'static Worker> {
    let slot = WORKERS.get(number)?;
    let mut current = slot.load(Ordering::Acquire);
    loop {
        // SAFETY: a non-null pointer in `WORKERS` comes from `Box::into_raw` below, was published with Release and read
        // with Acquire, and is never freed or written through, so a shared reference to it is always valid.
        if let Some(worker) = unsafe { current.as_ref() }
            && worker.generation == generation
        {
            return Some(worker);
        }
        let made = Box::into_raw(Box::new(Worker::start(number, generation)?));
        match slot.compare_exchange(current, made, Ordering::AcqRel, Ordering::Acquire) {
            // A parent's worker stays as it is: its thread does not exist here, and its locks may be held for ever.
            Ok(_) => current = made,
            Err(other) => {
                // SAFETY: `made` was not published, so this is its only owner.
                // Another thread was faster, and its worker serves both.
                drop(unsafe { Box::from_raw(made) });
                current = other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(number: usize) -> Option<&'static Worker> {
        worker(number, Generation::current())
    }

    /// Threads that no fill has asked for, or workers made anew at every fill.
    #[test]
    fn a_worker_is_made_once() {
        let third = found(3).unwrap();
        assert!(std::ptr::eq(third, found(3).unwrap()));
        assert!(!std::ptr::eq(third, found(2).unwrap()));
        assert!(found(MAX_THREADS).is_none());
    }

    #[cfg(unix)]
    mod in_children {
        use super::*;
        use crate::machine::crew::run_on_all;
        #[cfg(target_os = "linux")]
        use crate::machine::forks::tests::bare_fork;
        use crate::machine::forks::tests::{child_does, fork};
        use std::sync::atomic::AtomicBool;
        use std::thread;

        fn a_worker_works() -> bool {
            let worked = AtomicBool::new(false);
            let wait = || {
                while !worked.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            };
            run_on_all(&workers(1), &|| worked.store(true, Ordering::Relaxed), &mut { wait }).is_ok()
        }

        /// A lock on the way to a worker: a fork that catches it held leaves the child waiting for ever.
        #[test]
        fn forks_while_threads_spin_in_the_look_up() {
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            std::hint::black_box(found(0));
                        }
                    });
                }
                let hung = (0..200).find(|_| !child_does(fork, a_worker_works));
                stop.store(true, Ordering::Relaxed);
                assert_eq!(hung, None, "the child of this fork did not end in ten seconds");
            });
        }

        /// A child that waits for its parent's workers where the C library did not see the fork.
        #[cfg(target_os = "linux")]
        #[test]
        fn a_bare_system_call_forks_too() {
            assert!(a_worker_works());
            assert!(child_does(bare_fork, a_worker_works));
        }
    }
}
