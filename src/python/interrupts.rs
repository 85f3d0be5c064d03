//! Work without the GIL, which Ctrl-C stops and no panic leaves.

use crate::fill::run::{Undone, run_tasks};
use crate::fill::{Schedule, Task};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A fill of more elements may take so long that somebody wants to stop it.
pub(super) const LONG: u64 = 1 << 20;

/// No panic is known; should there be one, it is an ordinary exception.
pub(super) const PANIC: &str = "varscale failed inside a fill: please report this";

/// Does tasks without the GIL, and looks for Ctrl-C while they are done.
pub(super) fn interruptibly<'a>(
    py: Python<'_>,
    schedule: &Schedule,
    elements: u64,
    tasks: impl Iterator<Item = Task<'a>> + Send,
) -> PyResult<()> {
    // Finding out who handles signals takes as long as a small fill.
    without_gil(py, elements > LONG, |asked| run_tasks(schedule, elements, tasks, asked))
}

/// Does work without the GIL; a long one is handed the question whether to stop.
pub(super) fn without_gil(
    py: Python<'_>,
    long: bool,
    work: impl FnOnce(Option<&mut dyn FnMut() -> bool>) -> Result<(), Undone> + Send,
) -> PyResult<()> {
    // Kept here, since the core asks for a yes or a no; the exception is raised at the end.
    let mut signal = Ok(());
    let asks = long && handles_signals(py)?;
    let guarded = || {
        let mut interrupted = || {
            Python::attach(|py| signal = py.check_signals());
            signal.is_err()
        };
        catch_unwind(AssertUnwindSafe(|| work(if asks { Some(&mut interrupted) } else { None })))
    };
    py.detach(guarded).map_err(|_| PyRuntimeError::new_err(PANIC))??;
    // A signal may have come after the last look, or during a fill that never looked.
    signal?;
    py.check_signals()
}

/// Whether this is the thread that handles signals: in other threads Python looks for none.
fn handles_signals(py: Python<'_>) -> PyResult<bool> {
    // Looked up at each long fill: after a fork another thread may be the main one.
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    main.eq(threading.call_method0("get_ident")?)
}
