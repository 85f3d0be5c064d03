//! Doing tasks: the caller and its workers take them as they come.

use super::queue::{Queue, Task};
use crate::machine::crew::{Forked, INTERVAL, run_on_all};
use crate::machine::level::Level;
use crate::machine::workers::workers;
use std::collections::TryReserveError;
use std::mem::ManuallyDrop;
use std::time::Instant;

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
    let least = schedule.chunk.min(FINE) as u64;
    let queue = ManuallyDrop::new(Queue::new(tasks, elements, &workers, least));
    run_on_all(&workers, &|| queue.work(|| false), &mut || queue.work(|| asking.stops()))?;
    Ok(ManuallyDrop::into_inner(queue).end()?)
}

/// Does the tasks on the caller's own thread.
fn run_alone<'a>(
    tasks: impl Iterator<Item = Task<'a>>,
    mut asking: Asking<impl FnMut() -> bool>,
) -> Result<(), TryReserveError> {
    for task in tasks {
        if asking.stops() {
            return Ok(());
        }
        task.run()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

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
            let (mut asked, begin) = (0, Instant::now());
            let interrupted = || {
                asked += 1;
                asked == 3
            };
            run_tasks(&schedule(threads), 40, tasks(8), Some(interrupted)).unwrap();
            assert!(begin.elapsed() > 3 * INTERVAL, "Python is asked now and then");
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

    #[cfg(unix)]
    mod forks {
        use super::*;
        use crate::machine::forks::tests::{ended_well, fork, leave};
        use std::sync::atomic::AtomicI32;

        /// A child that goes on with an array of which it can only have parts.
        #[test]
        fn a_child_stops() {
            let (mut child, done) = (None, AtomicUsize::new(0));
            let tasks = (0..40).map(|_| {
                task(|| {
                    thread::sleep(Duration::from_millis(8));
                    done.fetch_add(1, Ordering::Relaxed);
                })
            });
            let mut before = 0;
            let interrupted = || {
                child = child.or_else(|| {
                    let forked = fork();
                    before = done.load(Ordering::Relaxed); // in the child nobody else counts on
                    Some(forked)
                });
                false
            };
            let end = run_tasks(&schedule(2), 40, tasks, Some(interrupted));
            if child == Some(0) {
                leave(matches!(end, Err(Undone::Forked)) && done.into_inner() == before);
            }
            assert!(end.is_ok() && ended_well(child.unwrap()));
        }

        /// A child that waits for a list of tasks, which at the fork was in the hand of a thread that it does not have.
        #[test]
        fn a_child_takes_no_lock_of_its_parents() {
            let (caller, child) = (thread::current().id(), AtomicI32::new(-1));
            let [begun, held, free] = [const { AtomicBool::new(false) }; 3];
            let wait = |flag: &AtomicBool| {
                while !flag.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            };
            let first = task(|| {
                begun.store(true, Ordering::Relaxed);
                wait(&held);
                child.store(fork(), Ordering::Relaxed);
                free.store(child.load(Ordering::Relaxed) != 0, Ordering::Relaxed);
            });
            let mut first = Some(first);
            let tasks = std::iter::from_fn(|| {
                if thread::current().id() == caller {
                    return first.take();
                }
                if begun.load(Ordering::Relaxed) {
                    held.store(true, Ordering::Relaxed);
                    wait(&free);
                    return None;
                }
                Some(task(|| ()))
            });
            let end = run_tasks(&schedule(2), 4, tasks, None::<fn() -> bool>);
            if child.load(Ordering::Relaxed) == 0 {
                leave(matches!(end, Err(Undone::Forked)));
            }
            assert!(end.is_ok() && ended_well(child.load(Ordering::Relaxed)));
        }
    }
}
