//! Functions whose bits a framework's values depend on, each in one place.

pub(crate) mod arm;
pub(crate) mod cephes;
pub(crate) mod horner;
pub mod libm;
pub mod xla;
pub(crate) mod xla_f64;

/// Where a checksum starts (FNV-1a's offset).
pub(crate) const CHECKSUM: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a over 64-bit items: enough to tell one algorithm from another.
pub(crate) const fn checksum(sum: u64, item: u64) -> u64 {
    // Not keyed: nobody attacks it. Order counts, which a plain sum would not see.
    (sum ^ item).wrapping_mul(0x100_0000_01b3)
}
