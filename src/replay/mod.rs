//! Replays: the frameworks' own streams and arithmetic, bit for bit.

mod exact;
mod mt19937;
pub mod torch;
