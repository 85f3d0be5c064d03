//! The host's own `log` and `sincos` in float64, where they are proven to be those that the frameworks were replayed on.

use super::{CHECKSUM, checksum};
use std::sync::OnceLock;

/// Arguments of the proof; one in a thousand of them tells glibc's variant without FMA from the one with it.
const ARGUMENTS: u64 = 1 << 17;
/// Of glibc 2.36's `log` and `sincos` with FMA, computed in C.
const PROVEN: u64 = 0xbdda_48ba_8c26_d05d;

/// Whether the host's functions give the bits of glibc (2.28 or later) on a processor with FMA.
#[must_use]
pub fn is_proven() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| proof() == PROVEN)
}

/// A checksum over arguments spread evenly over (0, 1) and (0, 2π).
fn proof() -> u64 {
    (1..ARGUMENTS).fold(CHECKSUM, |sum, number| {
        // The golden ratio's multiples spread evenly, and have full mantissas.
        let u = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 12) as f64 * f64::from_bits((1023 - 52) << 52);
        let (sine, cosine) = sin_cos(std::f64::consts::TAU * u);
        [ln(u), sine, cosine].into_iter().fold(sum, |sum, value| checksum(sum, value.to_bits()))
    })
}

/// The host's `log`.
#[allow(clippy::disallowed_methods, reason = "a framework calls the host's too; is_proven says whether it is the same")]
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    x.ln()
}

/// The host's `sincos`: (sine, cosine).
#[allow(clippy::disallowed_methods, reason = "as above")]
#[inline(always)]
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    x.sin_cos()
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// A proof that refuses the library the frameworks run on, where the processor has FMA.
    #[test]
    fn glibc_with_fma_is_proven() {
        assert_eq!(is_proven(), is_x86_feature_detected!("fma"), "{:#x}", proof());
    }
}
