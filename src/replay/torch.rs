//! torch's CPU tensors: `uniform_`, `normal_` and `trunc_normal_` of torch 2.12 and later, and Keras 3 on torch.
//!
//! torch draws from one serial generator and wastes nothing: how many words a tensor takes, and which, depends on its
//! law, its dtype and its size. Threads therefore share one walk of the generator (rows); normal values of fewer
//! than sixteen elements come from another algorithm, one after another (short).

mod arithmetic;
mod laws;
mod portable;
mod rows;
mod scratch;
mod short;
mod tensor;
#[cfg(test)]
mod tests;

use crate::fill::{Passes, Source};
use crate::machine::level::Level;
use crate::region::Region;
pub use arithmetic::Capability;
use arithmetic::GROUP;
use laws::Draw;
pub use short::PAIR;
use std::sync::atomic::Ordering;
pub use tensor::{End, Place, Torch, TorchElement, TorchLaw};

impl<E: TorchElement> Source<E> for Torch {
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level) {
        let (mut rest, simd) = (out, level.simd());
        // One run at a time: a serial generator has to be brought to the place of each.
        for (first, count) in region.runs(first..first + rest.len() as u64) {
            let (out, later) = rest.split_at_mut(count);
            rest = later;
            if self.law.is_normal() && self.elements * self.law.values() < GROUP as u64 {
                // The whole tensor for each of its runs: fifteen values cost less than sharing them would.
                let (tensor, place) = short::tensor::<E>(self, simd);
                out.copy_from_slice(&tensor[first as usize..first as usize + count]);
                self.end.reach(place.skip, place.spare);
            } else {
                let rows = self.rows::<E>(simd);
                Draw { torch: self, simd, rows, first, out }.write();
                // Threads end in any order: the farthest place is the generator's.
                self.end.skip.fetch_max(rows.start(self.first_row() + self.law.rows()), Ordering::Relaxed);
            }
        }
    }
}

impl Passes for Torch {
    fn another_pass(&self) -> bool {
        // Threads are asked for nothing here: all of them have ended, so a plain exchange tells the whole truth.
        let failed = self.attempt.failed.swap(false, Ordering::Relaxed);
        if failed {
            self.attempt.number.fetch_add(1, Ordering::Relaxed);
            if let Some(rows) = self.rows.get() {
                rows.forget();
            }
        }
        failed
    }
}
