//! Replays as they cross from Python: the name of a framework, and a tuple of what its stream needs.

use super::errors::unknown;
use crate::replay::Replay;
use crate::replay::jax::{Jax, JaxLaw};
use crate::replay::tensorflow::{TensorFlow, TensorFlowLaw};
use crate::replay::threefry::{Layout, Threefry};
use crate::replay::torch::{Capability, End, PAIR, Place, Torch, TorchLaw};
use crate::stream::Identity;
use crate::value::Placement;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use std::sync::Arc;

/// The law's name and its parameters, as a job has them.
pub(crate) struct Request<'a> {
    pub(crate) law: &'a str,
    pub(crate) bounds: (f64, f64),
    pub(crate) placement: Placement<f64>,
    /// The tensor's elements, where the array holds all of them.
    pub(crate) whole: Option<u64>,
}

/// The replay that a framework's name and its tuple stand for.
pub(crate) fn parse(framework: &str, stream: &Bound<'_, PyAny>, request: &Request<'_>) -> PyResult<Replay> {
    match framework {
        "jax" => jax(stream.extract()?, request).map(Replay::Jax),
        "tensorflow" => tensorflow(stream.extract()?, request).map(Replay::TensorFlow),
        "torch" => torch(&stream.extract()?, request).map(Replay::Torch),
        other => Err(unknown("framework", other, "jax, tensorflow or torch")),
    }
}

/// (key and the counter's high half in 16 bytes, first block).
fn tensorflow((identity, first): ([u8; 16], u64), request: &Request<'_>) -> PyResult<TensorFlow> {
    let Placement { loc, scale, low, high } = request.placement;
    // A uniform law's limits need no fields: they are what a plan keeps values within.
    let law = match request.law {
        "uniform" => TensorFlowLaw::Uniform { low, high },
        "normal" => TensorFlowLaw::Normal { mean: loc, stddev: scale },
        "truncated_normal" => TensorFlowLaw::Truncated { mean: loc, stddev: scale },
        other => return Err(unknown("law", other, "uniform, normal or truncated_normal")),
    };
    Ok(TensorFlow { law, identity: Identity::from_bytes(identity), first })
}

/// (key, words of the original layout, whether √2 is in the scale, whether float16 is fused); the bounds are those of
/// the uniform, low and high what a truncated law is clipped to.
fn jax((key, words, folded, fused_half): ([u32; 2], Option<u32>, bool, bool), request: &Request<'_>) -> PyResult<Jax> {
    let Placement { loc, scale, low: least, high: largest } = request.placement;
    let law = match request.law {
        "uniform" => JaxLaw::Uniform,
        "normal" if folded => JaxLaw::FoldedNormal,
        "normal" => JaxLaw::Normal,
        "truncated_normal" => JaxLaw::Truncated { least, largest },
        other => return Err(unknown("law", other, "uniform, normal or truncated_normal")),
    };
    // Only the original layout depends on the tensor's size.
    let layout = words.map_or(Layout::Partitionable, |words| Layout::Original { words });
    Ok(Jax { law, limits: request.bounds, scale, loc, threefry: Threefry { key, layout }, fused_half })
}

/// (law, logarithm of the density at its peak, seed, words drawn before, where those of a kept value began, capability,
/// where the generator will be).
type TorchStream<'py> = (PyBackedStr, f64, u32, u64, Option<u64>, PyBackedStr, Option<PyRef<'py, TorchEnd>>);

/// Words drawn before: so many that those of any array can still be counted on top.
const LARGEST_SKIP: u64 = 1 << 63;

fn torch(stream: &TorchStream<'_>, request: &Request<'_>) -> PyResult<Torch> {
    let (law, log_peak, seed, skip, spare, capability, end) = stream;
    // The generator's walk depends on the tensor's size, and goes through all of it.
    let Some(elements) = request.whole else {
        return Err(PyValueError::new_err("`full_shape` must be that of `out` for a stream of torch's"));
    };
    let Placement { loc, scale, low, high } = request.placement;
    let (moments, bounds) = ([loc, scale], [low, high]);
    // torch has laws of its own, which no plan names: they come with the stream.
    let law = match &**law {
        "uniform" => TorchLaw::Uniform(bounds),
        "normal" => TorchLaw::Normal(moments),
        "redrawn" => TorchLaw::Redrawn(moments, bounds),
        "accepted" => TorchLaw::Accepted(moments, bounds, *log_peak),
        "keras_uniform" => TorchLaw::KerasUniform(bounds),
        "keras_truncated" => TorchLaw::KerasTruncated(moments),
        other => return Err(unknown("law", other, "one of torch's")),
    };
    let capability = match &**capability {
        "avx2" => Capability::Avx2,
        "default" => Capability::Default,
        other => return Err(unknown("cpu_capability", other, "avx2 or default")),
    };
    if *skip > LARGEST_SKIP {
        return Err(PyValueError::new_err(format!("`skip` must be at most 2^63, got {skip}")));
    }
    if let Some(spare) = spare.filter(|spare| spare.saturating_add(PAIR) > *skip) {
        return Err(PyValueError::new_err(format!("`spare` must be at most `skip` - {PAIR}, got {spare}")));
    }
    let place = Place { seed: *seed, skip: *skip, spare: *spare };
    // Shared with Python, which reads it after the fill; without one, nobody asks where the generator is.
    let end = end.as_ref().map_or_else(Arc::default, |end| end.share());
    Ok(Torch::new(law, place, capability, elements, end))
}

/// Where torch's generator is after a fill.
// Frozen: threads write it by atomics, without the GIL and without a borrow that could fail.
#[pyclass(frozen, module = "varscale._core")]
#[derive(Default)]
pub(crate) struct TorchEnd(Arc<End>);

impl TorchEnd {
    fn share(&self) -> Arc<End> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl TorchEnd {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Words drawn until then, and where those of a kept value began.
    fn get(&self) -> (u64, Option<u64>) {
        self.0.get()
    }
}
