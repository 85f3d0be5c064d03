//! What a job is filled from, as it crosses: the native stream, or one that replays a framework's.

use super::errors::unknown;
use super::replays::{self, Request};
use crate::element::Element;
use crate::fill::{Native, Passes, Source};
use crate::law::Law;
use crate::machine::level::Level;
use crate::region::Region;
use crate::replay::Replay;
use crate::stream::{Identity, Version, Words};
use crate::value::Placement;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

/// The version of the native stream that Python's identities are of. Those of another one will cross with its number.
pub(super) const VERSION: Version = Version::One;

/// The words of an identity, as it crosses.
pub(super) const fn words(identity: [u8; 16]) -> Words {
    VERSION.words(Identity::from_bytes(identity))
}

/// Where a job's words come from: the native stream of an identity, or (framework, what its stream needs).
#[derive(FromPyObject)]
pub(crate) enum Stream<'py> {
    // First, because variants are tried in turn, and nearly every job is native.
    Native([u8; 16]),
    Replay((PyBackedStr, Bound<'py, PyAny>)),
}

/// What a job is filled from.
// Each task has a clone: a few numbers, and for torch references to what its tasks share.
#[derive(Clone)]
pub(crate) enum Values {
    Native(Native),
    Replay(Replay),
}

impl<E: Element> Source<E> for Values
where
    Replay: Source<E>,
{
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        // Here, once per chunk, and not in a kernel.
        match self {
            Self::Native(source) => source.write(region, first, out, level),
            Self::Replay(replay) => replay.write(region, first, out, level),
        }
    }
}

impl Passes for Values {
    fn another_pass(&self) -> bool {
        matches!(self, Self::Replay(replay) if replay.another_pass())
    }
}

impl Values {
    /// The native source.
    ///
    /// # Errors
    ///
    /// `ValueError` for a replay: no framework draws elements of 8 bits from its stream.
    pub(crate) fn native(&self) -> PyResult<&Native> {
        match self {
            Self::Native(source) => Ok(source),
            Self::Replay(_) => Err(PyValueError::new_err("`element` must have 16 bits at least in a replay, got 8")),
        }
    }

    /// # Errors
    ///
    /// `ValueError` for a word that names nothing, or bounds that hold no mass.
    pub(crate) fn parse(
        law: &str,
        bounds: (f64, f64),
        placement: Placement<f64>,
        stream: &Stream<'_>,
        whole: Option<u64>,
    ) -> PyResult<Self> {
        match stream {
            Stream::Native(identity) => {
                Ok(Self::Native(Native { law: parse_law(law, bounds)?, placement, words: words(*identity) }))
            }
            Stream::Replay((framework, stream)) => {
                // A replay reads the law itself: frameworks clip, redraw and round in ways of their own.
                replays::parse(framework, stream, &Request { law, bounds, placement, whole }).map(Self::Replay)
            }
        }
    }
}

/// The native law of a name.
///
/// # Errors
///
/// `ValueError` for a word that names nothing, or bounds that hold no mass.
pub(crate) fn parse_law(name: &str, (lower, upper): (f64, f64)) -> PyResult<Law> {
    match name {
        "uniform" => Ok(Law::Uniform),
        "normal" => Ok(Law::Normal),
        "truncated_normal" => Ok(Law::truncated_normal(lower, upper)?),
        other => Err(unknown("law", other, "uniform, normal or truncated_normal")),
    }
}
