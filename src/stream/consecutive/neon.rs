//! The kernel of aarch64: NEON.
//!
//! Words live in 32-bit lanes: two widening multiplications and two unzippings make both halves of four products, where
//! 64-bit lanes take as many instructions for two.

use super::keys::{Keys, RUN};
use crate::stream::philox::MULTIPLIERS;
use std::arch::aarch64::{
    uint32x4_t as Vector, vaddq_u32 as add, vdupq_n_u32 as splat, veorq_u32 as xor, vget_low_u32, vmull_high_u32,
    vmull_u32, vreinterpretq_u32_u64 as halves, vreinterpretq_u64_u32 as pairs, vuzp1q_u32, vuzp2q_u32, vzip1q_u32,
    vzip1q_u64, vzip2q_u32, vzip2q_u64,
};

/// Blocks of a vector.
const LANES: usize = 4;
/// Vectors that are made together: as many as registers have room for.
const VECTORS: usize = 3;
/// Blocks that are made together.
const GROUP: usize = VECTORS * LANES;
const _: () = assert!(RUN.is_multiple_of(GROUP));

/// The words of so many blocks, whose numbers have this lower half and those that follow.
#[allow(unsafe_code, reason = "calling a function compiled for a feature; see the block")]
pub(super) fn words(keys: &Keys, first: u32, blocks: usize, words: &mut [[u64; 2]; RUN]) {
    // SAFETY: the only requirement is that the machine has NEON, as every one of this target has.
    unsafe { neon(keys, first, blocks, words) }
}

#[target_feature(enable = "neon")]
fn neon(keys: &Keys, first: u32, blocks: usize, words: &mut [[u64; 2]; RUN]) {
    let [c0, c1, c2, c3] = keys.shared;
    let order: Vector = bytemuck::cast([0_u32, 1, 2, 3]);
    let mut number = add(splat(first), order);
    let groups = words.as_chunks_mut::<GROUP>().0;
    for group in &mut groups[..blocks.div_ceil(GROUP)] {
        let mut x = [[number; VECTORS]; 4];
        for v in 0..VECTORS {
            let [upper, lower] = multiply(number, splat(MULTIPLIERS[0] as u32));
            let x2 = xor(lower, splat(c2 as u32));
            let [upper, lower] = multiply(xor(upper, splat(c0 as u32)), splat(MULTIPLIERS[1] as u32));
            [x[0][v], x[1][v], x[2][v], x[3][v]] = [xor(upper, splat(c1 as u32)), lower, x2, splat(c3 as u32)];
            number = add(number, splat(LANES as u32));
        }
        for keys in &keys.rounds {
            round(&mut x, keys);
        }
        let [x0, x1, x2, x3] = x;
        for (v, out) in group.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let [w01, w23] = [pairs(vzip1q_u32(x0[v], x1[v])), pairs(vzip1q_u32(x2[v], x3[v]))];
            let [v01, v23] = [pairs(vzip2q_u32(x0[v], x1[v])), pairs(vzip2q_u32(x2[v], x3[v]))];
            let blocks = [vzip1q_u64(w01, w23), vzip2q_u64(w01, w23), vzip1q_u64(v01, v23), vzip2q_u64(v01, v23)];
            *out = bytemuck::cast(blocks);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn round([x0, x1, x2, x3]: &mut [[Vector; VECTORS]; 4], keys: &[u64; 2]) {
    for v in 0..VECTORS {
        let p0 = multiply(x0[v], splat(MULTIPLIERS[0] as u32));
        let p1 = multiply(x2[v], splat(MULTIPLIERS[1] as u32));
        x0[v] = xor(xor(p1[0], splat(keys[0] as u32)), x1[v]);
        x1[v] = p1[1];
        x2[v] = xor(xor(p0[0], splat(keys[1] as u32)), x3[v]);
        x3[v] = p0[1];
    }
}

/// The upper and lower halves of the products.
#[inline]
#[target_feature(enable = "neon")]
fn multiply(x: Vector, y: Vector) -> [Vector; 2] {
    let low = halves(vmull_u32(vget_low_u32(x), vget_low_u32(y)));
    let high = halves(vmull_high_u32(x, y));
    [vuzp2q_u32(low, high), vuzp1q_u32(low, high)]
}
