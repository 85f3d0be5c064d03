//! The C library's float64 functions, where this machine's are proven to be the ones that the frameworks call.
//!
//! Frameworks on Linux call glibc's log, log1p, sin and cos (2.28 and later, the variants with fused
//! multiply-add), which are not correctly rounded: only the same code gives the same last bit. Whether the functions
//! of this process are those is found out once, by a checksum of their values.

use crate::math::{minus_ln_f64, octant_sin_cos_f64};
use crate::replay::mt19937::Mt19937;
use std::f64::consts::{FRAC_2_PI, PI};
use std::sync::OnceLock;

/// Values of each function under the checksum.
const POINTS: usize = 1 << 14;
/// FNV-1a over glibc's values; equal on 2.28 to 2.43 with FMA.
const CHECKSUM: u64 = 0x875c_c425_07e4_934c;

/// Whether the C library of this process gives the frameworks' bits.
pub(crate) fn is_proven() -> bool {
    static PROVEN: OnceLock<bool> = OnceLock::new();
    *PROVEN.get_or_init(|| checksum() == CHECKSUM)
}

#[inline(never)]
fn checksum() -> u64 {
    let mut generator = Mt19937::new(1);
    let mut words = [0; 2];
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for _ in 0..POINTS {
        generator.fill(&mut words);
        let u = uniform_f64(words);
        let (sin, cos) = sin_cos(2.0 * PI * u);
        for value in [log(1.0 - u), log_1p(-u), sin, cos] {
            sum = (sum ^ value.to_bits()).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
}

/// In [0, 1), of two words.
#[inline(always)]
pub(crate) fn uniform_f64([high, low]: [u32; 2]) -> f64 {
    let word = u64::from(high) << 32 | u64::from(low);
    (word & ((1 << 53) - 1)) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// The C library's natural logarithm.
#[allow(clippy::disallowed_methods, reason = "the frameworks' own function, proven by the checksum before use")]
#[inline(always)]
pub(crate) fn log(x: f64) -> f64 {
    x.ln()
}

/// The C library's log(1 + x).
#[inline(always)]
pub(crate) fn log_1p(x: f64) -> f64 {
    x.ln_1p()
}

/// The C library's sine and cosine.
#[inline(always)]
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    (x.sin(), x.cos())
}

/// −log(x) of an x in (0, 1), within two units in the last place of any C library's.
pub(crate) fn portable_minus_log(x: f64) -> f64 {
    if x <= 0.5 { minus_ln_f64(x, true) } else { minus_ln_f64(1.0 - x, false) }
}

/// −log(1 − u) of a u in [0, 1), within two units in the last place of any C library's.
pub(crate) fn portable_minus_log_1m(u: f64) -> f64 {
    if u == 0.0 {
        0.0
    } else if u <= 0.5 {
        minus_ln_f64(u, false)
    } else {
        minus_ln_f64(1.0 - u, true)
    }
}

/// (sin x, cos x) of an x from 0 to 2π, within some units in the last place of any C library's.
pub(crate) fn portable_sin_cos(x: f64) -> (f64, f64) {
    // π/2 in three parts: the first two have 33 bits, so that their products with a small integer are exact.
    const HIGH: f64 = f64::from_bits(0x3ff9_21fb_5440_0000);
    const MIDDLE: f64 = f64::from_bits(0x3dd0_b461_1a60_0000);
    const LOW: f64 = f64::from_bits(0x3ba3_198a_2e03_7073);
    let quadrant = (x * FRAC_2_PI + 0.5) as i32;
    let k = f64::from(quadrant);
    let rest = ((x - k * HIGH) - k * MIDDLE) - k * LOW;
    let (sin, cos) = octant_sin_cos_f64(rest.abs() * (4.0 / PI));
    let sin = sin.copysign(rest);
    match quadrant & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A portable function that is wrong somewhere: on any machine it stays close to the C library's.
    #[test]
    fn portable_functions_are_close_to_the_c_librarys() {
        let mut generator = Mt19937::new(2);
        let close = |a: f64, b: f64| (a - b).abs() <= 8.0 * f64::EPSILON * b.abs();
        for i in 0..200_000 {
            let mut words = [0; 2];
            generator.fill(&mut words);
            let u = if i < 1000 { f64::from(i) / 1000.0 } else { uniform_f64(words) };
            assert!(close(-portable_minus_log_1m(u), log_1p(-u)), "{u:e}");
            assert!(u == 0.0 || close(-portable_minus_log(u), log(u)), "{u:e}");
            let (found, expected) = (portable_sin_cos(2.0 * PI * u), sin_cos(2.0 * PI * u));
            assert!(close(found.0, expected.0) && close(found.1, expected.1), "{u:e} {found:?} {expected:?}");
        }
    }

    /// A checksum that another library would pass: it must notice one unit in one last place.
    #[test]
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    fn this_library_is_proven() {
        assert_eq!(checksum(), CHECKSUM, "found {:#x}", checksum());
        assert!(is_proven());
    }
}
