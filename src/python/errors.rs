//! Errors of the crate, as the exceptions that Python sees.

use crate::fill::run::Undone;
use crate::law::TruncationError;
use crate::machine::setting::SettingError;
use crate::region::RegionError;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

macro_rules! value_error {
    ($($error:ty),*) => { $(
        impl From<$error> for PyErr {
            fn from(error: $error) -> Self {
                // Their texts name the argument, as Python's own checks do.
                PyValueError::new_err(error.to_string())
            }
        }
    )* };
}
value_error!(SettingError, RegionError, TruncationError);

impl From<Undone> for PyErr {
    fn from(error: Undone) -> Self {
        match error {
            Undone::Refused => PyMemoryError::new_err("no memory for a part of `out`, which is not in C order"),
            Undone::Forked => PyRuntimeError::new_err(
                "this process was forked during a fill: the threads that do it are its parent's, and `out` is not filled",
            ),
        }
    }
}

/// The error for a word that is none of the legal ones.
pub(crate) fn unknown(argument: &str, got: &str, legal: &str) -> PyErr {
    PyValueError::new_err(format!("`{argument}` must be {legal}, got '{got}'"))
}
