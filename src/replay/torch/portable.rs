//! Logarithm, sine and cosine in float64, within some units in the last place of any C library's.

use crate::math::{minus_ln_f64, octant_sin_cos_f64};
use std::f64::consts::{FRAC_2_PI, PI};

/// −ln x of an x in (0, 1).
pub(super) fn minus_ln(x: f64) -> f64 {
    if x <= 0.5 { minus_ln_f64(x, true) } else { minus_ln_f64(1.0 - x, false) }
}

/// −ln(1 − u) of a u in [0, 1).
pub(super) fn minus_ln_1m(u: f64) -> f64 {
    if u == 0.0 {
        0.0
    } else if u <= 0.5 {
        minus_ln_f64(u, false)
    } else {
        minus_ln_f64(1.0 - u, true)
    }
}

/// (sin x, cos x) of an x from 0 to 2π.
pub(super) fn sin_cos(x: f64) -> (f64, f64) {
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
    use crate::machine::level::Level;
    use crate::replay::exact::libm;
    use crate::replay::mt19937::Mt19937;

    /// A function that is wrong somewhere: on any machine it stays close to the C library's.
    #[test]
    fn close_to_the_c_library() {
        let mut generator = Mt19937::new(2, Level::best().simd());
        let close = |a: f64, b: f64| (a - b).abs() <= 8.0 * f64::EPSILON * b.abs();
        for i in 0..200_000 {
            let mut words = [0; 2];
            generator.fill(&mut words);
            let u = if i < 1000 {
                f64::from(i) / 1000.0
            } else {
                (u64::from(words[0]) << 21 | u64::from(words[1] >> 11)) as f64 * f64::EPSILON / 2.0
            };
            assert!(close(-minus_ln_1m(u), libm::ln_1p(-u)), "{u:e}");
            assert!(u == 0.0 || close(-minus_ln(u), libm::ln(u)), "{u:e}");
            let (found, expected) = (sin_cos(2.0 * PI * u), libm::sin_cos(2.0 * PI * u));
            assert!(close(found.0, expected.0) && close(found.1, expected.1), "{u:e} {found:?} {expected:?}");
        }
    }
}
