//! Identities: the names of streams.

/// The 128 bits that name one stream.
///
/// The first 8 bytes are Philox's key, the last 8 the high half of its counter (little-endian), so two
/// identities that share a key still have disjoint counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Philox's 64-bit key, low word first.
    pub key: [u32; 2],
    /// The high 64 bits of the counter, low word first.
    pub counter_high: [u32; 2],
}

impl Identity {
    /// Reads an identity from its 16 bytes.
    #[must_use]
    pub const fn from_bytes(b: [u8; 16]) -> Self {
        Self {
            key: [u32::from_le_bytes([b[0], b[1], b[2], b[3]]), u32::from_le_bytes([b[4], b[5], b[6], b[7]])],
            counter_high: [
                u32::from_le_bytes([b[8], b[9], b[10], b[11]]),
                u32::from_le_bytes([b[12], b[13], b[14], b[15]]),
            ],
        }
    }
}
