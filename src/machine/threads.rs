//! How many threads a fill may use: a setting of the process, and of a thread for a while.

use crate::machine::setting::{SettingError, variable};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The most threads that may be asked for.
pub const MAX_THREADS: usize = 1024;

/// The environment variable read at first use.
pub const VARIABLE: &str = "VARSCALE_NUM_THREADS";

/// The process's number; 0 until the first use.
static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread's number; 0 where the process's counts.
    static OVERRIDE: Cell<usize> = const { Cell::new(0) };
}

/// How many threads a fill may use: what this thread has for a while, else what [`set`] was given, else
/// `VARSCALE_NUM_THREADS`, else the CPUs this process may use (its affinity and its cgroup's quota count).
///
/// # Errors
///
/// [`SettingError`] when the environment variable is not a number in `1..=MAX_THREADS`.
pub fn get() -> Result<usize, SettingError> {
    // Relaxed throughout: the number stands for itself, nothing else is published with it.
    match (OVERRIDE.get(), COUNT.load(Ordering::Relaxed)) {
        (0, 0) => {
            let count = from_environment()?;
            // Two first uses at once find the same number; a `set` in between wins.
            Ok(COUNT.compare_exchange(0, count, Ordering::Relaxed, Ordering::Relaxed).map_or_else(|n| n, |_| count))
        }
        (0, count) | (count, _) => Ok(count),
    }
}

/// Sets how many threads a fill may use from now on.
///
/// # Errors
///
/// [`SettingError`] when `count` is not in `1..=MAX_THREADS`.
pub fn set(count: i64) -> Result<(), SettingError> {
    COUNT.store(legal(count)?, Ordering::Relaxed);
    Ok(())
}

/// Sets how many threads the fills of this thread may use, or lets it have the process's number; returns what it had.
///
/// # Errors
///
/// [`SettingError`] when `count` is not in `1..=MAX_THREADS`.
pub fn exchange(count: Option<i64>) -> Result<Option<usize>, SettingError> {
    // Checked before it is replaced, so that a refused number changes nothing.
    let before = OVERRIDE.replace(count.map_or(Ok(0), legal)?);
    Ok((before > 0).then_some(before))
}

fn legal(count: i64) -> Result<usize, SettingError> {
    let legal = usize::try_from(count).ok().filter(|n| (1..=MAX_THREADS).contains(n));
    legal.ok_or_else(|| illegal("num_threads", count.to_string()))
}

fn from_environment() -> Result<usize, SettingError> {
    match variable(VARIABLE) {
        // One thread is right where the system does not tell, and always works.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting that is silently clamped or taken for another.
    #[test]
    fn refuses_what_is_no_count() {
        for bad in [0, -1, MAX_THREADS as i64 + 1, i64::MIN] {
            let message = format!("`num_threads` must be an integer from 1 to 1024, got {bad}");
            assert_eq!(set(bad).unwrap_err().to_string(), message);
            assert_eq!(exchange(Some(bad)).unwrap_err().to_string(), message);
        }
    }

    /// A thread's setting that other threads see, or that is not undone.
    #[test]
    fn a_thread_may_have_a_number_of_its_own() {
        let process = get().unwrap();
        assert_eq!(exchange(Some(7)).unwrap(), None);
        assert_eq!(get().unwrap(), 7);
        assert_eq!(thread::spawn(|| get().unwrap()).join().unwrap(), process);
        assert_eq!(exchange(Some(3)).unwrap(), Some(7));
        assert_eq!(exchange(None).unwrap(), Some(3));
        assert_eq!(get().unwrap(), process);
    }
}
