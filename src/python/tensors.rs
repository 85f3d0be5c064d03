//! Tensors that have been made before: all is known but the stream, so that one crossing makes another.

use super::errors::unknown;
use super::interrupts::{PANIC, interruptibly};
use super::jobs::{ELEMENTS, Plan, address_and_flags};
use super::values::{VERSION, parse_law, words};
use crate::element::float8::{F8E4M3, F8E5M2};
use crate::element::{BF16, Element, F16};
use crate::fill::{CHUNK, Native, Schedule, Source, Task};
use crate::law::Law;
use crate::machine::environment::DefaultEnvironment;
use crate::machine::level::Level;
use crate::machine::threads;
use crate::region::Region;
use crate::stream::{Fields, Words};
use crate::value::Placement;
use bytemuck::Pod;
use numpy::npyffi::{
    _PyArray_GET_ITEM_DATA, NPY_ARRAY_BEHAVED, NPY_ARRAY_C_CONTIGUOUS, NpyTypes, PY_ARRAY_API, get_type_object,
    npy_intp,
};
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::slice;

/// Elements that one thread makes in microseconds, so that nobody need wait for the GIL meanwhile.
const QUICK: usize = 1 << 12;

/// A whole tensor of the native stream that has at most a chunk of elements, and all of which is known but its stream.
#[pyclass(frozen, module = "varscale._core")]
pub(crate) struct Tensor {
    shape: Vec<npy_intp>,
    dtype: Py<PyArrayDescr>,
    element: Kind,
    law: Law,
    placement: Placement<f64>,
}

/// What its elements are.
#[derive(Clone, Copy)]
enum Kind {
    Float8E4M3,
    Float8E5M2,
    Float16,
    BFloat16,
    Float32,
    Float64,
}

#[pymethods]
impl Tensor {
    #[new]
    #[pyo3(signature = (shape, dtype, element, plan, /))]
    #[allow(clippy::needless_pass_by_value, reason = "what Python hands over becomes a value")]
    fn new(shape: Vec<npy_intp>, dtype: &Bound<'_, PyArrayDescr>, element: &str, plan: Plan) -> PyResult<Self> {
        let (element, bytes) = match element {
            "float8_e4m3fn" => (Kind::Float8E4M3, size_of::<F8E4M3>()),
            "float8_e5m2" => (Kind::Float8E5M2, size_of::<F8E5M2>()),
            "float16" => (Kind::Float16, size_of::<F16>()),
            "bfloat16" => (Kind::BFloat16, size_of::<BF16>()),
            "float32" => (Kind::Float32, size_of::<f32>()),
            "float64" => (Kind::Float64, size_of::<f64>()),
            other => return Err(unknown("element", other, ELEMENTS)),
        };
        let elements = shape.iter().try_fold(1, |product: npy_intp, &size| product.checked_mul(size));
        if !elements.is_some_and(|elements| (0..=CHUNK as npy_intp).contains(&elements)) {
            return Err(PyValueError::new_err(format!("`shape` must have at most {CHUNK} elements, got {shape:?}")));
        }
        // Memory is written as elements: of any other dtype it would have another size, or hold objects.
        if dtype.itemsize() != bytes || dtype.has_object() {
            return Err(PyValueError::new_err(format!("`dtype` must be the element's, got {dtype}")));
        }
        let _environment = DefaultEnvironment::enter(); // masses of bounds are computed here
        let (law, placement) = (parse_law(&plan.law, plan.bounds)?, plan.placement());
        Ok(Self { shape, dtype: dtype.clone().unbind(), element, law, placement })
    }

    /// A new array of this stream.
    #[pyo3(signature = (identity, /))]
    fn __call__<'py>(&self, py: Python<'py>, identity: [u8; 16]) -> PyResult<Bound<'py, PyUntypedArray>> {
        let array = self.allocate(py)?;
        self.fill_whole(&array, identity, QUICK)?;
        Ok(array)
    }

    /// Fills `out` if it fits, and returns whether it does.
    #[pyo3(signature = (identity, out, /))]
    fn fill(&self, identity: [u8; 16], out: &Bound<'_, PyUntypedArray>) -> PyResult<bool> {
        let fits = self.fits(out);
        if fits {
            self.fill_whole(out, identity, 0)?; // a mapped file may be slow
        }
        Ok(fits)
    }
}

impl Tensor {
    fn elements(&self) -> usize {
        self.shape.iter().product::<npy_intp>() as usize
    }

    /// Whether `out` is an array that `allocate` might have made, which no one forbids to write.
    fn fits(&self, out: &Bound<'_, PyUntypedArray>) -> bool {
        let own = NPY_ARRAY_BEHAVED | NPY_ARRAY_C_CONTIGUOUS;
        let sizes = out.shape().iter().map(|&size| size as npy_intp);
        address_and_flags(out).1 & own == own
            && sizes.eq(self.shape.iter().copied())
            && out.dtype().is_equiv_to(self.dtype.bind(out.py()))
    }

    /// Fills an array that fits, without the GIL where it has more than `quick` elements.
    fn fill_whole(&self, array: &Bound<'_, PyUntypedArray>, identity: [u8; 16], quick: usize) -> PyResult<()> {
        if array.is_empty() {
            return Ok(()); // NumPy calls any address aligned where there is nothing
        }
        let (level, memory) = (Level::get()?, memory_of(array));
        let work = AssertUnwindSafe(|| {
            let _environment = DefaultEnvironment::enter(); // which the caller may have changed
            self.write(words(identity), memory, level);
        });
        let done = if array.len() > quick { array.py().detach(|| catch_unwind(work)) } else { catch_unwind(work) };
        done.map_err(|_| PyRuntimeError::new_err(PANIC))
    }

    #[allow(unsafe_code, reason = "NumPy's own way to an array of any dtype; see the block")]
    fn allocate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyUntypedArray>> {
        let (dims, dtype) = (self.shape.as_ptr().cast_mut(), self.dtype.clone_ref(py).into_bound(py));
        // SAFETY: NumPy reads as many sizes as there are, takes the reference to the dtype, and returns a new array
        // or sets an exception.
        let array = unsafe {
            let base = get_type_object(py, NpyTypes::PyArray_Type);
            let (rank, descr) = (self.shape.len() as i32, dtype.into_dtype_ptr());
            PY_ARRAY_API.PyArray_NewFromDescr(py, base, descr, rank, dims, null_mut(), null_mut(), 0, null_mut())
        };
        // SAFETY: as said.
        let array = unsafe { Bound::from_owned_ptr_or_err(py, array)? };
        Ok(array.cast_into::<PyUntypedArray>()?)
    }

    fn write(&self, words: Words, memory: &mut [u8], level: Level) {
        match self.element {
            Kind::Float8E4M3 => self.write_as::<F8E4M3>(words, memory, level),
            Kind::Float8E5M2 => self.write_as::<F8E5M2>(words, memory, level),
            Kind::Float16 => self.write_as::<F16>(words, memory, level),
            Kind::BFloat16 => self.write_as::<BF16>(words, memory, level),
            Kind::Float32 => self.write_as::<f32>(words, memory, level),
            Kind::Float64 => self.write_as::<f64>(words, memory, level),
        }
    }

    fn write_as<E: Element + Pod>(&self, words: Words, memory: &mut [u8], level: Level) {
        let out: &mut [E] = bytemuck::cast_slice_mut(memory); // NumPy aligns to more than any element
        let native = Native { law: self.law, placement: self.placement, words };
        native.write(&Region::whole(out.len() as u64), 0, out, level);
    }
}

/// Makes tensors by name in one parallel pass, each of the stream that `fields` and its name name.
pub(crate) fn make_all<'py>(fields: &[u8], tensors: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let py = tensors.py();
    let schedule = Schedule { threads: threads::get()?, chunk: CHUNK, level: Level::get()? };
    let named = tensors.iter().map(|(name, tensor)| Ok((name.cast_into()?, tensor.cast_into()?)));
    let named = named.collect::<PyResult<Vec<(Bound<'_, PyString>, Bound<'_, Tensor>)>>>()?;
    let arrays = named.iter().map(|(_, tensor)| tensor.get().allocate(py)).collect::<PyResult<Vec<_>>>()?;
    let fields = Fields::new(VERSION, fields);
    let mut parts = Vec::with_capacity(named.len());
    for ((name, tensor), array) in named.iter().zip(&arrays) {
        parts.push((name.to_str()?, tensor.get(), memory_of(array)));
    }
    let elements = arrays.iter().map(|array| array.len() as u64).sum();
    let tasks = parts.into_iter().map(|(name, tensor, memory)| {
        let (fields, level, elements) = (&fields, schedule.level, tensor.elements());
        let work = move || {
            tensor.write(fields.with(name).words(), memory, level);
            Ok(())
        };
        Task { elements, work: Box::new(work) }
    });
    interruptibly(py, &schedule, elements, tasks)?;
    let made = PyDict::new(py);
    for ((name, _), array) in named.iter().zip(arrays) {
        made.set_item(name, array)?;
    }
    Ok(made)
}

/// The memory of an array that `allocate` has made, or that fits.
#[allow(unsafe_code, clippy::mut_from_ref, reason = "NumPy's memory as Rust's; see the block")]
fn memory_of<'a>(array: &'a Bound<'_, PyUntypedArray>) -> &'a mut [u8] {
    // SAFETY: in C order an array has as many bytes, one after another, and outlives what borrows them. Nobody else
    // writes them: the array is new, or in `_filling.writing`; what remains is the program's own to keep (jobs.rs).
    unsafe {
        let data = (*_PyArray_GET_ITEM_DATA(array.as_array_ptr())).data;
        slice::from_raw_parts_mut(data.cast(), array.len() * array.dtype().itemsize())
    }
}
