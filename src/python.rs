//! The border: strings become enums, the array is checked once, the GIL is released, and every error is an
//! exception. Nothing inward of here names Python.

use crate::element::{BF16, Element, F16, Placement};
use crate::environment::{self, DefaultEnvironment};
use crate::fill::{CHUNK, Plan, Schedule, fill as fill_array};
use crate::law::{Law, Truncation, TruncationError};
use crate::level::Level;
use crate::region::{Region, RegionError};
use crate::setting::SettingError;
use crate::stream::Identity;
use crate::strided::{fill_pieces, pieces};
use crate::threads;
use bytemuck::Pod;
use numpy::{Element as NumpyElement, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

macro_rules! value_error {
    ($($error:ty),*) => { $(
        impl From<$error> for PyErr {
            fn from(error: $error) -> Self {
                PyValueError::new_err(error.to_string())
            }
        }
    )* };
}
value_error!(SettingError, RegionError, TruncationError);

/// The native core of varscale.
#[pymodule(gil_used = false)]
mod _core {
    use super::{
        BF16, DefaultEnvironment, F16, Identity, Law, Level, Placement, Plan, PyTypeError, SettingError, Truncation,
        environment, fill_as, threads, unknown,
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
        let _environment = DefaultEnvironment::enter(); // masses of bounds are computed here
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
        let _environment = DefaultEnvironment::enter();
        Ok(Truncation::new(lower, upper)?.moments())
    }

    /// Gives this thread the default floating-point environment, or the one of the given word; returns the old one's.
    #[pyfunction]
    #[pyo3(signature = (word = None, /))]
    fn exchange_environment(word: Option<u64>) -> u64 {
        environment::exchange(word)
    }

    /// The SIMD level of this process.
    #[pyfunction]
    fn simd_level() -> PyResult<&'static str> {
        Ok(Level::get()?.name())
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
        threads::set(count).map_err(|error| SettingError { value: index.to_string(), ..error }.into())
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
    let py = array.py();
    let shape: Vec<u64> = array.shape().iter().map(|&n| n as u64).collect();
    let schedule = Schedule { threads: threads::get()?, chunk: CHUNK, level: Level::get()? };
    let mut borrow = array.try_readwrite().map_err(|error| PyValueError::new_err(format!("`out`: {error}")))?;
    // as_slice_mut takes Fortran order too, which would transpose the tensor.
    if array.is_c_contiguous() {
        let out = borrow.as_slice_mut().map_err(|error| PyValueError::new_err(format!("`out`: {error}")))?;
        let region = match part {
            None => Region::whole(out.len() as u64),
            Some((full, offset)) => Region::part(&full, &offset, &shape)?,
        };
        let mut rest: &mut [E] = bytemuck::cast_slice_mut(out);
        interruptibly(py, |start, count| {
            let count = count.min(rest.len());
            let (slab, after) = std::mem::take(&mut rest).split_at_mut(count);
            rest = after;
            fill_array(plan, &region, start as u64, slab, &schedule);
            !rest.is_empty()
        })
    } else {
        let (full, offset) = part.unwrap_or_else(|| (shape.clone(), vec![0; shape.len()]));
        let mut pieces = pieces(borrow.as_array_mut(), &full, &offset, CHUNK)?;
        interruptibly(py, |start, count| {
            let (first, last) = (start / CHUNK, ((start + count) / CHUNK).min(pieces.len()));
            fill_pieces::<E, N>(plan, &mut pieces[first..last], &schedule);
            last < pieces.len()
        })
    }
}

/// Works in slabs without the GIL, and looks for Ctrl-C between them.
///
/// `work(start, count)` does `count` elements more and says whether any are left. A slab takes some ten milliseconds:
/// long enough to cost nothing, short enough to stop at once.
fn interruptibly(py: Python<'_>, mut work: impl FnMut(usize, usize) -> bool + Send) -> PyResult<()> {
    const LEAST: usize = 1 << 20;
    let (mut start, mut count) = (0, LEAST);
    loop {
        let begin = Instant::now();
        // No panic is known; should there be one, it is an ordinary exception.
        let more = py.detach(|| catch_unwind(AssertUnwindSafe(|| work(start, count))));
        if !more.map_err(|_| PyRuntimeError::new_err("varscale failed inside a fill: please report this"))? {
            return Ok(());
        }
        start += count;
        match begin.elapsed().as_millis() {
            0..10 => count *= 2,
            25.. => count = (count / 2).max(CHUNK),
            _ => {}
        }
        py.check_signals()?;
    }
}
