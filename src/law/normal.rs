//! The standard normal law, by Box and Muller (*A note on the generation of random normal deviates*, 1958).
//!
//! Elements 2j and 2j + 1 take words w0 and w1 (64-bit words for float64):
//!
//! * radius √(−2 ln u₁) with t = min(w0, !w0) + ½: u₁ = t · 2^−32 where w0 is below the middle, 1 − t · 2^−32
//!   above it, so that both ends keep their full relative resolution and the tail reaches past 6.7 σ;
//! * angle 2π(w1 + ½) · 2^−32, reduced to an octant in integers, so that no bit of it is lost.

use crate::math::{minus_ln_f32, minus_ln_f64, octant_sin_cos_f32, octant_sin_cos_f64};

/// Pairs of float32 from words `w0`, `w1`.
#[inline(always)]
pub(super) fn pairs_f32(words: &[u32], values: &mut [f32], scale: f32) {
    // Pairs that are made together: the many instructions of one vector wait for each other, those of several do not.
    const LANES: usize = 64;
    debug_assert!(words.len().is_multiple_of(2 * LANES), "whole groups of blocks");
    let words = words.as_chunks::<2>().0.as_chunks::<LANES>().0;
    let pairs = values.as_chunks_mut::<2>().0.as_chunks_mut::<LANES>().0;
    for (pairs, words) in pairs.iter_mut().zip(words) {
        // Apart first: vectors then hold as many lanes as they have room for values.
        let (mut w0, mut w1) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            [w0[lane], w1[lane]] = words[lane];
        }
        let (mut radius, mut x, mut y) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            radius[lane] = radius_f32(w0[lane]);
        }
        for lane in 0..LANES {
            [x[lane], y[lane]] = direction_f32(w1[lane]);
        }
        for lane in 0..LANES {
            pairs[lane] = [radius[lane] * x[lane] * scale, radius[lane] * y[lane] * scale];
        }
    }
}

/// Pairs of float64 from blocks of two 64-bit words.
#[inline(always)]
pub(super) fn pairs_f64(blocks: &[[u64; 2]], values: &mut [f64], scale: f64) {
    for (pair, &[w0, w1]) in values.as_chunks_mut::<2>().0.iter_mut().zip(blocks) {
        let radius = radius_f64(w0);
        *pair = direction_f64(w1).map(|x| radius * x * scale);
    }
}

#[inline(always)]
fn radius_f32(word: u32) -> f32 {
    const SCALE: f32 = 1.0 / (1_u64 << 32) as f32;
    let below = word as i32 >= 0;
    // Through signed integers: unsigned ones have no vector conversion below AVX-512.
    let t = (if below { word } else { !word }) as i32 as f32 + 0.5;
    let minus_ln = minus_ln_f32(t * SCALE, below);
    (minus_ln + minus_ln).sqrt()
}

#[inline(always)]
fn direction_f32(word: u32) -> [f32; 2] {
    const REST: u32 = (1 << 29) - 1;
    const REST_SCALE: f32 = 1.0 / (1 << 29) as f32;
    // Odd octants run backwards: the complement of the rest mirrors (rest + ½) exactly.
    let odd = word & (1 << 29) != 0;
    let rest = (if odd { !word } else { word }) & REST;
    let (sin, cos) = octant_sin_cos_f32((rest as i32 as f32 + 0.5) * REST_SCALE);
    let swap = word.wrapping_add(1 << 29) & (1 << 30) != 0; // octants 1, 2, 5, 6
    let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
    let x_sign = word.wrapping_add(1 << 30) & (1 << 31); // octants 2 to 5
    let y_sign = word & (1 << 31); // octants 4 to 7
    [f32::from_bits(x.to_bits() ^ x_sign), f32::from_bits(y.to_bits() ^ y_sign)]
}

#[inline(always)]
fn radius_f64(word: u64) -> f64 {
    // As in float32, with words twice as wide.
    const SCALE: f64 = 1.0 / (1_u128 << 64) as f64;
    let below = word as i64 >= 0;
    let t = (if below { word } else { !word }) as f64 + 0.5;
    let minus_ln = minus_ln_f64(t * SCALE, below);
    (minus_ln + minus_ln).sqrt()
}

#[inline(always)]
fn direction_f64(word: u64) -> [f64; 2] {
    const REST: u64 = (1 << 61) - 1;
    const REST_SCALE: f64 = 1.0 / (1_u64 << 61) as f64;
    let odd = word & (1 << 61) != 0;
    let rest = (if odd { !word } else { word }) & REST;
    let (sin, cos) = octant_sin_cos_f64((rest as f64 + 0.5) * REST_SCALE);
    let swap = word.wrapping_add(1 << 61) & (1 << 62) != 0;
    let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
    let x_sign = word.wrapping_add(1 << 62) & (1 << 63);
    let y_sign = word & (1 << 63);
    [f64::from_bits(x.to_bits() ^ x_sign), f64::from_bits(y.to_bits() ^ y_sign)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair_f32(w0: u32, w1: u32) -> [f32; 2] {
        let mut values = [0.0; 128];
        pairs_f32([[w0, w1]; 64].as_flattened(), &mut values, 1.0);
        [values[0], values[1]]
    }

    fn pair_f64(w0: u64, w1: u64) -> [f64; 2] {
        let mut values = [0.0; 2];
        pairs_f64(&[[w0, w1]], &mut values, 1.0);
        values
    }

    /// A pair that is made of another's words, in any of the loops.
    #[test]
    fn every_lane_has_its_own_words() {
        let words: [u32; 256] = std::array::from_fn(|i| (i as u32 + 1).wrapping_mul(0x9E37_79B9));
        let mut values = [0.0; 256];
        pairs_f32(&words, &mut values, 1.0);
        for (found, [w0, w1]) in values.as_chunks::<2>().0.iter().zip(words.as_chunks().0) {
            assert_eq!(found.map(f32::to_bits), pair_f32(*w0, *w1).map(f32::to_bits));
        }
    }

    /// A wrong octant: the eight directions of the angle, at a radius of √(2 ln 2).
    #[test]
    fn octants_turn_counterclockwise() {
        let radius = (2.0 * std::f64::consts::LN_2).sqrt();
        for octant in 0..8_u32 {
            let angle = (f64::from(octant) + 0.5) * std::f64::consts::FRAC_PI_4;
            let expected = [radius * libm_cos(angle), radius * libm_cos(angle - std::f64::consts::FRAC_PI_2)];
            let single = pair_f32(1 << 31, (octant << 29) + (1 << 28));
            let double = pair_f64(1 << 63, (u64::from(octant) << 61) + (1 << 60));
            for axis in 0..2 {
                assert!((f64::from(single[axis]) - expected[axis]).abs() < 3e-7, "{octant} {axis}");
                assert!((double[axis] - expected[axis]).abs() < 1e-15, "{octant} {axis}");
            }
        }
    }

    fn libm_cos(x: f64) -> f64 {
        x.cos()
    }

    /// A tail cut short (23 bits reach 5.6 σ), a zero radius, or an infinite one.
    #[test]
    fn the_extremes_are_finite_and_past_six_and_a_half() {
        let far = pair_f32(0, 0);
        assert!(far[0] > 6.76 && far[0] < 6.77 && far[1] > 0.0, "{far:?}");
        let near = pair_f32(u32::MAX, 0);
        assert!(near[0] > 1.5e-5 && near[0] < 1.6e-5, "{near:?}");
        let far = pair_f64(0, 0);
        assert!(far[0] > 9.49 && far[0] < 9.5 && far[1] > 0.0, "{far:?}");
        let near = pair_f64(u64::MAX, 0);
        assert!(near[0] > 2.3e-10 && near[0] < 2.4e-10, "{near:?}");
    }
}
