//! The border: strings become enums, arrays are checked once, the GIL is released, and every error is an exception.
//! Nothing outside this folder names Python.

mod errors;
mod interrupts;
mod jobs;
mod matrices;
mod replays;
mod surveys;
mod tensors;
mod values;

use crate::law::Truncation;
use crate::machine::environment::{self, DefaultEnvironment};
use crate::machine::level::Level;
use crate::machine::{pages, threads};
use crate::replay::exact::{libm, xla};
use crate::replay::{tensorflow, threefry};
use jobs::{Job, fill_all};
use matrices::Matrices;
use pyo3::prelude::*;

/// Gives the extension to the Python that a fuzzer is about to start, as `_core`.
#[cfg(fuzzing)]
pub fn register() {
    pyo3::append_to_inittab!(_core);
}

/// The native core of varscale.
// No GIL is needed: what threads share here are atomics, locks, and arrays that Python's side lets one fill write.
#[pymodule(gil_used = false)]
mod _core {
    use super::values::VERSION;
    use super::{
        DefaultEnvironment, Job, Level, Matrices, Truncation, environment, fill_all, libm, pages, surveys, tensorflow,
        tensors, threads, threefry, xla,
    };
    use crate::stream::Fields;
    use numpy::{PyArray1, PyArrayMethods};
    use pyo3::prelude::*;
    use pyo3::types::PyDict;

    #[pymodule_export]
    use crate::python::replays::TorchEnd;

    #[pymodule_export]
    use crate::python::tensors::Tensor;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    // As Python writes it: Cargo's 1.2.3-rc1 is 1.2.3rc1, the version of the wheels.
    const __version__: &str = concat!(
        env!("CARGO_PKG_VERSION_MAJOR"),
        ".",
        env!("CARGO_PKG_VERSION_MINOR"),
        ".",
        env!("CARGO_PKG_VERSION_PATCH"),
        env!("CARGO_PKG_VERSION_PRE")
    );

    #[pymodule_export]
    /// The most threads that may be asked for.
    const MAX_THREADS: usize = threads::MAX_THREADS;

    #[pymodule_export]
    // Python warns at import: without optimisation fills are slow.
    const DEBUG_BUILD: bool = cfg!(debug_assertions);

    /// Looks up the functions of arrays now: a fork during a look-up by another thread leaves it unfinished in the
    /// child.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        PyArray1::<u64>::zeros(module.py(), 0, false).try_readonly()?;
        Ok(())
    }

    /// Fills arrays in one pass; a job's fields are those of `_core.pyi`.
    #[pyfunction]
    #[pyo3(signature = (jobs, /))]
    fn fill(py: Python<'_>, jobs: Vec<Job<'_>>) -> PyResult<()> {
        fill_all(py, jobs)
    }

    /// Makes tensors by name in one pass, each of the stream that the fields and its name name.
    #[pyfunction]
    #[pyo3(signature = (fields, tensors, /))]
    fn make_all<'py>(fields: &[u8], tensors: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        tensors::make_all(fields, tensors)
    }

    /// The 16 bytes that name the stream of these fields.
    #[pyfunction]
    #[pyo3(signature = (fields, /))]
    fn identity(fields: &[u8]) -> [u8; 16] {
        Fields::new(VERSION, fields).hash()
    }

    /// Mean and standard deviation of the standard normal law truncated to `[lower, upper]`.
    #[pyfunction]
    #[pyo3(signature = (lower, upper, /))]
    fn truncated_moments(lower: f64, upper: f64) -> PyResult<(f64, f64)> {
        let _environment = DefaultEnvironment::enter();
        Ok(Truncation::new(lower, upper)?.moments())
    }

    /// The masses below both bounds of the truncated standard normal law, and those above them.
    #[pyfunction]
    #[pyo3(signature = (lower, upper, /))]
    fn truncated_masses(lower: f64, upper: f64) -> PyResult<([f64; 2], [f64; 2])> {
        let _environment = DefaultEnvironment::enter();
        Ok(Truncation::new(lower, upper)?.masses())
    }

    /// Gives this thread the default floating-point environment, or the one of the given word; returns the old one's.
    #[pyfunction]
    #[pyo3(signature = (word = None, /))]
    fn exchange_environment(word: Option<u64>) -> u64 {
        environment::exchange(word)
    }

    /// Makes matrices orthogonal, each in its place.
    #[pyfunction]
    #[pyo3(signature = (matrices, gain, /))]
    #[allow(clippy::needless_pass_by_value, reason = "what Python hands over becomes a value")]
    fn orthogonalize(py: Python<'_>, matrices: Matrices<'_>, gain: f64) -> PyResult<()> {
        matrices.orthogonalize(py, gain)
    }

    /// Asks for huge pages in memory that nobody has written to yet.
    #[pyfunction]
    #[pyo3(signature = (address, nbytes, /))]
    fn prefer_huge_pages(address: usize, nbytes: usize) {
        pages::prefer_huge(address, nbytes);
    }

    /// Counts the numbers in bytes, and returns the moments of those that are wider than 16 bits.
    #[pyfunction]
    #[pyo3(signature = (data, stored, bins, /))]
    #[allow(clippy::needless_pass_by_value, reason = "what Python hands over becomes a value")]
    fn survey(
        py: Python<'_>,
        data: Bound<'_, PyArray1<u8>>,
        stored: &str,
        bins: Bound<'_, PyArray1<u32>>,
    ) -> PyResult<surveys::Fields> {
        surveys::survey_bytes(py, &data, stored, &bins)
    }

    /// Whether the host's float64 `log` and `sincos` are those that replays were proven on.
    #[pyfunction]
    fn libm_is_proven() -> bool {
        let _environment = DefaultEnvironment::enter();
        // The answer is kept for the process, so that this thread's rounding must not show in it.
        libm::is_proven()
    }

    /// Whether the host's float64 `log1p` is.
    #[pyfunction]
    fn ln_1p_is_proven() -> bool {
        let _environment = DefaultEnvironment::enter();
        libm::ln_1p_is_proven()
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
    fn set_num_threads(n: i64) -> PyResult<()> {
        Ok(threads::set(n)?)
    }

    /// Sets how many threads the fills of this thread may use, or lets it have the process's number; returns what it
    /// had.
    #[pyfunction]
    #[pyo3(signature = (n, /))]
    fn exchange_num_threads(n: Option<i64>) -> PyResult<Option<usize>> {
        Ok(threads::exchange(n)?)
    }

    /// How many threads a fill may use.
    #[pyfunction]
    fn get_num_threads() -> PyResult<usize> {
        Ok(threads::get()?)
    }
}
