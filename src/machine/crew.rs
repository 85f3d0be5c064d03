//! A crew: threads that do one work together while their caller waits.

use crate::machine::forks::Generation;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// How long a caller waits or works before it turns to something else: asking Python takes up to five milliseconds where
/// another of its threads is busy. Ctrl-C should stop a fill within 100, and the task that is under way ends first.
pub(crate) const INTERVAL: Duration = Duration::from_millis(20);

/// Bytes of a worker's stack, whatever `RUST_MIN_STACK` says: ten times what the deepest work touches, a replay of torch.
const STACK: usize = 256 << 10;

/// A rayon pool of one thread: a work can have any number of them.
pub(crate) struct Worker {
    pub(super) generation: Generation,
    thread: ThreadPool,
}

impl Worker {
    /// A new thread, or `None` where the system refuses one.
    pub(super) fn start(number: usize, generation: Generation) -> Option<Self> {
        let thread = ThreadPoolBuilder::new().num_threads(1).stack_size(STACK);
        let thread = thread.thread_name(move |_| format!("varscale-{number}")).build().ok()?;
        let worker = Self { generation, thread };
        // So that its stack and its thread's own memory exist before a fill depends on them.
        run_on_all(&[&worker], &|| (), &mut || ()).ok()?;
        Some(worker)
    }
}

/// The process is a fork of the one whose threads do the work.
#[derive(Debug)]
pub(crate) struct Forked;

/// Does `work` on every worker, and `meanwhile` every [`INTERVAL`] on the caller's thread; returns when all is done.
///
/// # Errors
///
/// [`Forked`] in a child that a signal handler of this thread has forked meanwhile. Nobody must then look at what `work`
/// changes: a worker may have been in the middle of it.
pub(crate) fn run_on_all(
    workers: &[&Worker],
    work: &(dyn Fn() + Sync),
    meanwhile: &mut dyn FnMut(),
) -> Result<(), Forked> {
    let [Worker { generation, .. }, ..] = workers else { return Ok(()) };
    let (at_work, panic) = (AtomicUsize::new(0), Mutex::new(None));
    let crew = Arc::new(Crew { at_work, panic, caller: thread::current(), generation: *generation });
    // Even where `meanwhile` panics: the workers borrow what the caller owns.
    let _waiting = Waiting(&crew);
    for Worker { thread, .. } in workers {
        let job = Job::new(work, &crew);
        // Not in scopes inside one another, one for each pool: those take stack, and never leave a child.
        thread.spawn(|| job.run());
    }
    crew.wait(meanwhile)?;
    let panic = crew.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
    panic.map_or(Ok(()), |panic| resume_unwind(panic))
}

/// How many workers are at work, and which thread waits for them.
struct Crew {
    at_work: AtomicUsize,
    /// One of theirs.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    caller: Thread,
    generation: Generation,
}

impl Crew {
    fn wait(&self, meanwhile: &mut dyn FnMut()) -> Result<(), Forked> {
        loop {
            let at_work = self.at_work.load(Ordering::Acquire);
            // In a child the number stays as it is: who would leave is not there.
            if Generation::current() != self.generation {
                return Err(Forked);
            }
            if at_work == 0 {
                return Ok(());
            }
            // The last worker wakes this thread, so that a short work does not last an interval.
            thread::park_timeout(INTERVAL);
            meanwhile();
        }
    }
}

/// Waits for the crew when it is dropped, which a panic does too.
struct Waiting<'a>(&'a Crew);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let _ = self.0.wait(&mut || ());
    }
}

/// A worker's part; the worker leaves the crew when it is dropped.
struct Job {
    work: *const (dyn Fn() + Sync),
    crew: Arc<Crew>,
}

#[allow(unsafe_code, reason = "a pointer in place of a reference; see the block")]
// SAFETY: what it points to is `Sync`.
unsafe impl Send for Job {}

impl Job {
    #[allow(
        unsafe_code,
        clippy::transmute_ptr_to_ptr,
        reason = "a cast may not make the lifetime longer; see the block"
    )]
    fn new(work: &(dyn Fn() + Sync), crew: &Arc<Crew>) -> Self {
        crew.at_work.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the pointer stays the same, and is followed in `run` alone.
        let work = unsafe { mem::transmute::<*const (dyn Fn() + Sync), *const (dyn Fn() + Sync)>(work) };
        Self { work, crew: Arc::clone(crew) }
    }

    #[allow(unsafe_code, reason = "using what another thread owns; see the block")]
    fn run(self) {
        // SAFETY: `run_on_all` returns when every job is dropped, which this one is only after the call. A child that
        // returns before has no thread that could come here.
        let work = || unsafe { (*self.work)() };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            *self.crew.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // An unpark that comes before the caller parks is kept for it, so that none is lost.
        if self.crew.at_work.fetch_sub(1, Ordering::Release) == 1 {
            self.crew.caller.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use crate::machine::forks::tests::{ended_well, fork, leave};

    fn workers() -> [Worker; 3] {
        [0, 1, 2].map(|number| Worker::start(number, Generation::current()).unwrap())
    }

    /// A caller's panic that takes the work away from its workers, or a worker's that is lost or ends the worker.
    #[test]
    fn a_panic_waits_for_everybody() {
        let workers = workers();
        for of in ["the caller's", "a worker's"] {
            let done = AtomicUsize::new(0);
            let work = || {
                thread::sleep(10 * INTERVAL);
                assert!(done.fetch_add(1, Ordering::Relaxed) > 0 || of == "the caller's", "a worker's");
            };
            let run = || run_on_all(&workers.each_ref(), &work, &mut || assert!(of == "a worker's", "the caller's"));
            let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&of));
            assert_eq!(done.load(Ordering::Relaxed), 3);
        }
    }

    /// A child that waits for its parent's threads for ever.
    #[cfg(unix)]
    #[test]
    fn a_child_waits_for_nobody() {
        let (workers, mut child) = (workers(), None);
        let mut meanwhile = || child = child.or_else(|| Some(fork()));
        let end = run_on_all(&workers.each_ref(), &|| thread::sleep(3 * INTERVAL), &mut meanwhile);
        if child == Some(0) {
            leave(end.is_err());
        }
        assert!(end.is_ok() && ended_well(child.unwrap()));
    }
}
