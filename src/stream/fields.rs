//! Fields: the seeds and paths that name a stream, hashed into its identity.

use super::identity::Identity;
use super::version::{Version, Words};
use blake2::Blake2b128;
use blake2::digest::{CustomizedInit, FixedOutput, Update};

/// The tag of a field that is a string of a path.
const STRING: u8 = 2;

/// Fields of seeds and paths, as the bytes that are hashed: the front of any number of identities.
#[derive(Clone, Debug)]
pub struct Fields {
    version: Version,
    hash: Blake2b128,
}

impl Fields {
    /// Of these bytes, in a version of the stream.
    #[must_use]
    pub fn new(version: Version, fields: &[u8]) -> Self {
        let mut hash = Blake2b128::new_customized(version.person());
        hash.update(fields);
        Self { version, hash }
    }

    /// With a string of a path behind them: its tag, its length in 8 bytes, and its UTF-8.
    #[must_use]
    pub fn with(&self, name: &str) -> Self {
        let mut hash = self.hash.clone();
        hash.update(&[STRING]);
        hash.update(&(name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        Self { version: self.version, hash }
    }

    /// The bytes of their identity, a digest of 128 bits.
    #[must_use]
    pub fn hash(&self) -> [u8; 16] {
        self.hash.clone().finalize_fixed().into()
    }

    /// The words of their identity.
    #[must_use]
    pub fn words(&self) -> Words {
        self.version.words(Identity::from_bytes(self.hash()))
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
        let fields = |bytes: &[u8]| Fields::new(Version::One, bytes);
        assert_eq!(hex(fields(b"").hash()), "53197780d07ec691e2a9ae69cdbbfe4f");
        let seeds = [&[0; 9][..], &[1, 1, 0, 0, 0, 0, 0, 0, 0, 7]].concat();
        assert_eq!(hex(fields(&seeds).hash()), "7483d827c149abbfd20ed2cc8c1722d2");
        assert_eq!(hex(fields(&seeds).with("h.0.µ").hash()), "4974fd8b99645e793e2e2e0cd100105c");
        // Past the 128 bytes of a block, and at its end.
        assert_eq!(hex(fields(&[5; 128]).hash()), "f7fa340a097c7752e355a5ee8c231774");
        assert_eq!(hex(fields(&[5; 128]).with(&"x".repeat(500)).hash()), "c079175664d8ac981317be07f77f8dc8");
    }

    /// A seed that names one identity in two versions, whose keys and counters would then be the same.
    #[test]
    fn versions_have_other_identities() {
        // hashlib.blake2b(b"", digest_size=16, person=b"varscale-stream2").hexdigest()
        assert_eq!(hex(Fields::new(Version::Two, b"").hash()), "715125f9c80016dbbfb4815e470b4a68");
    }
}
