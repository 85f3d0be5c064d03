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
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The most threads that may be asked for.
pub const MAX_THREADS: usize = 1024;

/// The environment variable read at first use.
pub const VARIABLE: &str = "VARSCALE_NUM_THREADS";

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
        None => Ok(std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS))),
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

/// Does the tasks on `count` threads at most, and returns those that were not begun when `patience` had run out.
pub(crate) fn run<'a>(count: usize, tasks: Vec<Task<'a>>, patience: Duration) -> Vec<Task<'a>> {
    if tasks.len() < 2 {
        for task in tasks {
            task();
        }
        return Vec::new();
    }
    let begin = Instant::now();
    let attempt = |task: Task<'a>| {
        if begin.elapsed() > patience {
            return Some(task);
        }
        task();
        None
    };
    match if count > 1 { pool(count) } else { None } {
        Some(pool) => pool.install(|| tasks.into_par_iter().filter_map(attempt).collect()),
        None => tasks.into_iter().filter_map(attempt).collect(),
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
    use std::sync::atomic::AtomicBool;

    /// A setting that is silently clamped or taken for another.
    #[test]
    fn refuses_what_is_no_count() {
        for bad in [0, -1, MAX_THREADS as i64 + 1, i64::MIN] {
            let message = set(bad).unwrap_err().to_string();
            assert_eq!(message, format!("`num_threads` must be an integer from 1 to 1024, got {bad}"));
        }
    }

    /// A task that is lost, done twice or out of order when time runs out, or one that is begun after that.
    #[test]
    fn what_is_not_begun_in_time_comes_back_in_order() {
        let done = Mutex::new(Vec::new());
        let task = |number: usize| -> Task<'_> {
            let done = &done;
            Box::new(move || {
                std::thread::sleep(Duration::from_millis(5));
                done.lock().unwrap().push(number);
            })
        };
        for count in [1, 3] {
            done.lock().unwrap().clear();
            let mut left: Vec<Task<'_>> = (0..40).map(task).collect();
            let mut rounds = 0;
            while !left.is_empty() {
                left = run(count, left, Duration::from_millis(12));
                rounds += 1;
            }
            let mut numbers = done.lock().unwrap().clone();
            assert!(rounds > 1 && numbers[..3].iter().all(|&number| number < 38 || count > 1));
            numbers.sort_unstable();
            assert_eq!(numbers, (0..40).collect::<Vec<_>>());
        }
        assert!(run(2, vec![task(0)], Duration::ZERO).is_empty(), "a single task is always done");
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
        std::thread::scope(|scope| {
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
            std::thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: `child` has not been waited for, so the number is still its own.
        unsafe { libc::kill(child, libc::SIGKILL) };
        false
    }
}
