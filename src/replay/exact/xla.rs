//! XLA's logarithm, log(1 + x), error function and its inverse in float32, as its CPU compiler (jaxlib 0.10) fuses them
//! on machines with fused multiply-add.
//!
//! The coefficients are XLA's, which is licensed under Apache-2.0 (openxla/xla); the inverse error function's are Mike
//! Giles' (*Approximating the erfinv function*, GPU Computing Gems, 2011), the logarithm's cephes'.

#![allow(clippy::disallowed_methods, reason = "where XLA's compiler fuses a product and a sum, so does this")]

use super::horner::{floats, horner_f32};

/// ln x for x in (0, ∞); less than the least normal number counts as that.
#[inline(always)]
pub(crate) fn log(x: f32) -> f32 {
    const LEAST: f32 = f32::MIN_POSITIVE;
    const SQRT_HALF: u32 = 0x3f35_04f3;
    const LN_2_HIGH: f32 = f32::from_bits(0x3f31_8000);
    const LN_2_LOW: f32 = f32::from_bits(0xb95e_8083);
    // Cephes' polynomial of degree 8 in three interleaved ones of degree 2.
    const FIRST: [f32; 3] = floats([0x3d90_21bb, 0xbdeb_d1b8, 0x3def_251a]);
    const SECOND: [f32; 3] = floats([0xbdfe_5d4f, 0x3e11_e9bf, 0xbe2a_ae50]);
    const THIRD: [f32; 3] = floats([0x3e4c_ceac, 0xbe7f_fffc, 0x3eaa_aaaa]);

    // XLA's guard, which keeps ln 0 finite; `erfinv` makes up for it.
    let bits = (if x > LEAST { x } else { LEAST }).to_bits();
    let mantissa = bits & 0x007f_ffff | 0x3f00_0000;
    // Into [√½, √2), where the polynomial is good; 2m − 1 and m − 1 are both exact.
    let below = mantissa < SQRT_HALF;
    let e = ((bits >> 23) as i32 - 126 - i32::from(below)) as f32;
    let m = f32::from_bits(mantissa);
    let x = (m - 1.0) + if below { m } else { 0.0 };
    // In x³, so that three short chains run side by side; one chain of nine would round otherwise.
    let (x2, x3) = (x * x, x * x * x);
    let y = horner_f32(&FIRST, x).mul_add(x3, horner_f32(&SECOND, x));
    let y = y.mul_add(x3, horner_f32(&THIRD, x));
    // LLVM fuses one product of a sum of two: the other is rounded first.
    let y = y.mul_add(x3, e * LN_2_LOW);
    // Half of x² is exact, so that it does not matter whether that difference is fused.
    e.mul_add(LN_2_HIGH, (x - x2 * 0.5) + y)
}

/// ln(1 + z) for z in (−1, 0].
#[inline(always)]
pub(crate) fn log1p(z: f32) -> f32 {
    // √2 − 1: up to here 1 + z would lose too many bits of z.
    const NEAR: f32 = f32::from_bits(0x3ed4_13cd);
    const NUMERATOR: [f32; 7] =
        floats([0x383d_e04b, 0x3eff_40c5, 0x40d2_84fa, 0x41ef_4b9c, 0x4273_cc76, 0x4264_73ad, 0x41a0_5101]);
    const DENOMINATOR: [f32; 7] =
        floats([0x3f80_0000, 0x4171_01ad, 0x42a6_185b, 0x435d_c32d, 0x439a_8ca3, 0x4358_6d8a, 0x4270_7982]);

    // Both forms are computed, as below: a selection vectorises.
    let z2 = z * z;
    let rest = (z * z2) * (horner_f32(&NUMERATOR, z) / horner_f32(&DENOMINATOR, z));
    let near = z + z2.mul_add(-0.5, rest);
    let far = log(1.0 + z);
    if z.abs() < NEAR { near } else { far }
}

/// From this −ln(1 − x²) on, the inverse error function takes its tail's polynomial.
const TAIL: f32 = 5.0;

/// The inverse error function on \[−1, 1\]; infinite at the ends.
#[inline(always)]
pub(crate) fn erfinv(x: f32) -> f32 {
    const FAR: [f32; 9] = floats([
        0xb951_f09b,
        0x38d3_b56b,
        0x3ab0_dc72,
        0xbb70_bde7,
        0x3bbc_127b,
        0xbbf9_c5d7,
        0x3c1a_a57e,
        0x3f80_36db,
        0x4035_4f7e,
    ]);
    // Giles takes ln((1 − x)(1 + x)); XLA's log1p of −x² keeps what small x are.
    let w = -log1p(x * -x);
    // Both are computed and one is kept: a branch would keep the loop from vectorising.
    let near = centre(w);
    // √w and the shifts are Giles': they put each polynomial's argument around 0.
    let far = horner_f32(&FAR, w.sqrt() - 3.0);
    let p = if w < TAIL { near } else { far };
    // At ±1 itself w is finite, because `log` cuts 0 off: without this the result would be, too.
    x * if x.abs() < 1.0 { p } else { f32::INFINITY }
}

/// As [`erfinv`], for an x that [`is_central`] allows.
#[inline(always)]
pub(crate) fn central_erfinv(x: f32) -> f32 {
    // The same steps without the tail's square root and polynomial, so the same bits.
    centre(-log1p(x * -x)) * x
}

/// Whether no |x| up to this one needs the tail's polynomial; with a margin, because roundings are not monotonic.
pub(crate) fn is_central(x: f32) -> bool {
    x.abs() < 0.99 && -log1p(x * -x) < TAIL - 0.5
}

#[inline(always)]
fn centre(w: f32) -> f32 {
    const NEAR: [f32; 9] = floats([
        0x32f1_6588,
        0x34b8_4b36,
        0xb66c_7357,
        0xb693_5ac1,
        0x3965_32db,
        0xbaa4_5408,
        0xbb88_e4ef,
        0x3e7c_8f63,
        0x3fc0_2e2f,
    ]);
    horner_f32(&NEAR, w - 2.5)
}

/// The error function.
#[must_use]
pub fn erf(x: f32) -> f32 {
    // XLA's own limit, from which on it says 1.
    const ONE: f32 = f32::from_bits(0x406f_9c68);
    const NUMERATOR: [f32; 5] = floats([0x3970_2d51, 0x3b5f_5da2, 0x3d50_b6eb, 0x3e3d_a740, 0x3f90_6eba]);
    const DENOMINATOR: [f32; 7] =
        floats([0xb3fd_3906, 0x37c5_88df, 0x3a85_6d28, 0x3c66_87d4, 0x3de3_4c21, 0x3efe_b44a, 0x3f80_0000]);
    if x.abs() >= ONE {
        return 1.0_f32.copysign(x);
    }
    let z = x * x;
    x * horner_f32(&NUMERATOR, z) / horner_f32(&DENOMINATOR, z)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::level::{Kernel, Level};
    use crate::replay::exact::{CHECKSUM, checksum};

    /// Every uniform of 23 bits between two limits, through a function.
    struct Sweep<'a> {
        low: f32,
        high: f32,
        function: Function,
        out: &'a mut [f32],
    }

    #[derive(Clone, Copy, Debug)]
    enum Function {
        Erfinv,
        CentralErfinv,
        Erf,
    }

    impl Kernel for Sweep<'_> {
        #[inline(always)]
        fn run(self, _: Level) {
            for (mantissa, x) in self.out.iter_mut().enumerate() {
                *x = (f32::from_bits(0x3f80_0000 | mantissa as u32) - 1.0).mul_add(self.high - self.low, self.low);
            }
            let sqrt_2 = std::f32::consts::SQRT_2;
            match self.function {
                Function::Erfinv => {
                    for x in self.out {
                        *x = erfinv(*x) * sqrt_2;
                    }
                }
                Function::CentralErfinv => {
                    for x in self.out {
                        *x = central_erfinv(*x) * sqrt_2;
                    }
                }
                Function::Erf => {
                    for x in self.out {
                        *x = erf(*x);
                    }
                }
            }
        }
    }

    /// Each is the checksum of jaxlib 0.10.2's own results.
    const SWEEPS: [(Function, f32, f32, u64); 3] = [
        (Function::Erfinv, -0.999_999_94, 1.0, 0x0d2b_267d_d29b_9c91),
        (Function::CentralErfinv, -MASS, MASS, 0x0e93_a378_1a04_e5bb),
        (Function::Erf, 0.0, 4.0, 0xb8bd_7a3b_ef5e_a6a2),
    ];
    /// Of the standard normal law within two standard deviations.
    const MASS: f32 = f32::from_bits(0x3f74_5a18);

    /// One of the 2^23 arguments with another result than XLA's, at any level, with fused instructions or without.
    #[test]
    fn all_arguments_have_xlas_results() {
        let mut out = vec![0.0; 1 << 23];
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            for (function, low, high, expected) in SWEEPS {
                level.simd().run(Sweep { low, high, function, out: &mut out });
                let found = out.iter().fold(CHECKSUM, |sum, x| checksum(sum, u64::from(x.to_bits())));
                assert_eq!(found, expected, "{function:?} {level:?} {found:#x}");
            }
        }
    }

    /// A uniform that needs the tail's polynomial and does not get it.
    #[test]
    fn only_the_centre_is_central() {
        assert!(is_central(MASS) && is_central(-0.98) && !is_central(0.995) && !is_central(-1.0));
        for x in [0.0, 0.3, -0.98] {
            assert_eq!(central_erfinv(x).to_bits(), erfinv(x).to_bits());
        }
    }
}
