//! What a machine can do at best, for benches/limit.py: words, laws and stores, written for processors and not for readers.
//!
//! limit.py compiles this file by itself, with the flags that are there. Nothing of the crate is used: a limit that
//! shared its code would move with it. The values are the native stream's, which limit.py checks.

use std::hint::black_box;

/// Philox's multipliers, and what its keys grow by from round to round.
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Values at once: whole groups of blocks at every level, and few enough for L1.
const BATCH: usize = 384;

/// What all blocks of a stream share, as long as their numbers have 32 bits.
pub struct Stream {
    /// The keys of each round, in 64 bits, so that one instruction broadcasts them from memory.
    keys: [[u64; 2]; 10],
    /// Rounds 1 and 2, as far as they depend on no block: three words that are xored, and one that is a result.
    early: [u64; 4],
    /// The counter's upper half.
    #[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "there it is part of `early`"))]
    upper: [u32; 2],
}

impl Stream {
    fn new(name: [u32; 4]) -> Self {
        let [k0, k1, upper @ ..] = name;
        let keys: [[u32; 2]; 10] = std::array::from_fn(|round| {
            let grown = |key: u32, weyl: u32| key.wrapping_add(weyl.wrapping_mul(round as u32));
            [grown(k0, WEYL[0]), grown(k1, WEYL[1])]
        });
        let wide = |x: u32, m: u32| u64::from(x) * u64::from(m);
        let second = wide(upper[0], MULTIPLIERS[1]);
        let first = wide((second >> 32) as u32 ^ keys[0][0], MULTIPLIERS[0]);
        let early =
            [upper[1] ^ keys[0][1], second as u32 ^ keys[1][0], (first >> 32) as u32 ^ keys[1][1], first as u32];
        Self { keys: keys.map(|pair| pair.map(u64::from)), early: early.map(u64::from), upper }
    }
}

#[cfg(target_arch = "x86_64")]
mod kernels {
    use super::{MULTIPLIERS, Stream};
    use std::arch::x86_64::*;

    /// The words of one level: vectors of so many 64-bit lanes, so many of them in lockstep.
    ///
    /// A lane holds a block. They lie in the order that packing undoes: two words a lane, then two unpackings.
    macro_rules! words {
        (
            $name:ident, $feature:literal, $vector:ty, $lanes:literal lanes, $group:literal in lockstep,
            numbers $numbers:expr,
            $set:ident $add:ident $multiply:ident $unpack_low:ident $unpack_high:ident $store:ident,
            shift |$s:ident| $shift:expr,
            xor |$a:ident, $b:ident, $c:ident| $xor:expr,
            pack |$x:ident, $y:ident| $pack:expr
        ) => {
            #[target_feature(enable = $feature)]
            pub unsafe fn $name(stream: &Stream, first: u64, out: *mut u32, values: usize) {
                let (m0, m1) = ($set(i64::from(MULTIPLIERS[0])), $set(i64::from(MULTIPLIERS[1])));
                let high = |$s: $vector| $shift;
                let xor = |$a: $vector, $b: $vector, $c: $vector| $xor;
                let pack = |$x: $vector, $y: $vector| $pack;
                let key = |word: u64| $set(word as i64);
                let mut blocks: [$vector; $group] =
                    std::array::from_fn(|g| $add($set((first + $lanes * g as u64) as i64), $numbers));
                for group in 0..values / (4 * $lanes * $group) {
                    let (mut x0, mut x1, mut x2, mut x3) = (blocks, blocks, blocks, blocks);
                    for g in 0..$group {
                        let first = $multiply(blocks[g], m0);
                        let second = $multiply(xor(high(first), key(stream.early[0]), $set(0)), m1);
                        x0[g] = xor(high(second), key(stream.early[1]), $set(0));
                        x1[g] = second;
                        x2[g] = xor(first, key(stream.early[2]), $set(0));
                        x3[g] = key(stream.early[3]);
                        blocks[g] = $add(blocks[g], $set($lanes * $group));
                    }
                    for keys in &stream.keys[2..] {
                        for g in 0..$group {
                            let (first, second) = ($multiply(x0[g], m0), $multiply(x2[g], m1));
                            x0[g] = xor(high(second), key(keys[0]), x1[g]);
                            x2[g] = xor(high(first), key(keys[1]), x3[g]);
                            (x1[g], x3[g]) = (second, first);
                        }
                    }
                    for g in 0..$group {
                        let (front, back) = (pack(x0[g], x1[g]), pack(x2[g], x3[g]));
                        // SAFETY: the caller's `values` words, of which these are the next.
                        unsafe {
                            let at = out.add(4 * $lanes * ($group * group + g));
                            $store(at.cast(), $unpack_low(front, back));
                            $store(at.add(2 * $lanes).cast(), $unpack_high(front, back));
                        }
                    }
                }
            }
        };
    }

    words!(
        avx512, "avx512f,avx512bw,avx512dq,avx512vl", __m512i, 8 lanes, 4 in lockstep,
        numbers _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0),
        _mm512_set1_epi64 _mm512_add_epi64 _mm512_mul_epu32 _mm512_unpacklo_epi64 _mm512_unpackhi_epi64 _mm512_storeu_si512,
        shift |x| _mm512_srli_epi64(x, 32),
        xor |a, b, c| _mm512_ternarylogic_epi64(a, b, c, 0x96),
        pack |x, y| _mm512_mask_shuffle_epi32(x, 0xAAAA, y, 0xA0)
    );
    words!(
        avx2, "avx2", __m256i, 4 lanes, 3 in lockstep,
        numbers _mm256_set_epi64x(3, 1, 2, 0),
        _mm256_set1_epi64x _mm256_add_epi64 _mm256_mul_epu32 _mm256_unpacklo_epi64 _mm256_unpackhi_epi64 _mm256_storeu_si256,
        shift |x| _mm256_srli_epi64(x, 32),
        xor |a, b, c| _mm256_xor_si256(_mm256_xor_si256(a, b), c),
        pack |x, y| _mm256_blend_epi32(x, _mm256_shuffle_epi32(y, 0xA0), 0xAA)
    );
    words!(
        sse2, "sse2", __m128i, 2 lanes, 2 in lockstep,
        numbers _mm_set_epi64x(1, 0),
        _mm_set1_epi64x _mm_add_epi64 _mm_mul_epu32 _mm_unpacklo_epi64 _mm_unpackhi_epi64 _mm_storeu_si128,
        shift |x| _mm_srli_epi64(x, 32),
        xor |a, b, c| _mm_xor_si128(_mm_xor_si128(a, b), c),
        pack |x, y| _mm_or_si128(_mm_and_si128(x, _mm_set1_epi64x(0xffff_ffff)), _mm_slli_epi64(y, 32))
    );
}

#[cfg(target_arch = "aarch64")]
mod kernels {
    use super::{MULTIPLIERS, Stream};
    use std::arch::aarch64::*;

    /// Lanes of 32 bits: a product of four blocks is two multiplications and two unzips, then two xors.
    pub unsafe fn neon(stream: &Stream, first: u64, out: *mut u32, values: usize) {
        const GROUP: usize = 3;
        // SAFETY: every aarch64 has NEON, and the stores go to the caller's `values` words.
        unsafe {
            let (m0, m1) = (vdupq_n_u32(MULTIPLIERS[0]), vdupq_n_u32(MULTIPLIERS[1]));
            let lanes = vld1q_u32([0, 1, 2, 3].as_ptr());
            let product = |x, m| {
                let (low, high) = (vmull_u32(vget_low_u32(x), vget_low_u32(m)), vmull_high_u32(x, m));
                let (low, high) = (vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high));
                (vuzp1q_u32(low, high), vuzp2q_u32(low, high))
            };
            for group in 0..values / (16 * GROUP) {
                let block = first + (4 * GROUP * group) as u64;
                let mut x: [[uint32x4_t; 4]; GROUP] = std::array::from_fn(|g| {
                    let number = vaddq_u32(vdupq_n_u32(block as u32 + 4 * g as u32), lanes);
                    let [low, high] = stream.upper.map(|word| vdupq_n_u32(word));
                    [number, vdupq_n_u32((block >> 32) as u32), low, high]
                });
                for keys in &stream.keys {
                    let (k0, k1) = (vdupq_n_u32(keys[0] as u32), vdupq_n_u32(keys[1] as u32));
                    for [x0, x1, x2, x3] in &mut x {
                        let ((low0, high0), (low1, high1)) = (product(*x0, m0), product(*x2, m1));
                        (*x0, *x1) = (veorq_u32(veorq_u32(high1, k0), *x1), low1);
                        (*x2, *x3) = (veorq_u32(veorq_u32(high0, k1), *x3), low0);
                    }
                }
                for (g, [x0, x1, x2, x3]) in x.into_iter().enumerate() {
                    vst4q_u32(out.add(16 * (GROUP * group + g)), uint32x4x4_t(x0, x1, x2, x3));
                }
            }
        }
    }
}

/// The machine's level: 0 for what every machine has, 1 for AVX2, 2 for AVX-512.
#[unsafe(no_mangle)]
pub extern "C" fn best_level() -> u32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        return 2;
    } else if is_x86_feature_detected!("avx2") {
        return 1;
    }
    0
}

unsafe fn words(level: u32, stream: &Stream, first: u64, out: *mut u32, values: usize) {
    // SAFETY: the caller's level is one that the machine has, and `out` has so many words.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        match level {
            2 => kernels::avx512(stream, first, out, values),
            1 => kernels::avx2(stream, first, out, values),
            _ => kernels::sse2(stream, first, out, values),
        }
        #[cfg(target_arch = "aarch64")]
        {
            let _ = level;
            kernels::neon(stream, first, out, values);
        }
    }
}

/// A law and its scale, in one loop over words in L1: 0 uniform, 1 truncated normal at two standard deviations.
#[inline(always)]
fn law_loop(law: u32, scale: f32, words: &[u32; BATCH], out: &mut [f32; BATCH]) {
    const P: [f32; 4] = [0.803712, 8.52446, 20.359755, 8.444863];
    const Q: [f32; 5] = [1.0, 13.861199, 52.59876, 55.458927, 10.7246275];
    const STEP: f32 = 1.0 / (1u64 << 31) as f32;
    let odd = |word: u32| ((word & 0xffff_ff00) | 0x80) as i32 as f32;
    if law == 0 {
        for (value, &word) in out.iter_mut().zip(words) {
            *value = odd(word) * (scale * STEP);
        }
        return;
    }
    for (value, &word) in out.iter_mut().zip(words) {
        let u = odd(word) * STEP;
        let (square, s) = (u * u, 1.0 - u * u);
        let p = ((P[3] * s + P[2]) * s + P[1]) * s + P[0];
        let q = (((Q[4] * s + Q[3]) * s + Q[2]) * s + Q[1]) * s + Q[0];
        *value = u * (1.196_288_f32 + square * p / q) * scale;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn law_512(law: u32, scale: f32, words: &[u32; BATCH], out: &mut [f32; BATCH]) {
    law_loop(law, scale, words, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn law_256(law: u32, scale: f32, words: &[u32; BATCH], out: &mut [f32; BATCH]) {
    law_loop(law, scale, words, out);
}

unsafe fn values(level: u32, law: u32, scale: f32, stream: &Stream, first: u64, out: &mut [f32]) {
    #[repr(align(64))]
    struct Lines([u32; BATCH]);
    let mut buffer = Lines([0; BATCH]);
    for (batch, out) in out.as_chunks_mut::<BATCH>().0.iter_mut().enumerate() {
        // SAFETY: a prefetch of memory that is ours; then as in `words`.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            for line in out.chunks(16) {
                std::arch::asm!("prefetchw [{}]", in(reg) line.as_ptr(), options(nostack, preserves_flags));
            }
            words(level, stream, first + (batch * BATCH / 4) as u64, buffer.0.as_mut_ptr(), BATCH);
            match level {
                #[cfg(target_arch = "x86_64")]
                2 => law_512(law, scale, &buffer.0, out),
                #[cfg(target_arch = "x86_64")]
                1 => law_256(law, scale, &buffer.0, out),
                _ => law_loop(law, scale, &buffer.0, out),
            }
        }
    }
}

/// Writes whole batches of `out` on so many threads: by law 0 or 1, by 2 words alone, by 3 `scale` everywhere.
///
/// # Safety
///
/// `name` has four words, `out` has `length` floats, and the machine has the level.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn limit(
    level: u32,
    law: u32,
    scale: f32,
    name: *const u32,
    out: *mut f32,
    length: usize,
    threads: usize,
) {
    // SAFETY: as the caller promises.
    let (name, out) = unsafe { (*name.cast::<[u32; 4]>(), std::slice::from_raw_parts_mut(out, length)) };
    let stream = &Stream::new(name);
    let share = length.div_ceil(threads).next_multiple_of(4 * BATCH);
    let work = |number: usize, out: &mut [f32]| {
        let first = (number * share / 4) as u64;
        // SAFETY: as the caller promises; `out` is this thread's own.
        unsafe {
            match law {
                3 => out.fill(black_box(scale)),
                2 => words(level, stream, first, out.as_mut_ptr().cast(), out.len() / BATCH * BATCH),
                _ => values(level, law, scale, stream, first, out),
            }
        }
    };
    if threads == 1 {
        return work(0, out);
    }
    std::thread::scope(|scope| {
        for (number, out) in out.chunks_mut(share).enumerate() {
            scope.spawn(move || work(number, out));
        }
    });
}
