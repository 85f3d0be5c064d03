//! Streams that replay the frameworks' own: the same bits as their CPU kernels, a file each.
//!
//! Unlike the native stream these follow whatever arithmetic the framework has, fused multiply-adds and C library
//! included; functions that need care are in [`exact`], each proven over all its arguments. Law, scale and order of
//! operations are the framework's too: a replay takes the initializer's parameters unrounded.

#[cfg(feature = "python")]
pub(crate) mod border;
pub mod exact;
pub mod jax;
pub mod tensorflow;
pub mod threefry;

use crate::element::Element;
use crate::fill::Source;
use crate::level::Level;
use crate::region::Region;
use jax::Jax;
use tensorflow::TensorFlow;

/// A framework's values for one tensor.
#[derive(Clone, Debug)]
pub enum Replay {
    /// JAX's functions of `jax.random`.
    Jax(Jax),
    /// TensorFlow's ops, stateful and stateless.
    TensorFlow(TensorFlow),
}

impl<E: Element<Value: jax::Real + tensorflow::Pairs>> Source<E> for Replay {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        match self {
            Self::Jax(source) => source.write(region, first, out, level),
            Self::TensorFlow(source) => source.write(region, first, out, level),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::element::{BF16, F16};
    use crate::fill::{Schedule, fill};
    use crate::picks::Picks;
    use crate::replay::tensorflow::{Law, TensorFlow};
    use crate::stream::Identity;
    use bytemuck::Pod;

    const LEN: usize = 5003;

    /// Asserts that levels, chunks and threads change no bit of `source`, whole or in part.
    pub(crate) fn same_bits<E: Element + Pod>(source: &Replay, zero: E)
    where
        Replay: Source<E>,
    {
        let part = Region::mesh(
            &[90, 80, 7],
            &[Picks::range(13, 17), Picks::Range { start: 60, step: -1, count: 59 }, Picks::range(1, 5)],
        );
        for region in [Region::whole(LEN as u64), part.unwrap()] {
            let filled = |schedule: Schedule| {
                let mut out = vec![zero; region.len() as usize];
                fill(source, region.clone(), &mut out, &schedule);
                bytemuck::cast_slice::<E, u8>(&out).to_vec()
            };
            let baseline = filled(Schedule { threads: 1, chunk: usize::MAX / 2, level: Level::Baseline });
            for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
                for (chunk, threads) in [(1, 1), (3, 3), (64, 1), (127, 3), (1024, 2), (1 << 16, 2)] {
                    let found = filled(Schedule { threads, chunk, level });
                    assert_eq!(found, baseline, "{source:?} {level:?} {chunk} {threads}");
                }
            }
        }
    }

    /// A level that rounds otherwise, a group that is cut by a chunk, or a thread that writes elsewhere.
    #[test]
    fn levels_chunks_and_threads_change_no_bit_of_tensorflow() {
        let (mean, stddev) = (0.125, 0.3);
        for law in
            [Law::Uniform { low: -0.7, high: 0.8 }, Law::Normal { mean, stddev }, Law::Truncated { mean, stddev }]
        {
            let identity = Identity { key: [1, 2], counter_high: [3, 4] };
            let source = Replay::TensorFlow(TensorFlow { law, identity, first: 256 * 11 });
            same_bits(&source, 0.0_f32);
            same_bits(&source, 0.0_f64);
            same_bits(&source, F16(0));
            same_bits(&source, BF16(0));
        }
    }
}
