//! Replays as they cross from Python: a framework's name, and a tuple of what its stream needs.

use super::Replay;
use super::tensorflow::{Law, TensorFlow};
use crate::element::Placement;
use crate::source::unknown;
use crate::stream::Identity;
use pyo3::prelude::*;

/// The law's name and its parameters, as a job has them.
pub(crate) struct Request<'a> {
    pub(crate) law: &'a str,
    pub(crate) placement: Placement<f64>,
}

/// The replay that a framework's name and its tuple stand for.
pub(crate) fn parse(framework: &str, stream: &Bound<'_, PyAny>, request: &Request<'_>) -> PyResult<Replay> {
    match framework {
        "tensorflow" => tensorflow(stream.extract()?, request).map(Replay::TensorFlow),
        other => Err(unknown("framework", other, "tensorflow")),
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
