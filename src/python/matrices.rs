//! Matrices of Python's, which become orthogonal in place.

use super::interrupts::{LONG, without_gil};
use super::jobs::address_and_flags;
use crate::fill::{CHUNK, Schedule};
use crate::machine::environment::DefaultEnvironment;
use crate::machine::level::Level;
use crate::machine::threads;
use crate::matrix::{Real, orthogonalize};
use bytemuck::Pod;
use numpy::npyffi::NPY_ARRAY_BEHAVED;
use numpy::{Element, PyArray3, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Matrices one after another, in the type that they are factorized in.
#[derive(FromPyObject)]
pub(crate) enum Matrices<'py> {
    Float32(Bound<'py, PyArray3<f32>>),
    Float64(Bound<'py, PyArray3<f64>>),
}

impl Matrices<'_> {
    pub(crate) fn orthogonalize(&self, py: Python<'_>, gain: f64) -> PyResult<()> {
        match self {
            Self::Float32(array) => each(py, array, gain),
            Self::Float64(array) => each(py, array, gain),
        }
    }
}

#[allow(unsafe_code, reason = "borrowing NumPy's memory; see the block")]
fn each<R: Real + Element + Pod>(py: Python<'_>, array: &Bound<'_, PyArray3<R>>, gain: f64) -> PyResult<()> {
    let _environment = DefaultEnvironment::enter();
    let schedule = Schedule { threads: threads::get()?, chunk: CHUNK, level: Level::get()? };
    let behaved = address_and_flags(array.as_untyped()).1 & NPY_ARRAY_BEHAVED == NPY_ARRAY_BEHAVED;
    let &[_, rows, columns] = array.shape() else { unreachable!("an array of three dimensions has three sizes") };
    if !behaved || !array.is_c_contiguous() || rows < columns {
        return Err(PyValueError::new_err("`matrices` must be aligned, writable, in C order, and as tall as wide"));
    }
    // SAFETY: in C order, aligned and writable, as checked, and the array outlives what borrows its memory. No other call
    // of ours writes it: it is new, or in `_filling.writing`. What remains is the program's own to keep (jobs.rs).
    let elements = unsafe { array.as_slice_mut() }.map_err(|error| PyValueError::new_err(error.to_string()))?;
    // A matrix takes as long as its elements times its columns.
    let long = (elements.len() as u64).saturating_mul(columns as u64) / 64 > LONG;
    without_gil(py, long, |mut interrupted| {
        for matrix in elements.chunks_exact_mut((rows * columns).max(1)) {
            let mut stops = false;
            let mut ask = interrupted.as_deref_mut().map(|interrupted| {
                || {
                    stops = interrupted();
                    stops
                }
            });
            let asked = ask.as_mut().map(|ask| ask as &mut dyn FnMut() -> bool);
            orthogonalize(matrix, (rows, columns), gain, &schedule, asked)?;
            if stops {
                break;
            }
        }
        Ok(())
    })
}
