//! The threads of a fill: a pool of our own, never rayon's global one, which belongs to the host program.
//!
//! A pool is kept for each number of threads and each process: a forked child has none of its parent's threads, so
//! it makes its own and leaves the parent's memory alone. Reaching a pool takes no lock, which a fork could leave
//! locked forever.

use crate::fill::Task;
use crate::setting::{SettingError, variable};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The most threads that may be asked for.
pub const MAX_THREADS: usize = 1024;

/// The environment variable read at first use.
pub const VARIABLE: &str = "VARSCALE_NUM_THREADS";

/// Long enough for asking to cost nothing, short enough for Ctrl-C to stop a fill at once.
const INTERVAL: Duration = Duration::from_millis(10);

/// The number in force; 0 until the first use.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// `POOLS[n]` has n threads, or is null. What it points to is never freed and never changed.
static POOLS: [AtomicPtr<Pool>; MAX_THREADS + 1] = [const { AtomicPtr::new(null_mut()) }; MAX_THREADS + 1];

struct Pool {
    process: u32,
    threads: ThreadPool,
}

/// How many threads a fill may use: what [`set`] was given, else `VARSCALE_NUM_THREADS`, else the CPUs this
/// process may use (its affinity and its cgroup's quota count).
///
/// # Errors
///
/// [`CountError`] when the environment variable is not a number in `1..=MAX_THREADS`.
pub fn get() -> Result<usize, SettingError> {
    match COUNT.load(Ordering::Relaxed) {
        0 => {
            let count = from_environment()?;
            // Two first uses at once find the same number; a `set` in between wins.
            Ok(COUNT.compare_exchange(0, count, Ordering::Relaxed, Ordering::Relaxed).map_or_else(|n| n, |_| count))
        }
        count => Ok(count),
    }
}

/// Sets how many threads a fill may use from now on.
///
/// # Errors
///
/// [`CountError`] when `count` is not in `1..=MAX_THREADS`.
pub fn set(count: i64) -> Result<(), SettingError> {
    let legal = usize::try_from(count).ok().filter(|n| (1..=MAX_THREADS).contains(n));
    COUNT.store(legal.ok_or_else(|| illegal("num_threads", count.to_string()))?, Ordering::Relaxed);
    Ok(())
}

fn from_environment() -> Result<usize, SettingError> {
    match variable(VARIABLE) {
        None => Ok(thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS))),
        Some((shown, text)) => {
            let count = text.trim().parse().ok().filter(|n| (1..=MAX_THREADS).contains(n));
            count.ok_or_else(|| illegal(VARIABLE, shown))
        }
    }
}

/// What is legal, said of a setting that is not.
pub(crate) fn illegal(name: &'static str, value: String) -> SettingError {
    SettingError { name, value, legal: format!("an integer from 1 to {MAX_THREADS}") }
}

/// Does the tasks on `count` threads at most. The caller's thread asks `interrupted` every [`INTERVAL`]; once that is so,
/// no other task is begun.
pub(crate) fn run(count: usize, tasks: Vec<Task<'_>>, mut interrupted: impl FnMut() -> bool) {
    let Some(pool) = (if count.min(tasks.len()) > 1 { pool(count) } else { None }) else {
        let mut asked = Instant::now();
        for task in tasks {
            if asked.elapsed() > INTERVAL {
                if interrupted() {
                    return;
                }
                asked = Instant::now();
            }
            task();
        }
        return;
    };
    let (stop, end) = (AtomicBool::new(false), End { reached: AtomicBool::new(false), caller: thread::current() });
    pool.in_place_scope(|scope| {
        scope.spawn(|_| {
            let _end = Reached(&end);
            tasks.into_par_iter().filter(|_| !stop.load(Ordering::Relaxed)).for_each(|task| task());
        });
        while !end.reached.load(Ordering::Acquire) {
            thread::park_timeout(INTERVAL);
            if !stop.load(Ordering::Relaxed) && interrupted() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
}

/// Whether all tasks are done, and who waits for that.
struct End {
    reached: AtomicBool,
    caller: Thread,
}

/// Says so when it is dropped, in a panic too.
struct Reached<'a>(&'a End);

impl Drop for Reached<'_> {
    fn drop(&mut self) {
        self.0.reached.store(true, Ordering::Release);
        self.0.caller.unpark();
    }
}

/// The pool of `count` threads, or `None` where the system refuses them: the caller then works alone.
#[allow(unsafe_code, reason = "reading a pool through the pointer that publishes it; see the block")]
fn pool(count: usize) -> Option<&'static ThreadPool> {
    let slot = POOLS.get(count)?;
    let process = std::process::id();
    let mut current = slot.load(Ordering::Acquire);
    loop {
        // SAFETY: a non-null pointer in `POOLS` comes from `Box::into_raw` below, was published with Release and
        // read with Acquire, and is never freed or written through, so a shared reference to it is always valid.
        if let Some(pool) = unsafe { current.as_ref() }
            && pool.process == process
        {
            return Some(&pool.threads);
        }
        let threads =
            ThreadPoolBuilder::new().num_threads(count).thread_name(|i| format!("varscale-{i}")).build().ok()?;
        let made = Box::into_raw(Box::new(Pool { process, threads }));
        match slot.compare_exchange(current, made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => current = made,
            Err(other) => {
                // SAFETY: `made` was not published, so this is its only owner.
                drop(unsafe { Box::from_raw(made) });
                current = other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A setting that is silently clamped or taken for another.
    #[test]
    fn refuses_what_is_no_count() {
        for bad in [0, -1, MAX_THREADS as i64 + 1, i64::MIN] {
            let message = set(bad).unwrap_err().to_string();
            assert_eq!(message, format!("`num_threads` must be an integer from 1 to 1024, got {bad}"));
        }
    }

    /// A task that is lost, done twice, or begun after the interruption; a caller who waits for ever, or is never asked.
    #[test]
    fn interruptions_stop_what_is_not_begun() {
        for count in [1, 3] {
            let (done, mut asked) = (Mutex::new(Vec::new()), 0);
            let tasks = |milliseconds: u64| -> Vec<Task<'_>> {
                let task = |number: usize| -> Task<'_> {
                    let done = &done;
                    Box::new(move || {
                        thread::sleep(Duration::from_millis(milliseconds));
                        done.lock().unwrap().push(number);
                    })
                };
                (0..40).map(task).collect()
            };
            run(count, tasks(1), || false);
            let mut numbers = std::mem::take(&mut *done.lock().unwrap());
            numbers.sort_unstable();
            assert_eq!(numbers, (0..40).collect::<Vec<_>>());
            run(count, tasks(8), || {
                asked += 1;
                asked == 3
            });
            let begun = done.lock().unwrap().len();
            assert!((3..30).contains(&begun), "{begun} tasks of 8 ms were begun in 3 intervals");
            assert_eq!(asked, 3, "nobody is asked after the interruption");
        }
    }

    /// A panic of a task that leaves the caller waiting.
    #[test]
    #[should_panic(expected = "a task's own")]
    fn a_panic_reaches_the_caller() {
        let tasks: Vec<Task<'_>> = vec![Box::new(|| panic!("a task's own")), Box::new(|| ())];
        run(2, tasks, || false);
    }

    /// A pool of another size, or one made anew at every fill.
    #[test]
    fn a_pool_is_made_once() {
        let pool3 = pool(3).unwrap();
        assert_eq!(pool3.current_num_threads(), 3);
        assert!(std::ptr::eq(pool3, pool(3).unwrap()));
        assert_eq!(pool(2).unwrap().current_num_threads(), 2);
        assert!(pool(MAX_THREADS + 1).is_none());
    }

    /// A lock on the way to the pool: a fork that catches it held leaves the child waiting for ever.
    #[cfg(unix)]
    #[test]
    #[allow(unsafe_code, reason = "forking is what the test is about; see the blocks")]
    fn forks_while_threads_spin_in_the_look_up() {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::black_box(pool(2));
                    }
                });
            }
            let hung = (0..200).find(|_| !forked_child_finds_a_pool());
            stop.store(true, Ordering::Relaxed);
            assert_eq!(hung, None, "the child of this fork did not end in ten seconds");
        });
    }

    #[cfg(unix)]
    #[allow(unsafe_code, reason = "see the blocks")]
    fn forked_child_finds_a_pool() -> bool {
        // SAFETY: the child only looks for its pool, uses it, and leaves without running anything of the parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let sum = pool(2).map_or(0, |pool| pool.install(|| (0..100).into_par_iter().sum()));
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
