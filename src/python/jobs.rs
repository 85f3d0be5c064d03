//! Jobs: arrays of Python's, checked once, and filled.

use super::errors::unknown;
use super::interrupts::{LONG, interruptibly};
use super::values::{Stream, Values};
use crate::element::float8::{F8E4M3, F8E5M2};
use crate::element::{BF16, Element, F16};
use crate::fill::run::FINE;
use crate::fill::spans::share_memory;
use crate::fill::strided;
use crate::fill::{self, CHUNK, Passes, Schedule, Source, Task};
use crate::machine::environment::DefaultEnvironment;
use crate::machine::level::Level;
use crate::machine::threads;
use crate::region::Region;
use crate::region::picks::Picks;
use crate::value::Placement;
use bytemuck::Pod;
use numpy::npyffi::{_PyArray_GET_ITEM_DATA, NPY_ARRAY_BEHAVED};
use numpy::{
    Element as NumpyElement, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArray1, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use std::ffi::c_int;
use std::ops::Range;

/// What arrays may hold.
pub(super) const ELEMENTS: &str = "float8_e4m3fn, float8_e5m2, float16, bfloat16, float32 or float64";

/// What Python's checks have said already, unless a subclass of arrays told them something else.
const UNFIT: &str = "`out` must be aligned, writable and free of overlap";

/// One array to fill: a tuple in Python, its fields in this order.
pub(crate) struct Job<'py> {
    /// The array; where an element has fewer than 32 bits, a view as integers.
    out: Bound<'py, PyAny>,
    /// What it holds: one of `ELEMENTS`.
    element: PyBackedStr,
    /// Its law, and where the values go.
    plan: Plan,
    /// Where its words come from.
    stream: Stream<'py>,
    /// The shape of the tensor that it is a part of; `None` for a whole one.
    full_shape: Option<Vec<u128>>,
    /// Which indices of each axis it holds; `None` for all.
    picks: Option<Vec<AxisPicks<'py>>>,
}

/// A law and where its values go: a tuple in Python, its fields in this order.
pub(crate) struct Plan {
    /// The law's name.
    pub(crate) law: PyBackedStr,
    /// Of the standard truncated normal law; the other laws ignore them.
    pub(crate) bounds: (f64, f64),
    /// Added last.
    loc: f64,
    /// Multiplied first.
    scale: f64,
    /// The least value.
    low: f64,
    /// The greatest value.
    high: f64,
}

// By position, since a look-up by name costs each field some 12 ns: 4 % of the time of filling a small array.
impl<'py> FromPyObject<'_, 'py> for Job<'py> {
    type Error = PyErr;

    fn extract(job: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (out, element, plan, stream, full_shape, picks) = job.extract()?;
        Ok(Self { out, element, plan, stream, full_shape, picks })
    }
}

impl Plan {
    pub(crate) fn placement(&self) -> Placement<f64> {
        let &Self { loc, scale, low, high, .. } = self;
        Placement { loc, scale, low, high }
    }
}

impl<'py> FromPyObject<'_, 'py> for Plan {
    type Error = PyErr;

    fn extract(plan: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (law, bounds, loc, scale, low, high) = plan.extract()?;
        Ok(Self { law, bounds, loc, scale, low, high })
    }
}

/// One axis's indices: (start, step, count), or all of them.
#[derive(FromPyObject)]
enum AxisPicks<'py> {
    Range((u64, i64, u64)),
    // An array and not a list: a part may hold millions of indices.
    List(PyReadonlyArray1<'py, u64>),
}

impl AxisPicks<'_> {
    fn read(&self) -> PyResult<Picks> {
        Ok(match self {
            Self::Range((start, step, count)) => Picks::Range { start: *start, step: *step, count: *count },
            // A copy: tasks read it without the GIL, when Python may write to the array.
            Self::List(list) => Picks::List(list.as_slice()?.to_vec()),
        })
    }
}

/// An array while it is being written, as memory that no other job writes.
enum Output<'py> {
    Float8E4M3(Bound<'py, PyArrayDyn<u8>>),
    Float8E5M2(Bound<'py, PyArrayDyn<u8>>),
    Float16(Bound<'py, PyArrayDyn<u16>>),
    BFloat16(Bound<'py, PyArrayDyn<u16>>),
    Float32(Bound<'py, PyArrayDyn<f32>>),
    Float64(Bound<'py, PyArrayDyn<f64>>),
}

impl<'py> Output<'py> {
    fn new(out: &Bound<'py, PyAny>, element: &str) -> PyResult<Self> {
        match element {
            "float8_e4m3fn" => writable(out).map(Self::Float8E4M3),
            "float8_e5m2" => writable(out).map(Self::Float8E5M2),
            "float16" => writable(out).map(Self::Float16),
            "bfloat16" => writable(out).map(Self::BFloat16),
            "float32" => writable(out).map(Self::Float32),
            "float64" => writable(out).map(Self::Float64),
            other => Err(unknown("element", other, ELEMENTS)),
        }
    }

    fn array(&self) -> &Bound<'py, PyUntypedArray> {
        match self {
            Self::Float8E4M3(array) | Self::Float8E5M2(array) => array.as_untyped(),
            Self::Float16(array) | Self::BFloat16(array) => array.as_untyped(),
            Self::Float32(array) => array.as_untyped(),
            Self::Float64(array) => array.as_untyped(),
        }
    }

    /// The addresses between which its elements lie.
    fn span(&self) -> Range<usize> {
        let array = self.array();
        let (data, _) = address_and_flags(array);
        if array.is_empty() {
            return data..data; // whatever its strides are
        }
        // Backward strides reach below the first element, the others above the last one.
        let mut span = data..data + array.dtype().itemsize();
        for (&size, &stride) in array.shape().iter().zip(array.strides()) {
            let reach = stride * (size as isize - 1);
            span = span.start.wrapping_add_signed(reach.min(0))..span.end.wrapping_add_signed(reach.max(0));
        }
        span
    }

    fn tasks(&self, values: &Values, part: Part, schedule: &Schedule) -> PyResult<Tasks<'_>> {
        match self {
            Self::Float8E4M3(array) => tasks::<F8E4M3, u8, _>(array, values.native()?, part, schedule),
            Self::Float8E5M2(array) => tasks::<F8E5M2, u8, _>(array, values.native()?, part, schedule),
            Self::Float16(array) => tasks::<F16, u16, _>(array, values, part, schedule),
            Self::BFloat16(array) => tasks::<BF16, u16, _>(array, values, part, schedule),
            Self::Float32(array) => tasks::<f32, f32, _>(array, values, part, schedule),
            Self::Float64(array) => tasks::<f64, f64, _>(array, values, part, schedule),
        }
    }
}

/// One array's work.
type Tasks<'a> = Box<dyn Iterator<Item = Task<'a>> + Send + 'a>;

/// The full shape and the picks of each axis; `None` for a whole tensor.
type Part = Option<(Vec<u128>, Vec<Picks>)>;

fn writable<'py, N: NumpyElement>(out: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<N>>> {
    let array = out.cast::<PyArrayDyn<N>>().map_err(|_| {
        PyTypeError::new_err(
            "`out` must be an array of the element's dtype (smaller ones than float32 as unsigned integers)",
        )
    })?;
    if address_and_flags(array.as_untyped()).1 & NPY_ARRAY_BEHAVED != NPY_ARRAY_BEHAVED {
        return Err(PyValueError::new_err(UNFIT));
    }
    // A reference more, and no copy of memory.
    Ok(array.clone())
}

#[allow(unsafe_code, reason = "reading an array's fields; see the block")]
pub(super) fn address_and_flags(array: &Bound<'_, PyUntypedArray>) -> (usize, c_int) {
    // SAFETY: the pointer is that of a live array, whose fields these are.
    let fields = unsafe { &*_PyArray_GET_ITEM_DATA(array.as_array_ptr()) };
    (fields.data as usize, fields.flags)
}

#[allow(unsafe_code, reason = "borrowing NumPy's memory; see the block")]
fn tasks<'a, E: Element + Pod, N: NumpyElement + Pod, S: Source<E> + Clone + Send + 'a>(
    array: &'a Bound<'_, PyArrayDyn<N>>,
    values: &S,
    part: Part,
    schedule: &Schedule,
) -> PyResult<Tasks<'a>> {
    // Checked here, since only now both are known: the part's shape and the array's.
    let shape: Vec<u64> = array.shape().iter().map(|&size| size as u64).collect();
    if let Some((_, picks)) = &part
        && !picks.iter().map(Picks::count).eq(shape.iter().copied())
    {
        return Err(PyValueError::new_err(format!("`out` must have the shape of the part, got {shape:?}")));
    }
    // SAFETY, here and below: the array is aligned and writable (`writable`), and outlives what borrows its memory.
    // Shape, strides and flags are the array's own fields, which NumPy keeps in accord with its memory, and not what a
    // subclass says of them. No other call of ours writes the elements: the array is new, or in `_filling.writing`. What
    // remains is the program's own to keep, as with any function of NumPy's: other code that writes them meanwhile,
    // `as_strided` past the end of an array, `resize` without `refcheck`, a mapped file that is cut off.
    // In C order the values are written where they belong; any other order needs a copy of each piece.
    if array.is_c_contiguous() {
        // SAFETY: as said.
        let out = unsafe { array.as_slice_mut() }.map_err(|error| PyValueError::new_err(format!("`out`: {error}")))?;
        let region = match part {
            None => Region::whole(out.len() as u64),
            Some((full, picks)) => Region::mesh(&full, &picks)?,
        };
        return Ok(Box::new(fill::tasks::<E, _>(values, region, bytemuck::cast_slice_mut(out), schedule)));
    }
    let sizes = array.shape().to_vec();
    // SAFETY: as said; the view is kept no longer than the array.
    let view = unsafe { strided::View::new(array.data().cast(), size_of::<N>(), sizes, array.strides().to_vec()) };
    let view = view.ok_or_else(|| PyValueError::new_err(UNFIT))?;
    // A whole tensor is the part of itself that has every index: one way for both.
    let (full, picks) = part.unwrap_or_else(|| {
        let picks = shape.iter().map(|&size| Picks::range(0, size)).collect();
        (shape.into_iter().map(u128::from).collect(), picks)
    });
    Ok(Box::new(strided::tasks::<E, N, S>(values, view, full, picks, schedule)?))
}

/// Checks every job, then does all their tasks in one pass, and in further ones those of the jobs that want it.
pub(crate) fn fill_all(py: Python<'_>, jobs: Vec<Job<'_>>) -> PyResult<()> {
    let _environment = DefaultEnvironment::enter(); // masses of bounds are computed here
    let schedule = Schedule { threads: threads::get()?, chunk: CHUNK, level: Level::get()? };
    let mut outputs = Vec::with_capacity(jobs.len());
    for Job { out, element, plan, stream, full_shape, picks } in jobs {
        let output = Output::new(&out, &element)?;
        let elements = output.array().len() as u64;
        // Sizes may be anything: of those whose product has no number, no array holds all.
        let full = full_shape.iter().flatten().try_fold(1, |product: u128, &size| product.checked_mul(size));
        let whole = (full_shape.is_none() || full == Some(elements.into())).then_some(elements);
        let values = Values::parse(&plan.law, plan.bounds, plan.placement(), &stream, whole)?;
        let picks = picks.map(|axes| axes.iter().map(AxisPicks::read).collect::<PyResult<Vec<_>>>()).transpose()?;
        let part = full_shape.zip(picks);
        // Every job is checked before the first is begun: a call that refuses one has written nothing.
        outputs.push((output, values, part));
    }
    if share_memory(outputs.iter().map(|(output, ..)| output.span()).collect()) {
        return Err(PyValueError::new_err("`out`: two arrays of one fill share memory"));
    }
    while !outputs.is_empty() {
        // Summed anew per pass, as few arrays are left in later ones: they are not worth all threads.
        let elements = outputs.iter().map(|(output, ..)| output.array().len() as u64).sum();
        // One list for all arrays: many small ones keep every thread busy, too.
        let tasks = outputs.iter().map(|(output, values, part)| {
            // Torch's generator waits where whole chunks begin; what begins elsewhere walks there first.
            let chunk = if elements <= LONG && matches!(values, Values::Native(_)) { FINE } else { CHUNK };
            output.tasks(values, part.clone(), &Schedule { chunk, ..schedule })
        });
        let tasks = tasks.collect::<PyResult<Vec<_>>>()?.into_iter().flatten();
        interruptibly(py, &schedule, elements, tasks)?;
        // Few sources want another pass: of torch, those that draw until all values are in bounds.
        outputs.retain(|(_, values, _)| values.another_pass());
    }
    Ok(())
}
