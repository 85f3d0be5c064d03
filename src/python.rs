//! The border: strings become enums, the array is checked once, the GIL is released, and every error is an
//! exception. Nothing inward of here names Python.

use crate::element::{BF16, Element, F16, Placement};
use crate::fill::{Plan, Schedule, fill as fill_array};
use crate::law::{Law, Truncation, TruncationError};
use crate::region::{Region, RegionError};
use crate::stream::Identity;
use crate::threads::{self, CountError};
use bytemuck::Pod;
use numpy::{Element as NumpyElement, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

macro_rules! value_error {
    ($($error:ty),*) => { $(
        impl From<$error> for PyErr {
            fn from(error: $error) -> Self {
                PyValueError::new_err(error.to_string())
            }
        }
    )* };
}
value_error!(CountError, RegionError, TruncationError);

/// The native core of varscale.
#[pymodule(gil_used = false)]
mod _core {
    use super::{
        BF16, CountError, F16, Identity, Law, Placement, Plan, PyTypeError, Truncation, fill_as, threads, unknown,
    };
    use pyo3::prelude::*;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Fills `out` with values of `law`; the arguments are those of `_core.pyi`.
    #[pyfunction]
    #[pyo3(signature = (out, element, law, bounds, loc, scale, low, high, identity, full_shape, offset, /))]
    #[allow(
        clippy::too_many_arguments,
        reason = "one crossing of the border; a struct would be built to be taken apart"
    )]
    fn fill(
        out: &Bound<'_, PyAny>,
        element: &str,
        law: &str,
        bounds: (f64, f64),
        loc: f64,
        scale: f64,
        low: f64,
        high: f64,
        identity: [u8; 16],
        full_shape: Option<Vec<u64>>,
        offset: Option<Vec<u64>>,
    ) -> PyResult<()> {
        let law = match law {
            "uniform" => Law::Uniform,
            "normal" => Law::Normal,
            "truncated_normal" => Law::truncated_normal(bounds.0, bounds.1)?,
            other => return Err(unknown("law", other, "uniform, normal or truncated_normal")),
        };
        let placement = Placement { loc, scale, low, high };
        let plan = Plan { law, placement, identity: Identity::from_bytes(identity) };
        let part = full_shape.zip(offset);
        match element {
            "float16" => fill_as::<F16, u16>(out, &plan, part),
            "bfloat16" => fill_as::<BF16, u16>(out, &plan, part),
            "float32" => fill_as::<f32, f32>(out, &plan, part),
            "float64" => fill_as::<f64, f64>(out, &plan, part),
            other => Err(unknown("element", other, "float16, bfloat16, float32 or float64")),
        }
    }

    /// Mean and standard deviation of the standard normal law truncated to `[lower, upper]`.
    #[pyfunction]
    #[pyo3(signature = (lower, upper, /))]
    fn truncated_moments(lower: f64, upper: f64) -> PyResult<(f64, f64)> {
        Ok(Truncation::new(lower, upper)?.moments())
    }

    /// Sets how many threads a fill may use.
    #[pyfunction]
    #[pyo3(signature = (n, /))]
    fn set_num_threads(n: &Bound<'_, PyAny>) -> PyResult<()> {
        if n.is_instance_of::<pyo3::types::PyBool>() {
            return Err(PyTypeError::new_err(format!("`num_threads` must be an integer, got {n}")));
        }
        let index = n.call_method0("__index__");
        let index = index.map_err(|_| match n.repr() {
            Ok(repr) => PyTypeError::new_err(format!("`num_threads` must be an integer, got {repr}")),
            Err(error) => error,
        })?;
        // An integer beyond 64 bits is as absurd as the largest one.
        let count = index.extract().unwrap_or(i64::MAX);
        threads::set(count).map_err(|error| CountError { value: index.to_string(), ..error }.into())
    }

    /// How many threads a fill may use.
    #[pyfunction]
    fn get_num_threads() -> PyResult<usize> {
        Ok(threads::get()?)
    }
}

fn unknown(argument: &str, got: &str, legal: &str) -> PyErr {
    PyValueError::new_err(format!("`{argument}` must be {legal}, got '{got}'"))
}

/// Fills `out`, an array of the dtype that `N` stands for.
fn fill_as<E: Element + Pod, N: NumpyElement + Pod>(
    out: &Bound<'_, PyAny>,
    plan: &Plan,
    part: Option<(Vec<u64>, Vec<u64>)>,
) -> PyResult<()> {
    let array = out.cast::<PyArrayDyn<N>>().map_err(|_| {
        PyTypeError::new_err("`out` must be an array of the element's dtype (float16 and bfloat16 as uint16)")
    })?;
    // as_slice_mut takes Fortran order too, which would transpose the tensor.
    if !array.is_c_contiguous() {
        return Err(PyValueError::new_err("`out` must be C-contiguous"));
    }
    let region = match part {
        None => Region::whole(array.len() as u64),
        Some((full, offset)) => {
            let shape: Vec<u64> = array.shape().iter().map(|&n| n as u64).collect();
            Region::part(&full, &offset, &shape)?
        }
    };
    let schedule = Schedule::new(threads::get()?);
    let mut borrow = array.try_readwrite().map_err(|error| PyValueError::new_err(format!("`out`: {error}")))?;
    let out = borrow.as_slice_mut().map_err(|_| PyValueError::new_err("`out` must be C-contiguous"))?;
    let out: &mut [E] = bytemuck::cast_slice_mut(out);
    array.py().detach(|| fill_array(plan, &region, out, &schedule));
    Ok(())
}
