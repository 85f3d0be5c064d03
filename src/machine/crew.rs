//! A crew: threads that do one work together, their caller among them.

use crate::machine::forks::Generation;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::any::Any;
use std::collections::VecDeque;
use std::hint::spin_loop;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a caller waits or works before it turns to something else: asking Python takes up to five milliseconds where
/// another of its threads is busy. Ctrl-C should stop a fill within 100, and the task that is under way ends first.
pub(crate) const INTERVAL: Duration = Duration::from_millis(20);

/// How long a caller looks for the others' end before it sleeps: less than it takes to be woken twice.
const SPIN: Duration = Duration::from_micros(20);

/// Bytes of a worker's stack, whatever `RUST_MIN_STACK` says: ten times what the deepest work touches, a replay of torch.
const STACK: usize = 256 << 10;

/// A rayon pool of one thread, which does one job after another: a work can have any number of them.
pub(crate) struct Worker {
    pub(super) generation: Generation,
    thread: ThreadPool,
    jobs: Arc<Mutex<Jobs>>,
}

/// The jobs that wait for a worker.
#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// Whether the thread is called to them: once is enough for all.
    is_called: bool,
}

impl Worker {
    /// A new thread, or `None` where the system refuses one.
    pub(super) fn start(number: usize, generation: Generation) -> Option<Self> {
        let thread = ThreadPoolBuilder::new().num_threads(1).stack_size(STACK);
        let thread = thread.thread_name(move |_| format!("varscale-{number}")).build().ok()?;
        let begun = Arc::new(Barrier::new(2));
        let begins = Arc::clone(&begun);
        thread.spawn(move || _ = begins.wait());
        // So that its stack and its thread's own memory exist before a fill depends on them.
        begun.wait();
        Some(Self { generation, thread, jobs: Arc::default() })
    }

    /// Whether its thread is one of this process.
    pub(crate) fn is_here(&self) -> bool {
        self.generation == Generation::current()
    }

    fn give(&self, job: Job) {
        let mut jobs = held(&self.jobs);
        // Those that came too late for their crews go first: else they would pile up behind a long job.
        jobs.waiting.retain(Job::is_wanted);
        jobs.waiting.push_back(job);
        if !mem::replace(&mut jobs.is_called, true) {
            let its_jobs = Arc::clone(&self.jobs);
            self.thread.spawn(move || work_while_jobs_wait(&its_jobs));
        }
    }
}

fn work_while_jobs_wait(jobs: &Mutex<Jobs>) {
    let next = || {
        let mut jobs = held(jobs);
        let job = jobs.waiting.pop_front();
        jobs.is_called = job.is_some();
        job
    };
    while let Some(job) = next() {
        job.run();
    }
}

/// What a lock guards: nothing panics under these locks, and none is held while a job is done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process is a fork of the one whose threads do the work.
#[derive(Debug)]
pub(crate) struct Forked;

/// Does `work` on the workers and `own` on the caller's thread, and returns when all of them have ended.
///
/// A worker that has not begun by then will not: what it would do, others have done. While the caller waits for those that
/// have, it does `own` again, now and then.
///
/// # Errors
///
/// [`Forked`] in a child that a signal handler of this thread has forked meanwhile. Nobody must then look at what `work`
/// changes: a worker may have been in the middle of it.
pub(crate) fn run_on_all(workers: &[&Worker], work: &(dyn Fn() + Sync), own: &mut dyn FnMut()) -> Result<(), Forked> {
    let generation = Generation::current();
    let (at_work, panic) = (AtomicUsize::new(1), Mutex::new(None));
    let crew = Arc::new(Crew { at_work, panic, caller: thread::current(), generation });
    // Even where `own` panics: the workers borrow what the caller owns.
    let _waiting = Waiting(&crew);
    for worker in workers {
        worker.give(Job::new(work, &crew));
    }
    own();
    crew.wait(own)?;
    let panic = held(&crew.panic).take();
    panic.map_or(Ok(()), |panic| resume_unwind(panic))
}

/// Who is at work, and which thread waits for the others.
struct Crew {
    /// The caller is one of them. Nobody begins once it is 0.
    at_work: AtomicUsize,
    /// One of the workers'.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    caller: Thread,
    generation: Generation,
}

impl Crew {
    /// The caller leaves, as the last one.
    fn wait(&self, own: &mut dyn FnMut()) -> Result<(), Forked> {
        let since = Instant::now();
        loop {
            let left = self.at_work.compare_exchange(1, 0, Ordering::Acquire, Ordering::Acquire);
            // In a child the number stays as it is: who would leave is not there.
            if Generation::current() != self.generation {
                return Err(Forked);
            }
            if matches!(left, Ok(_) | Err(0)) {
                return Ok(());
            }
            if since.elapsed() < SPIN {
                spin_loop();
            } else {
                // The last worker wakes this thread, so that a short work does not last an interval.
                thread::park_timeout(INTERVAL / 4);
                own();
            }
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

/// A worker's part.
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
        // SAFETY: the pointer stays the same, and is followed in `run` alone.
        let work = unsafe { mem::transmute::<*const (dyn Fn() + Sync), *const (dyn Fn() + Sync)>(work) };
        Self { work, crew: Arc::clone(crew) }
    }

    /// Whether its crew is still at work.
    fn is_wanted(&self) -> bool {
        self.crew.at_work.load(Ordering::Relaxed) > 0
    }

    #[allow(unsafe_code, reason = "using what another thread owns; see the block")]
    fn run(self) {
        let Self { work, crew } = self;
        let enter = |at_work: usize| (at_work > 0).then_some(at_work + 1);
        if crew.at_work.fetch_update(Ordering::Acquire, Ordering::Relaxed, enter).is_err() {
            return; // the work is done, and its memory may be gone
        }
        // SAFETY: `run_on_all` returns when nobody is at work, and this worker is until below. A child that returns
        // before has no thread that could come here.
        let work = || unsafe { (*work)() };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            *held(&crew.panic) = Some(panic);
        }
        // An unpark that comes before the caller parks is kept for it, so that none is lost.
        if crew.at_work.fetch_sub(1, Ordering::Release) == 2 {
            crew.caller.unpark();
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

    /// Waits until so many have come.
    fn wait_for(count: usize, come: &AtomicUsize) {
        while come.load(Ordering::Relaxed) < count {
            thread::yield_now();
        }
    }

    /// A caller's panic that takes the work away from its workers, or a worker's that is lost or ends the worker.
    #[test]
    fn a_panic_waits_for_everybody() {
        let workers = workers();
        for of in ["the caller's", "a worker's"] {
            let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let work = || {
                begun.fetch_add(1, Ordering::Relaxed);
                thread::sleep(10 * INTERVAL);
                assert!(done.fetch_add(1, Ordering::Relaxed) > 0 || of == "the caller's", "a worker's");
            };
            let mut own = || {
                wait_for(3, &begun);
                assert!(of == "a worker's", "the caller's");
            };
            let run = || run_on_all(&workers.each_ref(), &work, &mut own);
            let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&of));
            assert_eq!(done.load(Ordering::Relaxed), 3);
        }
    }

    /// A caller who waits for a worker that is busy with something else, a worker that then uses what is gone, or jobs that
    /// pile up behind a long one.
    #[test]
    fn who_comes_too_late_does_nothing() {
        let [worker, ..] = workers();
        let [begun, late, again] = [const { AtomicUsize::new(0) }; 3];
        let count = |come: &AtomicUsize| _ = come.fetch_add(1, Ordering::Relaxed);
        let too_late = || count(&late);
        let long = || {
            count(&begun);
            wait_for(2, &begun);
        };
        let mut others = || {
            if begun.load(Ordering::Relaxed) > 1 {
                return; // again, while it waits for the long job's end
            }
            wait_for(1, &begun);
            for _ in 0..100 {
                run_on_all(&[&worker], &too_late, &mut || ()).unwrap();
            }
            let waiting = held(&worker.jobs).waiting.len();
            count(&begun); // before the look at it: else a failure would wait for the long job
            assert_eq!(waiting, 1);
        };
        run_on_all(&[&worker], &long, &mut others).unwrap();
        run_on_all(&[&worker], &|| count(&again), &mut || wait_for(1, &again)).unwrap();
        assert_eq!(late.into_inner(), 0);
    }

    /// A child that waits for its parent's threads for ever.
    #[cfg(unix)]
    #[test]
    fn a_child_waits_for_nobody() {
        let (workers, begun, mut child) = (workers(), AtomicUsize::new(0), None);
        let work = || {
            begun.fetch_add(1, Ordering::Relaxed);
            thread::sleep(3 * INTERVAL);
        };
        let mut own = || {
            wait_for(3, &begun);
            child = child.or_else(|| Some(fork()));
        };
        let end = run_on_all(&workers.each_ref(), &work, &mut own);
        if child == Some(0) {
            leave(end.is_err());
        }
        assert!(end.is_ok() && ended_well(child.unwrap()));
    }
}
