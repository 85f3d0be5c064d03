//! Errors of the crate, as the exceptions that Python sees.

use crate::law::TruncationError;
use crate::machine::setting::SettingError;
use crate::region::RegionError;
use pyo3::exceptions::PyValueError;
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

/// The error for a word that is none of the legal ones.
pub(crate) fn unknown(argument: &str, got: &str, legal: &str) -> PyErr {
    PyValueError::new_err(format!("`{argument}` must be {legal}, got '{got}'"))
}
