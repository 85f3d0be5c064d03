//! What threads take as they come: a list of tasks, large parts of it at first and smaller ones towards the end.

use crate::machine::crew::Worker;
use crate::machine::environment::DefaultEnvironment;
use std::collections::{TryReserveError, VecDeque};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::thread;
use std::time::Duration;

/// Elements that a thread takes at once at most.
const LARGEST: u64 = 1 << 24;

/// Work for any thread: a chunk of an array.
pub(crate) struct Task<'a> {
    /// How many elements it writes.
    pub(crate) elements: usize,
    /// Writes them.
    pub(crate) work: Box<dyn FnOnce() -> Result<(), TryReserveError> + Send + 'a>,
}

impl Task<'_> {
    /// Does the work.
    pub(super) fn run(self) -> Result<(), TryReserveError> {
        // Around the work alone: a signal handler may run between two tasks, and the caller's environment is its own. A
        // worker's thread has one, too, which its maker may have changed.
        let _environment = DefaultEnvironment::enter();
        (self.work)()
    }
}

/// Tasks that threads take as they come, and when to stop.
pub(super) struct Queue<I> {
    pending: Mutex<Pending<I>>,
    /// One of the workers, who are all of one process.
    first: &'static Worker,
    least: u64,
    /// A thread takes this part of what is left.
    shares: u64,
    stop: AtomicBool,
    refused: OnceLock<TryReserveError>,
}

/// Tasks that nobody has taken, and how many elements they write.
struct Pending<I> {
    tasks: I,
    elements: u64,
}

impl<'a, I: Iterator<Item = Task<'a>>> Queue<I> {
    /// Tasks for these workers, of whom there is one at least, and for their caller. `least` elements are worth taking a
    /// lock.
    pub(super) fn new(tasks: I, elements: u64, workers: &[&'static Worker], least: u64) -> Self {
        Self {
            pending: Mutex::new(Pending { tasks, elements }),
            first: workers[0],
            least,
            // Half a fair share each time: towards the end the bundles are small, and nobody waits long for the last
            // thread.
            shares: 2 * (workers.len() + 1) as u64,
            stop: AtomicBool::new(false),
            refused: OnceLock::new(),
        }
    }

    /// A thread's part: one task after another, until nothing is left or all must stop.
    pub(super) fn work(&self, mut stops: impl FnMut() -> bool) {
        let mut bundle = VecDeque::new();
        // Per task and not per bundle, which may have 2^24 elements: Ctrl-C would wait for them.
        // Relaxed: to see it one task late does no harm.
        while !self.stop.load(Ordering::Relaxed) {
            if stops() {
                return self.stop.store(true, Ordering::Relaxed);
            }
            if bundle.is_empty() {
                self.take_bundle(&mut bundle);
            }
            let Some(task) = bundle.pop_front() else { return };
            if let Err(error) = task.run() {
                let _ = self.refused.set(error); // one of them is enough
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    /// How it ended, when nobody is at work any more.
    pub(super) fn end(self) -> Result<(), TryReserveError> {
        self.refused.into_inner().map_or(Ok(()), Err)
    }

    /// Takes a bundle of neighbours: many at first, fewer as the end comes near.
    ///
    /// Threads that took one chunk each in turn would meet in the same huge page of a new array, which one of them gets
    /// from the system while the others wait: 8192² new values would take 1.2 times as long.
    fn take_bundle(&self, bundle: &mut VecDeque<Task<'a>>) {
        let Some(mut pending) = self.pending() else { return };
        let share = (pending.elements / self.shares).min(LARGEST).max(self.least);
        // By elements and not by tasks, which may be small where one fill has many arrays.
        let mut taken = 0;
        // The lock covers making the tasks, which come from one iterator; their work is done outside of it.
        while taken < share
            && let Some(task) = pending.tasks.next()
        {
            taken += task.elements as u64;
            bundle.push_back(task);
        }
        pending.elements = pending.elements.saturating_sub(taken);
    }

    /// What is left, or `None` in a child: who held the lock at the fork will never give it back.
    fn pending(&self) -> Option<MutexGuard<'_, Pending<I>>> {
        let mut tries = 0;
        loop {
            match self.pending.try_lock() {
                Ok(pending) => return Some(pending),
                // A panic while the lock is held leaves a list of tasks all the same.
                Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
                Err(TryLockError::WouldBlock) if !self.first.is_here() => return None,
                // It is held for the time of some allocations, unless its holder has lost the processor.
                Err(TryLockError::WouldBlock) if tries < 100 => spin_loop(),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_micros(1)),
            }
            tries += 1;
        }
    }
}
