//! XLA's inverse error function in float64, as its CPU compiler (jaxlib 0.10) fuses it; see `xla.rs` for its sources.

#![allow(clippy::disallowed_methods, reason = "where XLA's compiler fuses a product and a sum, so does this")]

use super::horner::{doubles, horner_f64};
use super::libm;

/// ln(1 + z) for z in (−1, 0]. Not far from 0 it is a rational function, elsewhere the C library's logarithm.
#[inline(always)]
fn log1p(z: f64) -> f64 {
    const NEAR: f64 = f64::from_bits(0x3fda_8279_99fc_ef32);
    const NUMERATOR: [f64; 7] = doubles([
        0x3f07_bc09_62b3_95ca,
        0x3fdf_e818_a0fe_1a83,
        0x401a_509f_46f4_fa53,
        0x403d_e973_8b8c_b9c9,
        0x404e_798e_b86c_3351,
        0x404c_8e75_9747_9a10,
        0x4034_0a20_2d99_830a,
    ]);
    const DENOMINATOR: [f64; 7] = doubles([
        0x3ff0_0000_0000_0000,
        0x402e_2035_9e90_3e37,
        0x4054_c30b_5221_3498,
        0x406b_b865_90fc_fb56,
        0x4073_5194_5dc9_08a5,
        0x406b_0db1_3e48_e066,
        0x404e_0f30_4466_448e,
    ]);
    // A branch: the call of the C library keeps loops from vectorising anyway.
    if z.abs() >= NEAR {
        return libm::ln(1.0 + z);
    }
    // As in float32, with the same order of products.
    let z2 = z * z;
    let rest = (z * z2) * (horner_f64(&NUMERATOR, z) / horner_f64(&DENOMINATOR, z));
    z + z2.mul_add(-0.5, rest)
}

/// The inverse error function on \[−1, 1\]; infinite at the ends.
#[inline(always)]
pub(crate) fn erfinv(x: f64) -> f64 {
    // Branches are no loss here, since the logarithm's call is one: 999 of 1000 arguments take the first piece.
    let w = -log1p(x * -x);
    let p = if x.abs() >= 1.0 {
        // There w is infinite, and the tail's first coefficient would give it the wrong sign.
        f64::INFINITY
    } else if w < 6.25 {
        horner_f64(&CENTRE, w - 3.125)
    } else if w < 16.0 {
        horner_f64(&SHOULDER, w.sqrt() - 3.25)
    } else {
        horner_f64(&TAIL, w.sqrt() - 5.0)
    };
    x * p
}

// Giles' double precision pieces, the highest power first.
const CENTRE: [f64; 23] = doubles([
    0xbbb1_35d2_e746_e627,
    0xbc08_ddf9_3324_d327,
    0x3c37_b83e_ef0b_7c9f,
    0x3c69_ba72_cd58_9b91,
    0xbca3_3689_090a_6b96,
    0x3c78_2e11_8981_32e0,
    0x3cfd_e4ac_fd9e_26ba,
    0xbd26_d33e_ed66_c487,
    0xbd36_f216_7040_d8e2,
    0x3d87_2a22_c2d7_7e20,
    0xbdac_8859_c4e5_c0af,
    0xbdcd_c583_d118_a561,
    0x3e12_0f47_ccf4_6b3c,
    0xbe31_a9e3_8dc8_4d60,
    0xbe5f_36cd_6d3d_46a9,
    0x3e9c_6b4f_5d03_b787,
    0xbeb6_e8a5_434a_e8a2,
    0xbeed_1d1f_7b87_36f6,
    0x3f28_79c2_a212_f024,
    0xbf48_4576_9484_fca8,
    0xbf78_b6c3_3114_f909,
    0x3fce_bd80_d9b1_3e28,
    0x3ffa_755e_7c99_ae86,
]);

const SHOULDER: [f64; 19] = doubles([
    0x3e23_040f_87db_d932,
    0x3e78_5cbe_5287_8635,
    0xbe92_7774_53dd_3955,
    0x3e53_95ab_cd55_4c6c,
    0x3eb9_3638_8a37_90ad,
    0xbed0_d5db_812b_5083,
    0x3ec8_860c_d5d6_52f6,
    0x3eea_29a0_cacd_fb23,
    0xbf08_cef1_f802_81f2,
    0x3f11_e684_d0b9_188a,
    0x3ef9_32cd_54c8_a222,
    0xbf37_448a_89ef_8aa3,
    0x3f4f_3cc5_5ad4_0c25,
    0xbf5b_a924_132f_38b1,
    0x3f64_68ee_ca53_3cf8,
    0xbf6e_bada_bb89_1bbd,
    0x3f75_ffcf_e5b7_6afc,
    0x3ff0_158a_6d64_1d39,
    0x4008_abcc_380d_5a48,
]);

const TAIL: [f64; 17] = doubles([
    0xbdbd_cec3_a778_5389,
    0xbdf1_8fee_c0e3_8727,
    0x3e19_e6bf_2dda_45e3,
    0xbe30_468f_b24e_2f5f,
    0x3e40_5ac6_a8fb_a182,
    0xbe50_102e_495f_b9c0,
    0x3e5f_4c20_e133_4af8,
    0xbe72_2d22_0fdf_9c3e,
    0x3e8e_bc8b_b824_cb54,
    0xbeb0_a8d4_0ea3_72cc,
    0x3ed2_fbd2_9d09_3d2b,
    0xbef4_a349_7e1e_0fac,
    0x3f13_ebf4_eb00_938f,
    0xbf2c_2f36_a8fc_5d53,
    0xbf22_2ea5_df04_047c,
    0x3ff0_2a30_d1fb_a0dc,
    0x4013_664d_dd1a_d7fb,
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::exact::{CHECKSUM, checksum};

    /// Another coefficient or order of operations than XLA's: jaxlib 0.10.2's own results for a million arguments.
    #[test]
    fn results_are_xlas_where_the_c_library_is() {
        let sum = (1..1_u64 << 20).fold(CHECKSUM, |sum, number| {
            // The golden ratio's multiples spread evenly, and have full mantissas.
            let x = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 * f64::EPSILON - 1.0;
            checksum(sum, erfinv(x).to_bits())
        });
        assert_eq!(sum == 0x6006_6113_5949_5a97, libm::is_proven(), "{sum:#x}");
    }

    /// A tail's polynomial that no other argument reaches: 1 − 2^−k, and what the published inverse says of it.
    #[test]
    fn the_tails_are_the_error_functions() {
        // Near both ends of the middle piece, and in the last one; the squares of these arguments are exact.
        for (power, expected) in
            [(-12, 2.593_900_513_134_488), (-20, 3.465_505_025_803_331), (-26, 4.004_131_885_114_473)]
        {
            let found = erfinv(1.0 - 2.0_f64.powi(power));
            assert!((found - expected).abs() < 1e-14, "{power} {found}");
        }
        assert!(erfinv(1.0) == f64::INFINITY && erfinv(-1.0) == f64::NEG_INFINITY);
    }
}
