//! The first weights of a neural network: values that depend on a name and an element number alone.
//!
//! ```text
//! identity ─► stream ─► words ─► law ─► values ─► element ─► the caller's array
//!  (who)      philox   u32/u64   x(u)   scale, shift, clamp  one rounding
//!                         ▲
//!                      region: which element numbers, as contiguous runs
//! ```
//!
//! [`fill`](fill::fill) is the one verb. It cuts arrays into tasks of one chunk each, gives them to the threads, and
//! compiles the same plain-Rust kernel once per SIMD [`level`](machine::level); words have kernels in the levels' own
//! instructions. Arithmetic is `+ − × ÷ √`, integers and bit casts, never fused and never libm, so that every level and
//! platform gives the same bits. [`replay`] fills with a framework's own values instead, in the framework's own
//! arithmetic. [`matrix`] makes matrices orthogonal, in the same arithmetic. [`survey`] looks at numbers that are there.

#[cfg(not(target_endian = "little"))]
compile_error!("words are laid out as little-endian 64-bit pairs; a big-endian port needs its own packing");

pub mod element;
pub mod fill;
#[cfg(any(test, fuzzing))]
#[path = "../tests/fuzz/mod.rs"]
pub mod fuzz;
pub mod law;
pub mod machine;
pub mod math;
#[cfg_attr(not(feature = "python"), allow(dead_code, reason = "only Python has matrices"))]
mod matrix;
#[cfg(feature = "python")]
mod python;
#[cfg(all(feature = "python", fuzzing))]
pub use python::register;
pub mod region;
pub mod replay;
pub mod stream;
#[cfg_attr(not(feature = "python"), allow(dead_code, reason = "only Python has files"))]
mod survey;
pub mod value;
