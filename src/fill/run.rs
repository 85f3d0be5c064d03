//! Doing tasks: the caller and its workers take them as they come.

use crate::machine::crew::{Forked, INTERVAL, Worker, run_on_all};
use crate::machine::environment::DefaultEnvironment;
use crate::machine::level::Level;
use crate::machine::workers::workers;
use std::collections::{TryReserveError, VecDeque};
use std::hint::spin_loop;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// Elements of a chunk, the unit that threads share out.
pub const CHUNK: usize = 1 << 16;

/// Elements of a chunk where a fill has few: the others wait less for whoever does the last one.
pub(crate) const FINE: usize = CHUNK / 4;

/// How to work: none of it changes a bit of the result.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Threads at most.
    pub threads: usize,
    /// Elements of a chunk.
    pub chunk: usize,
    /// Instructions of the kernel.
    pub level: Level,
}

impl Schedule {
    /// `threads` threads, with this machine's best level.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { threads, chunk: CHUNK, level: Level::best() }
    }
}

/// Work for any thread: a chunk of an array.
pub(crate) struct Task<'a> {
    /// How many elements it writes.
    pub(crate) elements: usize,
    /// Writes them.
    pub(crate) work: Box<dyn FnOnce() -> Result<(), TryReserveError> + Send + 'a>,
}

/// Why tasks are left undone.
#[derive(Debug)]
pub(crate) enum Undone {
    /// One of them was refused memory.
    Refused,
    /// Their threads are those of the process that this one was forked from.
    Forked,
}

impl From<TryReserveError> for Undone {
    fn from(_: TryReserveError) -> Self {
        Self::Refused
    }
}

impl From<Forked> for Undone {
    fn from(_: Forked) -> Self {
        Self::Forked
    }
}

/// Elements that a thread takes at once at most.
const LARGEST: u64 = 1 << 24;

/// Does the tasks, which write `elements` elements in all, on the schedule's threads; the caller's is one of them.
///
/// It asks `interrupted`, if there is one, every [`INTERVAL`]. After a yes, no further task is begun.
///
/// # Errors
///
/// [`Undone::Refused`] when a task was refused memory; no other is begun then. [`Undone::Forked`] in a child that a signal
/// handler of this thread has forked meanwhile.
pub(crate) fn run_tasks<'a>(
    schedule: &Schedule,
    elements: u64,
    tasks: impl Iterator<Item = Task<'a>> + Send,
    interrupted: Option<impl FnMut() -> bool>,
) -> Result<(), Undone> {
    // No more threads than chunks: the others would wake up for nothing.
    let wanted = elements.div_ceil(schedule.chunk as u64).min(schedule.threads as u64) as usize;
    let workers = if wanted > 1 { workers(wanted - 1) } else { Vec::new() };
    let [first, ..] = workers[..] else { return Ok(run_alone(tasks, Asking::new(interrupted))?) };
    // A child goes on with nothing: the workers are not there, nor what they had taken.
    let mut asking = Asking::new(interrupted.map(|mut interrupted| move || interrupted() || !first.is_here()));
    // Dropped at the end alone: a child may have been forked while a worker was changing it.
    let queue = ManuallyDrop::new(Queue {
        pending: Mutex::new(Pending { tasks, elements }),
        first,
        least: schedule.chunk.min(FINE) as u64,
        // Half a fair share each time: towards the end the bundles are small, and nobody waits long for the last one.
        shares: 2 * (workers.len() + 1) as u64,
        stop: AtomicBool::new(false),
        refused: OnceLock::new(),
    });
    run_on_all(&workers, &|| queue.work(|| false), &mut || queue.work(|| asking.stops()))?;
    ManuallyDrop::into_inner(queue).refused.into_inner().map_or(Ok(()), |error| Err(error.into()))
}

/// Does the tasks on the caller's own thread.
fn run_alone<'a>(
    tasks: impl Iterator<Item = Task<'a>>,
    mut asking: Asking<impl FnMut() -> bool>,
) -> Result<(), TryReserveError> {
    let _environment = DefaultEnvironment::enter();
    for task in tasks {
        if asking.stops() {
            return Ok(());
        }
        (task.work)()?;
    }
    Ok(())
}

/// The caller's question whether to stop, asked now and then.
struct Asking<F> {
    interrupted: Option<F>,
    asked: Instant,
}

impl<F: FnMut() -> bool> Asking<F> {
    fn new(interrupted: Option<F>) -> Self {
        Self { interrupted, asked: Instant::now() }
    }

    fn stops(&mut self) -> bool {
        // The clock is cheap enough to be read per task; Python is not.
        if let Some(interrupted) = &mut self.interrupted
            && self.asked.elapsed() > INTERVAL
        {
            let stops = interrupted();
            self.asked = Instant::now();
            return stops;
        }
        false
    }
}

/// Tasks that threads take as they come, and when to stop.
struct Queue<I> {
    pending: Mutex<Pending<I>>,
    /// One of the workers, who are all of one process.
    first: &'static Worker,
    /// The fewest elements that are worth taking the lock.
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
    /// A thread's part: one task after another, until nothing is left or all must stop.
    fn work(&self, mut stops: impl FnMut() -> bool) {
        // A worker's own thread has an environment, too, which its maker may have changed.
        let _environment = DefaultEnvironment::enter();
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
            if let Err(error) = (task.work)() {
                let _ = self.refused.set(error); // one of them is enough
                self.stop.store(true, Ordering::Relaxed);
            }
        }
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
        for tries in 0.. {
            match self.pending.try_lock() {
                Ok(pending) => return Some(pending),
                // A panic while the lock is held leaves a list of tasks all the same.
                Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
                Err(TryLockError::WouldBlock) if !self.first.is_here() => return None,
                Err(TryLockError::WouldBlock) if tries < 100 => spin_loop(),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_micros(1)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn schedule(threads: usize) -> Schedule {
        Schedule { chunk: 1, ..Schedule::new(threads) }
    }

    fn task<'a>(work: impl FnOnce() + Send + 'a) -> Task<'a> {
        let work = || {
            work();
            Ok(())
        };
        Task { elements: 1, work: Box::new(work) }
    }

    /// A task that is lost, done twice, or begun after the interruption; a caller who waits for ever, or is never
    /// asked.
    #[test]
    fn interruptions_stop_what_is_not_begun() {
        for threads in [1, 3] {
            let done = Mutex::new(Vec::new());
            let tasks = |milliseconds: u64| {
                let done = &done;
                (0..40).map(move |number| {
                    task(move || {
                        thread::sleep(Duration::from_millis(milliseconds));
                        done.lock().unwrap().push(number);
                    })
                })
            };
            run_tasks(&schedule(threads), 40, tasks(1), Some(|| false)).unwrap();
            let mut numbers = std::mem::take(&mut *done.lock().unwrap());
            numbers.sort_unstable();
            assert_eq!(numbers, (0..40).collect::<Vec<_>>());
            let mut asked = 0;
            let interrupted = || {
                asked += 1;
                asked == 3
            };
            run_tasks(&schedule(threads), 40, tasks(8), Some(interrupted)).unwrap();
            let begun = done.lock().unwrap().len();
            assert!((3..30).contains(&begun), "{begun} tasks of 8 ms were begun in 3 intervals");
            assert_eq!(asked, 3, "nobody is asked after the interruption");
        }
    }

    /// Refused memory that is taken for success, or after which a whole array is still gone through.
    #[test]
    fn refused_memory_ends_the_run() {
        for threads in [1, 3] {
            let begun = AtomicUsize::new(0);
            let tasks = (0..1000).map(|_| {
                let begun = &begun;
                let work = move || {
                    begun.fetch_add(1, Ordering::Relaxed);
                    Vec::<u8>::new().try_reserve_exact(usize::MAX)
                };
                Task { elements: 1, work: Box::new(work) }
            });
            assert!(run_tasks(&schedule(threads), 1000, tasks, None::<fn() -> bool>).is_err());
            assert!((1..=threads).contains(&begun.into_inner()));
        }
    }

    /// A panic of a task that leaves the caller waiting.
    #[test]
    #[should_panic(expected = "a task's own")]
    fn a_panic_reaches_the_caller() {
        let tasks = [task(|| panic!("a task's own")), task(|| ())];
        let _ = run_tasks(&schedule(2), 2, tasks.into_iter(), Some(|| false));
    }
}
