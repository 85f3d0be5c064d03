//! The threads of a fill: workers of our own, never rayon's global pool, which belongs to the host program.
//!
//! Each worker is a rayon pool of one thread: a fill can have any number of them, and there are never more than a fill
//! has asked for. A forked child has none of its parent's threads, so it makes its own and leaves the parent's memory
//! alone. Reaching a worker takes no lock, which a fork could leave locked for ever.

use crate::machine::forks::generation;
use crate::machine::threads::MAX_THREADS;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What the pointers point to is never freed and never changed.
static WORKERS: [AtomicPtr<Worker>; MAX_THREADS] = [const { AtomicPtr::new(null_mut()) }; MAX_THREADS];

struct Worker {
    generation: usize,
    thread: ThreadPool,
}

/// `count` workers, or as many as the system allows.
pub(crate) fn workers(count: usize) -> Vec<&'static ThreadPool> {
    // A system that refuses one thread will refuse the next: the fill goes on with those it has.
    (0..count).map_while(worker).collect()
}

/// Does `work` on every worker, and `meanwhile` on the caller's thread; returns when all is done. It takes 200 bytes of
/// the caller's stack per worker.
pub(crate) fn run_on_all(workers: &[&ThreadPool], work: &(dyn Fn() + Sync), meanwhile: &mut dyn FnMut()) {
    match workers {
        [] => meanwhile(),
        // Scopes inside one another, because a scope belongs to one pool and every worker is a pool.
        [first, others @ ..] => first.in_place_scope(|scope| {
            scope.spawn(|_| work());
            run_on_all(others, work, meanwhile);
        }),
    }
}

/// The worker of this number, or `None` where the system refuses a thread.
#[allow(unsafe_code, reason = "reading a worker through the pointer that publishes it; see the blocks")]
fn worker(number: usize) -> Option<&'static ThreadPool> {
    let slot = WORKERS.get(number)?;
    let generation = generation();
    let mut current = slot.load(Ordering::Acquire);
    loop {
        // SAFETY: a non-null pointer in `WORKERS` comes from `Box::into_raw` below, was published with Release and read
        // with Acquire, and is never freed or written through, so a shared reference to it is always valid.
        if let Some(worker) = unsafe { current.as_ref() }
            && worker.generation == generation
        {
            return Some(&worker.thread);
        }
        let thread = ThreadPoolBuilder::new().num_threads(1).thread_name(move |_| format!("varscale-{number}"));
        let thread = thread.build().ok()?;
        thread.install(|| ()); // so that its stack and its thread's own memory exist before a fill depends on them
        let made = Box::into_raw(Box::new(Worker { generation, thread }));
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
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    /// Threads that no fill has asked for, or workers made anew at every fill.
    #[test]
    fn a_worker_is_made_once() {
        let third = worker(3).unwrap();
        assert_eq!(third.current_num_threads(), 1);
        assert!(std::ptr::eq(third, worker(3).unwrap()));
        assert!(!std::ptr::eq(third, worker(2).unwrap()));
        assert!(worker(MAX_THREADS).is_none());
    }

    /// A lock on the way to a worker: a fork that catches it held leaves the child waiting for ever.
    #[cfg(unix)]
    #[test]
    fn forks_while_threads_spin_in_the_look_up() {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::black_box(worker(0));
                    }
                });
            }
            let hung = (0..200).find(|_| !forked_child_finds_a_worker());
            stop.store(true, Ordering::Relaxed);
            assert_eq!(hung, None, "the child of this fork did not end in ten seconds");
        });
    }

    #[cfg(unix)]
    #[allow(unsafe_code, reason = "forking is what the test is about; see the blocks")]
    fn forked_child_finds_a_worker() -> bool {
        // SAFETY: the child only looks for its worker, uses it, and leaves without running anything of the parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let sum = worker(0).map_or(0, |thread| thread.install(|| (0..100).sum()));
            // SAFETY: ends this process.
            unsafe { libc::_exit(i32::from(sum != 4950)) };
        }
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
}
