//! Cephes' logarithm, sine and cosine in float32, as GCC contracts torch's vector copies of them.
//!
//! The polynomials are those of Stephen Moshier's cephes library (`logf`, `sinf`, `cosf`), by way of Julien Pommier's
//! and Giovanni Garberoglio's `sse_mathfun.h` and `avx_mathfun.h`, which are zlib-licensed:
//!
//! Copyright (C) 2007, 2012 Julien Pommier, Giovanni Garberoglio. This software is provided 'as-is', without any
//! express or implied warranty. In no event will the authors be held liable for any damages arising from the use of
//! this software. Permission is granted to anyone to use this software for any purpose, including commercial
//! applications, and to alter it and redistribute it freely, subject to the following restrictions: 1. The origin of
//! this software must not be misrepresented; you must not claim that you wrote the original software. If you use this
//! software in a product, an acknowledgment in the product documentation would be appreciated but is not required. 2.
//! Altered source versions must be plainly marked as such, and must not be misrepresented as being the original
//! software. 3. This notice may not be removed or altered from any source distribution. (This is an altered version.)

#![allow(clippy::disallowed_methods, reason = "where GCC fuses a product and a sum, so does this")]

use super::horner::{floats, horner_f32};

/// The highest power first, like the others.
const LOG: [f32; 9] = floats([
    0x3d90_21bb,
    0xbdeb_d1b8,
    0x3def_251a,
    0xbdfe_5d4f,
    0x3e11_e9bf,
    0xbe2a_ae50,
    0x3e4c_ceac,
    0xbe7f_fffc,
    0x3eaa_aaaa,
]);
const SIN: [f32; 3] = floats([0xb94c_a1f9, 0x3c08_839e, 0xbe2a_aaa3]);
const COS: [f32; 3] = floats([0x37cc_f5ce, 0xbab6_061a, 0x3d2a_aaa5]);
/// −π/4 in three parts; ln 2 in two; 4/π.
// The first parts are short, so that their products with a small integer are exact (Cody and Waite).
const MINUS_QUARTER_PI: [f32; 3] = floats([0xbf49_0000, 0xb97d_a000, 0xb322_2169]);
const LN_2: [f32; 2] = floats([0x3f31_8000, 0xb95e_8083]);
const FOUR_OVER_PI: f32 = f32::from_bits(0x3fa2_f983);
const SQRT_HALF: u32 = 0x3f35_04f3;

/// ln x of a positive, normal x.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    // The mantissa in [√½, √2), less one.
    // The original's masks for 0, subnormals and negative numbers are left out: 1 − u of a uniform is none of them.
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 126;
    let mantissa = bits & 0x007f_ffff | 0x3f00_0000;
    let below = mantissa < SQRT_HALF;
    let e = (exponent - i32::from(below)) as f32;
    let m = f32::from_bits(mantissa);
    // 2m − 1 below √½, exact like m − 1: only the polynomial rounds.
    let x = (m - 1.0) + if below { m } else { 0.0 };
    let z = x * x;
    let mut y = horner_f32(&LOG, x) * x;
    // Of a sum of two products GCC fuses one: the other is rounded first.
    y = y.mul_add(z, e * LN_2[1]);
    // The half is exact, so nobody can tell whether GCC fuses this one.
    y -= z * 0.5;
    // The large part of ln 2 comes last: what was small is summed by then.
    e.mul_add(LN_2[0], x + y)
}

/// (sin x, cos x) of an x from 0 to 2π.
#[inline(always)]
pub(crate) fn sin_cos(x: f32) -> (f32, f32) {
    // Up to an even octant, so that what remains of x lies within π/4 of 0.
    let octant = ((x * FOUR_OVER_PI) as i32 + 1) & !1;
    let j = octant as f32;
    // Part by part: π/4 as one float32 would leave an error that grows with j.
    let x = j.mul_add(MINUS_QUARTER_PI[0], x);
    let x = j.mul_add(MINUS_QUARTER_PI[1], x);
    let x = j.mul_add(MINUS_QUARTER_PI[2], x);
    let z = x * x;
    let cos = (horner_f32(&COS, z) * z).mul_add(z, -(z * 0.5)) + 1.0;
    let sin = (horner_f32(&SIN, z) * z).mul_add(x, x);
    // In every other quarter turn sine and cosine change places.
    let (sin, cos) = if octant & 2 == 0 { (sin, cos) } else { (cos, sin) };
    // Signs as bits, so that the loop over this has no branches. The octant is even: its lowest bit tells nothing.
    let sign = |negative: bool| if negative { 0x8000_0000_u32 } else { 0 };
    let sin = f32::from_bits(sin.to_bits() ^ sign(octant & 4 != 0));
    // A quarter turn ahead of the sine's sign: negative in the octants 2 and 4, positive in 0, 6 and 8.
    let cos = f32::from_bits(cos.to_bits() ^ sign(octant.wrapping_sub(2) & 4 == 0));
    (sin, cos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::exact::{CHECKSUM, checksum};

    /// A coefficient, or a fused step, other than torch's: every argument that its 24-bit uniforms give. The sums are
    /// of functions whose values torch's normal tensors had, some 400 million of them, to the last bit.
    #[test]
    fn equal_torch_for_every_24_bit_uniform() {
        let (mut log, mut sine, mut cosine) = (CHECKSUM, CHECKSUM, CHECKSUM);
        for word in 0..1 << 24 {
            let u = word as f32 * f32::from_bits((127 - 24) << 23);
            log = checksum(log, u64::from(ln(1.0 - u).to_bits()));
            let (s, c) = sin_cos(std::f32::consts::TAU * u);
            sine = checksum(sine, u64::from(s.to_bits()));
            cosine = checksum(cosine, u64::from(c.to_bits()));
        }
        assert_eq!([log, sine, cosine], [0x1bdb_b5f6_bbe1_e90d, 0xf26c_0731_6bf2_6bc9, 0x5f65_a0e8_1339_b91c]);
    }

    /// As above, against mathematics: sums that were taken from a wrong function would not show it.
    #[test]
    fn are_logarithm_sine_and_cosine() {
        for word in (0..1 << 24).step_by(37) {
            let u = word as f32 * f32::from_bits((127 - 24) << 23);
            let (x, exact) = (1.0 - u, crate::replay::exact::libm::ln(f64::from(1.0 - u)));
            assert!((f64::from(ln(x)) - exact).abs() <= 2e-7 * exact.abs(), "{x:e}");
            let angle = std::f32::consts::TAU * u;
            let (exact, found) = (crate::replay::exact::libm::sin_cos(f64::from(angle)), sin_cos(angle));
            assert!((f64::from(found.0) - exact.0).abs() < 1.5e-7, "{angle:e}");
            assert!((f64::from(found.1) - exact.1).abs() < 1.5e-7, "{angle:e}");
        }
    }
}
