//! `logf` and `sincosf` as the C library has them (glibc 2.28 and later): computed in float64 and rounded once, so
//! that fused multiply-adds never show. TensorFlow calls them, and so does torch without AVX2.
//!
//! Arguments and intermediates live in 64-bit lanes from the random word on: plain loops over these functions
//! vectorise.
//!
//! The tables, the polynomials and their order of evaluation are those of Arm Optimized Routines (`math/logf.c`,
//! `math/logf_data.c`, `math/sincosf.h`, `math/sincosf_data.c`):
//!
//! > Copyright (c) 2017-2024, Arm Limited.
//! > SPDX-License-Identifier: MIT OR Apache-2.0 WITH LLVM-exception

/// 1 / c for the middle c of each sixteenth of an octave from 0.6992 on.
#[rustfmt::skip]
const INVERSES: [f64; 16] = [
    f64::from_bits(0x3ff6_61ec_79f8_f3be), f64::from_bits(0x3ff5_71ed_4aaf_883d), f64::from_bits(0x3ff4_9539_f0f0_10b0),
    f64::from_bits(0x3ff3_c995_b0b8_0385), f64::from_bits(0x3ff3_0d19_0c88_64a5), f64::from_bits(0x3ff2_5e22_7b0b_8ea0),
    f64::from_bits(0x3ff1_bb4a_4a1a_343f), f64::from_bits(0x3ff1_2358_f08a_e5ba), f64::from_bits(0x3ff0_953f_4199_00a7),
    f64::from_bits(0x3ff0_0000_0000_0000), f64::from_bits(0x3fee_608c_fd9a_47ac), f64::from_bits(0x3fec_a4b3_1f02_6aa0),
    f64::from_bits(0x3feb_2036_576a_fce6), f64::from_bits(0x3fe9_c2d1_63a1_aa2d), f64::from_bits(0x3fe8_86e6_0378_41ed),
    f64::from_bits(0x3fe7_67dc_f553_4862),
];

/// ln c.
#[rustfmt::skip]
const LOGARITHMS: [f64; 16] = [
    f64::from_bits(0xbfd5_7bf7_808c_aade), f64::from_bits(0xbfd2_bef0_a7c0_6ddb), f64::from_bits(0xbfd0_1eae_7f51_3a67),
    f64::from_bits(0xbfcb_31d8_a682_24e9), f64::from_bits(0xbfc6_574f_0ac0_7758), f64::from_bits(0xbfc1_aa2b_c79c_8100),
    f64::from_bits(0xbfba_4e76_ce8c_0e5e), f64::from_bits(0xbfb1_973c_5a61_1ccc), f64::from_bits(0xbfa2_52f4_38e1_0c1e),
    f64::from_bits(0x0000_0000_0000_0000), f64::from_bits(0x3faa_a5aa_5df2_5984), f64::from_bits(0x3fbc_5e53_aa36_2eb4),
    f64::from_bits(0x3fc5_26e5_7720_db08), f64::from_bits(0x3fcb_c286_0d22_4770), f64::from_bits(0x3fd1_058b_c8a0_7ee1),
    f64::from_bits(0x3fd4_0430_57b6_ee09),
];

/// Of ln(1 + r), the highest power first.
const LOG: [f64; 3] = [
    f64::from_bits(0xbfd0_0ea3_48b8_8334), // -0x1.00ea348b88334p-2
    f64::from_bits(0x3fd5_575b_0be0_0b6a), // 0x1.5575b0be00b6ap-2
    f64::from_bits(0xbfdf_fffe_f20a_4123), // -0x1.ffffef20a4123p-2
];
/// Of the cosine, the lowest power first.
const COSINE: [f64; 5] = [
    1.0,
    f64::from_bits(0xbfdf_ffff_fd0c_621c), // -0x1.ffffffd0c621cp-2
    f64::from_bits(0x3fa5_5553_e106_8f19), // 0x1.55553e1068f19p-5
    f64::from_bits(0xbf56_c087_e89a_359d), // -0x1.6c087e89a359dp-10
    f64::from_bits(0x3ef9_9343_027b_f8c3), // 0x1.99343027bf8c3p-16
];
/// Of the sine, the third power first.
const SINE: [f64; 3] = [
    f64::from_bits(0xbfc5_5554_5995_a603), // -0x1.555545995a603p-3
    f64::from_bits(0x3f81_1076_0523_0bc4), // 0x1.1107605230bc4p-7
    f64::from_bits(0xbf29_94eb_3774_cf24), // -0x1.994eb3774cf24p-13
];
/// 2^24 · 2/π
const QUADRANTS: f64 = f64::from_bits(0x4164_5f30_6dc9_c883); // 0x1.45f306dc9c883p+23
/// Where the first sixteenth begins: the float32 `0x3F33_0000`, as a float64's bits.
const FIRST: u64 = 0x3FE6_6000_0000_0000;
/// Added to a small integer's float64, it leaves the integer in the low bits; and back.
const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// What [`logf`] needs from its table: 1 / c and ln c of the sixteenth of an octave that `x` lies in. A loop with table
/// look-ups does not vectorise, so that they have one of their own.
#[inline(always)]
#[must_use]
pub(crate) fn sixteenth(x: f64) -> (f64, f64) {
    let number = (x.to_bits().wrapping_sub(FIRST) >> 48) as usize & 15;
    (INVERSES[number], LOGARITHMS[number])
}

/// The C library's `logf(x)`, for a float32 `x` in [2^-24, 1] and its [`sixteenth`].
#[inline(always)]
#[must_use]
pub(crate) fn logf(x: f64, (inverse, logarithm): (f64, f64)) -> f32 {
    let bits = x.to_bits();
    let above = bits.wrapping_sub(FIRST);
    // The exponent, from -24 to 0, kept positive: 64-bit lanes have no signed shift before AVX-512.
    let exponent = (above.wrapping_add(1024 << 52) >> 52) | MAGIC.to_bits();
    let exponent = f64::from_bits(exponent) - (MAGIC + 1024.0);
    let z = f64::from_bits(bits.wrapping_sub(above & (0xfff << 52)));
    let r = z * inverse - 1.0;
    let base = logarithm + exponent * std::f64::consts::LN_2;
    let r2 = r * r;
    let y = LOG[1] * r + LOG[2];
    let y = LOG[0] * r2 + y;
    (y * r2 + (base + r)) as f32
}

/// The C library's `sincosf(x)`: (sine, cosine), for a float32 `x` in [0, 2π].
#[inline(always)]
#[must_use]
pub(crate) fn sincosf(x: f64) -> (f32, f32) {
    // Tiny arguments and those below π/4 have branches of their own there, with what this gives anyway; and there the
    // number of quadrants is cut to an integer before it is rounded. The test has every argument.
    let turns = (x * QUADRANTS + MAGIC).to_bits().wrapping_add(0x80_0000) >> 24;
    let quadrant = turns & 7;
    let x = x - (f64::from_bits(quadrant | MAGIC.to_bits()) - MAGIC) * std::f64::consts::FRAC_PI_2;
    let x2 = x * x;
    let x3 = x2 * x;
    let (x4, x5) = (x2 * x2, x3 * x2);
    let x6 = x4 * x2;
    let sine = (x + x3 * SINE[0]) + x5 * (SINE[1] + x2 * SINE[2]);
    let cosine = ((COSINE[0] + x2 * COSINE[1]) + x4 * COSINE[2]) + x6 * (COSINE[3] + x2 * COSINE[4]);
    let (sine, cosine) = (sine.to_bits(), cosine.to_bits());
    let swap = (quadrant & 1).wrapping_neg() & (sine ^ cosine);
    let negative = ((quadrant & 2) << 62, (quadrant.wrapping_add(1) & 2) << 62);
    let (sine, cosine) = (sine ^ swap ^ negative.0, cosine ^ swap ^ negative.1);
    (f64::from_bits(sine) as f32, f64::from_bits(cosine) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::exact::{CHECKSUM, checksum};

    fn log_of(x: f64) -> f32 {
        logf(x, sixteenth(x))
    }

    /// A constant, or an order of evaluation, other than the C library's: every argument that TensorFlow's 23-bit
    /// uniforms give. The expected checksums were computed with glibc 2.36's own `logf` and `sincosf`.
    #[test]
    fn equal_the_c_library_for_every_23_bit_uniform() {
        let (mut log, mut sine, mut cosine) = (CHECKSUM, CHECKSUM, CHECKSUM);
        for word in 0..1 << 23 {
            let u = f32::from_bits(0x3f80_0000 | word) - 1.0;
            log = checksum(log, u64::from(log_of(f64::from(u.max(1e-7))).to_bits()));
            let (s, c) = sincosf(f64::from((std::f64::consts::TAU * f64::from(u)) as f32));
            sine = checksum(sine, u64::from(s.to_bits()));
            cosine = checksum(cosine, u64::from(c.to_bits()));
        }
        assert_eq!([log, sine, cosine], [0xd57a_de71_edbd_00b5, 0x8708_703a_0566_2a4a, 0x209f_774b_9fa3_a2b9]);
    }

    /// As above, for the logarithms of one minus a 24-bit uniform, which reach 1 itself.
    #[test]
    fn logf_equals_the_c_library_up_to_one() {
        let arguments = (0..1 << 24).map(|word| f64::from(1.0 - word as f32 * f32::from_bits(103 << 23)));
        let sum = arguments.fold(CHECKSUM, |sum, x| checksum(sum, u64::from(log_of(x).to_bits())));
        assert_eq!(sum, 0x2591_401d_6872_4e51);
    }
}
