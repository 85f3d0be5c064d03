//! Streams that replay the frameworks' own: the same bits as their CPU kernels, one file per framework.
//!
//! Unlike the native stream these follow whatever arithmetic the framework has, fused multiply-adds and C library
//! included; functions that need care are in [`exact`], each proven over all its arguments. Law, scale and order of
//! operations are the framework's too: a replay takes the initializer's parameters unrounded.

pub mod exact;
pub mod jax;
pub mod mt19937;
pub mod tensorflow;
pub mod threefry;
pub mod torch;

use crate::element::Element;
use crate::fill::{Passes, Source};
use crate::machine::level::Level;
use crate::region::Region;
use jax::Jax;
use tensorflow::TensorFlow;
use torch::Torch;

/// A framework's values for one tensor.
#[derive(Clone, Debug)]
pub enum Replay {
    /// JAX's functions of `jax.random`.
    Jax(Jax),
    /// TensorFlow's ops, stateful and stateless.
    TensorFlow(TensorFlow),
    /// torch's generator and tensors, and Keras 3's on it.
    Torch(Torch),
}

impl<E: Element<Value: jax::Real + tensorflow::Pairs> + torch::TorchElement> Source<E> for Replay {
    // Inlined, its buffers would take their room on the stack in every native fill, too: small ones take 5 % longer.
    #[inline(never)]
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        // One match per chunk: inside, everything is compiled for its framework.
        match self {
            Self::Jax(source) => source.write(region, first, out, level),
            Self::TensorFlow(source) => source.write(region, first, out, level),
            Self::Torch(source) => source.write(region, first, out, level),
        }
    }
}

impl Passes for Replay {
    fn another_pass(&self) -> bool {
        matches!(self, Self::Torch(source) if source.another_pass())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{BF16, F16};
    use crate::fill::tests::same_bits;
    use crate::replay::tensorflow::{TensorFlow, TensorFlowLaw};
    use crate::stream::Identity;

    /// A level that rounds otherwise, a group that is cut by a chunk, or a thread that writes elsewhere.
    #[test]
    fn levels_chunks_and_threads_change_no_bit_of_tensorflow() {
        let (mean, stddev) = (0.125, 0.3);
        for law in [
            TensorFlowLaw::Uniform { low: -0.7, high: 0.8 },
            TensorFlowLaw::Normal { mean, stddev },
            TensorFlowLaw::Truncated { mean, stddev },
        ] {
            let identity = Identity { key: [1, 2], counter_high: [3, 4] };
            let source = Replay::TensorFlow(TensorFlow { law, identity, first: 256 * 11 });
            same_bits(&source, 0.0_f32);
            same_bits(&source, 0.0_f64);
            same_bits(&source, F16(0));
            same_bits(&source, BF16(0));
        }
    }
}
