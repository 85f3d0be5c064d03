//! Work without the GIL, which Ctrl-C stops and no panic leaves.

use crate::fill::run::run_tasks;
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
    // Kept here, since the core asks for a yes or a no; the exception is raised at the end.
    let mut signal = Ok(());
    let interrupted = || {
        Python::attach(|py| signal = py.check_signals());
        signal.is_err()
    };
    // Finding out who handles signals takes as long as a small fill.
    let asked = if elements > LONG && handles_signals(py)? { Some(interrupted) } else { None };
    py.detach(|| catch_unwind(AssertUnwindSafe(|| run_tasks(schedule, elements, tasks, asked))))
        .map_err(|_| PyRuntimeError::new_err(PANIC))??;
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
