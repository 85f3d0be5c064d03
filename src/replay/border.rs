//! Replays as they cross from Python: a framework's name, and a tuple of what its stream needs.

use super::Replay;
use super::jax::{self, Jax};
use super::tensorflow::{Law, TensorFlow};
use super::threefry::{Layout, Threefry};
use crate::element::Placement;
use crate::source::unknown;
use crate::stream::Identity;
use pyo3::prelude::*;

/// The law's name and its parameters, as a job has them.
pub(crate) struct Request<'a> {
    pub(crate) law: &'a str,
    pub(crate) bounds: (f64, f64),
    pub(crate) placement: Placement<f64>,
}

/// The replay that a framework's name and its tuple stand for.
pub(crate) fn parse(framework: &str, stream: &Bound<'_, PyAny>, request: &Request<'_>) -> PyResult<Replay> {
    match framework {
        "jax" => jax(stream.extract()?, request).map(Replay::Jax),
        "tensorflow" => tensorflow(stream.extract()?, request).map(Replay::TensorFlow),
        other => Err(unknown("framework", other, "jax or tensorflow")),
    }
}

/// (key and the counter's high half in 16 bytes, first block).
fn tensorflow((identity, first): ([u8; 16], u64), request: &Request<'_>) -> PyResult<TensorFlow> {
    let Placement { loc, scale, low, high } = request.placement;
    let law = match request.law {
        "uniform" => Law::Uniform { low, high },
        "normal" => Law::Normal { mean: loc, stddev: scale },
        "truncated_normal" => Law::Truncated { mean: loc, stddev: scale },
        other => return Err(unknown("law", other, "uniform, normal or truncated_normal")),
    };
    Ok(TensorFlow { law, identity: Identity::from_bytes(identity), first })
}

/// (key, words of the original layout, whether √2 is in the scale, whether float16 is fused); the bounds are those of the
/// uniform, low and high what a truncated law is clipped to.
fn jax((key, words, folded, fused_half): ([u32; 2], Option<u32>, bool, bool), request: &Request<'_>) -> PyResult<Jax> {
    let Placement { loc, scale, low: least, high: largest } = request.placement;
    let law = match request.law {
        "uniform" => jax::Law::Uniform,
        "normal" if folded => jax::Law::FoldedNormal,
        "normal" => jax::Law::Normal,
        "truncated_normal" => jax::Law::Truncated { least, largest },
        other => return Err(unknown("law", other, "uniform, normal or truncated_normal")),
    };
    let layout = words.map_or(Layout::Partitionable, |words| Layout::Original { words });
    Ok(Jax { law, limits: request.bounds, scale, loc, threefry: Threefry { key, layout }, fused_half })
}
