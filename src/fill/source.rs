//! Sources: what arrays are filled from.

use crate::machine::level::Level;
use crate::region::Region;

/// What an array is filled from: our own stream, or one that replays a framework's.
pub trait Source<E> {
    /// Writes the elements `first..first + out.len()` of a region.
    fn write(&self, region: &Region, first: u64, out: &mut [E], level: Level);

    /// Whether all is to be written once more over what it is now; asked after each time that all was written.
    fn again(&self) -> bool {
        false
    }
}
