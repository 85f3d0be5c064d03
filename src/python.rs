//! The border: strings become enums, the array is checked once, the GIL is released, and every error is an
//! exception. Nothing inward of here names Python.

use crate::element::{BF16, Element, F16, Placement};
use crate::environment::{self, DefaultEnvironment};
use crate::fill::{self, CHUNK, Schedule, Source, Task};
use crate::law::{Truncation, TruncationError};
use crate::level::Level;
use crate::picks::Picks;
use crate::region::{Region, RegionError};
use crate::replay::Replay;
use crate::replay::exact::libm;
use crate::replay::exact::xla;
use crate::replay::{tensorflow, threefry};
use crate::setting::SettingError;
use crate::source::{Stream, Values, unknown};
use crate::{strided, threads};
use bytemuck::Pod;
use numpy::{
    Element as NumpyElement, PyArrayDyn, PyArrayMethods, PyReadonlyArray1, PyReadwriteArrayDyn, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
        DefaultEnvironment, Job, Level, PyTypeError, SettingError, Truncation, environment, fill_all, libm, tensorflow,
        threads, threefry, xla,
    };
    use pyo3::prelude::*;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    const DEBUG_BUILD: bool = cfg!(debug_assertions);

    /// Fills arrays in one pass; a job's fields are those of `_core.pyi`.
    #[pyfunction]
    #[pyo3(signature = (jobs, /))]
    fn fill(py: Python<'_>, jobs: Vec<Job<'_>>) -> PyResult<()> {
        fill_all(py, jobs)
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

    /// Whether the host's float64 `log` and `sincos` are those that replays were proven on.
    #[pyfunction]
    fn libm_is_proven() -> bool {
        let _environment = DefaultEnvironment::enter();
        libm::is_proven()
    }

    /// Key and counter's high half of a TensorFlow op with this pair of seeds.
    #[pyfunction]
    #[pyo3(signature = (first, second, /))]
    fn tensorflow_scramble(first: u64, second: u64) -> (u64, u64) {
        tensorflow::scramble(first, second)
    }

    /// Both words of Threefry2x32-20.
    #[pyfunction]
    #[pyo3(signature = (key, counter, /))]
    fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
        threefry::hash(key, counter)
    }

    /// XLA's error function in float32.
    #[pyfunction]
    #[pyo3(signature = (x, /))]
    fn xla_erf(x: f32) -> f32 {
        let _environment = DefaultEnvironment::enter();
        xla::erf(x)
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
        if n.is_instance_of::<pyo3::types::PyFloat>() {
            return Err(threads::illegal("num_threads", n.to_string()).into());
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

/// One array to fill: `out`, element, law, bounds, loc, scale, low, high, stream, full shape, picks.
#[derive(FromPyObject)]
struct Job<'py>(
    Bound<'py, PyAny>,
    PyBackedStr,
    PyBackedStr,
    (f64, f64),
    f64,
    f64,
    f64,
    f64,
    Stream<'py>,
    Option<Vec<u64>>,
    Option<Vec<AxisPicks<'py>>>,
);

/// One axis's indices: (start, step, count), or all of them.
#[derive(FromPyObject)]
enum AxisPicks<'py> {
    Range((u64, i64, u64)),
    List(PyReadonlyArray1<'py, u64>),
}

impl AxisPicks<'_> {
    fn read(&self) -> Picks {
        match self {
            Self::Range((start, step, count)) => Picks::Range { start: *start, step: *step, count: *count },
            Self::List(list) => Picks::List(list.as_array().to_vec()),
        }
    }
}

/// An array while it is being written; nobody else can borrow it meanwhile.
enum Output<'py> {
    Float16(PyReadwriteArrayDyn<'py, u16>),
    BFloat16(PyReadwriteArrayDyn<'py, u16>),
    Float32(PyReadwriteArrayDyn<'py, f32>),
    Float64(PyReadwriteArrayDyn<'py, f64>),
}

impl<'py> Output<'py> {
    fn borrow(out: &Bound<'py, PyAny>, element: &str) -> PyResult<Self> {
        match element {
            "float16" => writable(out).map(Self::Float16),
            "bfloat16" => writable(out).map(Self::BFloat16),
            "float32" => writable(out).map(Self::Float32),
            "float64" => writable(out).map(Self::Float64),
            other => Err(unknown("element", other, "float16, bfloat16, float32 or float64")),
        }
    }

    fn tasks<'a>(&'a mut self, values: &Values, part: Part, schedule: &Schedule) -> PyResult<Vec<Task<'a>>> {
        match self {
            Self::Float16(array) => tasks::<F16, u16>(array, values, part, schedule),
            Self::BFloat16(array) => tasks::<BF16, u16>(array, values, part, schedule),
            Self::Float32(array) => tasks::<f32, f32>(array, values, part, schedule),
            Self::Float64(array) => tasks::<f64, f64>(array, values, part, schedule),
        }
    }
}

/// The full shape and the picks of each axis; `None` for a whole tensor.
type Part = Option<(Vec<u64>, Vec<Picks>)>;

fn writable<'py, N: NumpyElement>(out: &Bound<'py, PyAny>) -> PyResult<PyReadwriteArrayDyn<'py, N>> {
    let array = out.cast::<PyArrayDyn<N>>().map_err(|_| {
        PyTypeError::new_err("`out` must be an array of the element's dtype (float16 and bfloat16 as uint16)")
    })?;
    array.try_readwrite().map_err(|error| PyValueError::new_err(format!("`out`: {error}")))
}

fn tasks<'a, E: Element + Pod, N: NumpyElement + Pod>(
    array: &'a mut PyReadwriteArrayDyn<'_, N>,
    values: &Values,
    part: Part,
    schedule: &Schedule,
) -> PyResult<Vec<Task<'a>>>
where
    Replay: Source<E>,
{
    let shape: Vec<u64> = array.shape().iter().map(|&size| size as u64).collect();
    if let Some((_, picks)) = &part
        && !picks.iter().map(Picks::count).eq(shape.iter().copied())
    {
        return Err(PyValueError::new_err(format!("`out` must have the shape of the part, got {shape:?}")));
    }
    // as_slice_mut takes Fortran order too, which would transpose the tensor.
    if array.is_c_contiguous() {
        let out = array.as_slice_mut().map_err(|error| PyValueError::new_err(format!("`out`: {error}")))?;
        let region = match part {
            None => Region::whole(out.len() as u64),
            Some((full, picks)) => Region::mesh(&full, &picks)?,
        };
        return Ok(fill::tasks::<E, _>(values, region, bytemuck::cast_slice_mut(out), schedule).collect());
    }
    let (full, picks) = part.unwrap_or_else(|| {
        let picks = shape.iter().map(|&size| Picks::range(0, size)).collect();
        (shape, picks)
    });
    let pieces = strided::pieces(array.as_array_mut(), &full, picks, CHUNK)?;
    Ok(strided::tasks::<E, N, _>(values, pieces, schedule).collect())
}

/// Checks every job, then does all their tasks in one pass.
fn fill_all(py: Python<'_>, jobs: Vec<Job<'_>>) -> PyResult<()> {
    let _environment = DefaultEnvironment::enter(); // masses of bounds are computed here
    let schedule = Schedule { threads: threads::get()?, chunk: CHUNK, level: Level::get()? };
    let mut outputs = Vec::with_capacity(jobs.len());
    for Job(out, element, law, bounds, loc, scale, low, high, stream, full, picks) in jobs {
        let values = Values::parse(&law, bounds, Placement { loc, scale, low, high }, &stream)?;
        let part = full.zip(picks).map(|(full, picks)| (full, picks.iter().map(AxisPicks::read).collect()));
        outputs.push((Output::borrow(&out, &element)?, values, part));
    }
    let mut all = Vec::new();
    for (output, values, part) in &mut outputs {
        all.append(&mut output.tasks(values, part.take(), &schedule)?);
    }
    interruptibly(py, all, schedule.threads)
}

/// Does tasks without the GIL, and looks for Ctrl-C while they are done.
fn interruptibly(py: Python<'_>, tasks: Vec<Task<'_>>, threads: usize) -> PyResult<()> {
    let mut signal = Ok(());
    let interrupted = || {
        Python::attach(|py| signal = py.check_signals());
        signal.is_err()
    };
    // No panic is known; should there be one, it is an ordinary exception.
    py.detach(|| catch_unwind(AssertUnwindSafe(|| threads::run(threads, tasks, interrupted))))
        .map_err(|_| PyRuntimeError::new_err("varscale failed inside a fill: please report this"))?;
    signal?;
    py.check_signals()
}
