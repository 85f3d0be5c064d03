//! Sources: what arrays are filled from.

use crate::machine::level::Level;
use crate::region::Region;

/// What an array is filled from: our own stream, or one that replays a framework's.
pub trait Source<E>: Passes {
    /// Writes the elements `first..first + out.len()` of a region.
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level);
}

/// What a source says of any element type alike: how often it goes over the memory.
pub trait Passes {
    /// Whether another pass over the same memory is needed; asked after each pass.
    fn another_pass(&self) -> bool {
        false
    }
}
