//! Surveys of Python's bytes.

use super::errors::unknown;
use super::interrupts::without_gil;
use super::jobs::address_and_flags;
use crate::machine::environment::DefaultEnvironment;
use crate::machine::level::Level;
use crate::survey::{Bins, Moments, Stored, survey};
use numpy::npyffi::NPY_ARRAY_BEHAVED;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The finite numbers, their extremes, mean and squares, and the NaNs.
pub(crate) type Fields = (u64, f64, f64, f64, f64, u64);

#[allow(unsafe_code, reason = "borrowing NumPy's memory; see the block")]
pub(crate) fn survey_bytes(
    py: Python<'_>,
    data: &Bound<'_, PyArray1<u8>>,
    stored: &str,
    bins: &Bound<'_, PyArray1<u32>>,
) -> PyResult<Fields> {
    let (stored, size) = match stored {
        "bits8" => (Stored::Bits8, 1),
        "bits16" => (Stored::Bits16, 2),
        "float32" => (Stored::Float32, 4),
        "float64" => (Stored::Float64, 8),
        other => return Err(unknown("stored", other, "'bits8', 'bits16', 'float32' or 'float64'")),
    };
    if address_and_flags(bins.as_untyped()).1 & NPY_ARRAY_BEHAVED != NPY_ARRAY_BEHAVED {
        return Err(PyValueError::new_err("`bins` must be aligned and writable"));
    }
    // SAFETY: contiguous, as these two check, and bins aligned and writable, as checked. The arrays outlive what borrows
    // their memory. Nobody else writes it: both are the calling thread's own, in `checkpoint`.
    let (Ok(data), Ok(bins)) = (unsafe { (data.as_slice(), bins.as_slice_mut()) }) else {
        return Err(PyValueError::new_err("`data` and `bins` must be contiguous"));
    };
    let Ok(bins) = <&mut Bins>::try_from(bins) else {
        return Err(PyValueError::new_err("`bins` must have 65536 elements"));
    };
    if data.len() % size != 0 {
        return Err(PyValueError::new_err(format!("`data` must be whole numbers of {size} bytes")));
    }
    let simd = Level::get()?.simd();
    let mut found = Moments::NONE;
    without_gil(py, false, |_| {
        let _environment = DefaultEnvironment::enter();
        found = survey(stored, data, bins, simd);
        Ok(())
    })?;
    let Moments { finite, low, high, mean, squares, nans } = found;
    Ok((finite, low, high, mean, squares, nans))
}
