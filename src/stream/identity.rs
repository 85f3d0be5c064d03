//! Identities: the names of streams, hashed from the fields of their seeds and paths.

use blake2::Blake2b128;
use blake2::digest::{CustomizedInit, FixedOutput, Update};

/// BLAKE2's personalisation, which ends with the stream's version: in another version the same fields have other
/// identities.
const PERSON: &[u8; 16] = b"varscale-stream1";

/// The tag of a field that is a string of a path.
const STRING: u8 = 2;

/// Fields of seeds and paths, as the bytes that are hashed: the front of any number of identities.
#[derive(Clone, Debug)]
pub struct Fields(Blake2b128);

impl Fields {
    /// Of these bytes.
    #[must_use]
    pub fn new(fields: &[u8]) -> Self {
        let mut hash = Blake2b128::new_customized(PERSON);
        hash.update(fields);
        Self(hash)
    }

    /// With a string of a path behind them: its tag, its length in 8 bytes, and its UTF-8.
    #[must_use]
    pub fn with(&self, name: &str) -> Self {
        let mut hash = self.0.clone();
        hash.update(&[STRING]);
        hash.update(&(name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        Self(hash)
    }

    /// The bytes of their identity, a digest of 128 bits.
    #[must_use]
    pub fn hash(&self) -> [u8; 16] {
        self.0.clone().finalize_fixed().into()
    }
}

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
    /// The identity that fields name.
    #[must_use]
    pub fn of(fields: &Fields) -> Self {
        Self::from_bytes(fields.hash())
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: [u8; 16]) -> String {
        format!("{:032x}", u128::from_be_bytes(bytes))
    }

    /// An identity that is another one than Python's hashlib gives for the same fields.
    #[test]
    fn fields_hash_as_elsewhere() {
        // hashlib.blake2b(fields, digest_size=16, person=b"varscale-stream1").hexdigest()
        assert_eq!(hex(Fields::new(b"").hash()), "53197780d07ec691e2a9ae69cdbbfe4f");
        let seeds = [&[0; 9][..], &[1, 1, 0, 0, 0, 0, 0, 0, 0, 7]].concat();
        assert_eq!(hex(Fields::new(&seeds).hash()), "7483d827c149abbfd20ed2cc8c1722d2");
        assert_eq!(hex(Fields::new(&seeds).with("h.0.µ").hash()), "4974fd8b99645e793e2e2e0cd100105c");
        // Past the 128 bytes of a block, and at its end.
        assert_eq!(hex(Fields::new(&[5; 128]).hash()), "f7fa340a097c7752e355a5ee8c231774");
        assert_eq!(hex(Fields::new(&[5; 128]).with(&"x".repeat(500)).hash()), "c079175664d8ac981317be07f77f8dc8");
    }
}
