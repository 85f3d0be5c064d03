//! The host's own `log` and `sincos` in float64, where they are proven to be those that the frameworks were replayed
//! on.

use super::{CHECKSUM, checksum};
use std::sync::OnceLock;

/// Arguments of the proof; one in a thousand of them tells glibc's variant without FMA from the one with it.
const ARGUMENTS: u64 = 1 << 17;
/// Of glibc 2.36's `log` and `sincos` with FMA, computed in C.
const PROVEN: u64 = 0xbdda_48ba_8c26_d05d;
/// Of glibc 2.36's `log1p` with FMA, computed in C.
const LN_1P_PROVEN: u64 = 0x08a6_4548_b712_08ee;

/// Whether the host's functions give the bits of glibc (2.28 or later) on a processor with FMA.
#[must_use]
pub fn is_proven() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    // Once per process: the proof calls the functions a hundred thousand times.
    *FOUND.get_or_init(|| proof() == PROVEN)
}

/// Whether the host's `log1p`, which differs more between versions, gives the bits of glibc 2.36 on a processor with
/// FMA.
#[must_use]
pub fn ln_1p_is_proven() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    // Apart from the other proof, so that a library that fails here still serves JAX and TensorFlow.
    *FOUND.get_or_init(|| ln_1p_proof() == LN_1P_PROVEN)
}

/// A checksum over arguments spread evenly over (0, 1) and (0, 2π).
fn proof() -> u64 {
    // Bits and not distances: a last place that differs is what this is to find.
    arguments().fold(CHECKSUM, |sum, u| {
        let (sine, cosine) = sin_cos(std::f64::consts::TAU * u);
        [ln(u), sine, cosine].into_iter().fold(sum, |sum, value| checksum(sum, value.to_bits()))
    })
}

/// A checksum over arguments spread evenly over (-1, 0).
fn ln_1p_proof() -> u64 {
    arguments().fold(CHECKSUM, |sum, u| checksum(sum, ln_1p(-u).to_bits()))
}

/// Multiples of the golden ratio, which spread evenly over (0, 1) and have full mantissas.
fn arguments() -> impl Iterator<Item = f64> {
    (1..ARGUMENTS).map(|number: u64| {
        // 52 bits and a power of two: exact, so that every host proves the same arguments.
        (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 12) as f64 * f64::from_bits((1023 - 52) << 52)
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

/// The host's `log1p`.
#[inline(always)]
pub(crate) fn ln_1p(x: f64) -> f64 {
    x.ln_1p()
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// A proof that refuses the library the frameworks run on, where the processor has FMA.
    #[test]
    fn glibc_with_fma_is_proven() {
        assert_eq!(is_proven(), is_x86_feature_detected!("fma"), "{:#x}", proof());
    }

    /// Another `log1p` than glibc's, which is refused without need: this library's is one of two that are known.
    #[test]
    fn log1p_is_told_apart() {
        let known = [LN_1P_PROVEN, 0xfca6_42fb_530f_e1ef]; // with FMA, and without
        assert!(known.contains(&ln_1p_proof()), "{:#x}", ln_1p_proof());
    }
}
