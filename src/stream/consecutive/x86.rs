//! Kernels of x86-64, one a level.
//!
//! As in the plain loop, a word lives in a 64-bit lane whose upper half is garbage. Lanes hold blocks in an order that lets
//! two unpackings put them into the right one: even lanes the first half of a vector's blocks, odd lanes the second.

use super::keys::{Keys, RUN};
use crate::machine::level::{Level, Simd};

/// The words of so many blocks, whose numbers have this lower half and those that follow.
#[allow(unsafe_code, reason = "calling a function compiled for more than the baseline; see the block")]
pub(super) fn words(simd: Simd, keys: &Keys, first: u32, blocks: usize, words: &mut [[u64; 2]; RUN]) {
    // SAFETY: the only requirement is that the machine has the features that they are compiled for. Every one has SSE2, and
    // a `Simd` is the proof of the others.
    unsafe {
        match simd.level() {
            Level::Baseline => sse2::words(keys, first, blocks, words),
            Level::Avx2 => avx2::words(keys, first, blocks, words),
            Level::Avx512 => avx512::words(keys, first, blocks, words),
        }
    }
}

/// A kernel: a level's instructions under the names that it has for them.
macro_rules! kernel {
    ($features:literal, $vectors:literal) => {
        use crate::stream::consecutive::keys::{Keys, RUN};
        use crate::stream::philox::MULTIPLIERS;
        use std::hint::black_box;

        /// 64-bit lanes of a vector, each for a block.
        const LANES: usize = size_of::<Vector>() / 8;
        /// Blocks that are made together: in so many vectors that one's instructions fill the waits of another.
        const GROUP: usize = $vectors * LANES;
        const M0: i64 = MULTIPLIERS[0] as i64;
        const M1: i64 = MULTIPLIERS[1] as i64;
        const _: () = assert!(RUN.is_multiple_of(GROUP));

        #[inline]
        #[target_feature(enable = $features)]
        fn round([x0, x1, x2, x3]: &mut [[Vector; $vectors]; 4], keys: &[u64; 2]) {
            let [k0, k1] = [splat(keys[0] as i64), splat(keys[1] as i64)];
            for v in 0..$vectors {
                let [p0, p1] = [multiply(x0[v], splat(M0)), multiply(x2[v], splat(M1))];
                x0[v] = xor3(upper(p1), x1[v], k0);
                x1[v] = p1;
                x2[v] = xor3(upper(p0), x3[v], k1);
                x3[v] = p0;
            }
        }

        #[inline(never)]
        #[target_feature(enable = $features)]
        pub(super) fn words(keys: &Keys, first: u32, blocks: usize, words: &mut [[u64; 2]; RUN]) {
            let mut numbers = [order(); $vectors];
            for vector in 0..$vectors {
                numbers[vector] = add(numbers[vector], splat(first as i64 + (vector * LANES) as i64));
            }
            let groups = words.as_chunks_mut::<GROUP>().0;
            for group in &mut groups[..blocks.div_ceil(GROUP)] {
                // Anew for each group: LLVM would copy all keys to the stack before, and lose sight of their upper halves,
                // which are 0 and save a third of the first products' instructions.
                let keys = black_box(keys);
                let [c0, c1, c2, c3] = keys.shared;
                let mut x = [numbers; 4];
                for v in 0..$vectors {
                    let p0 = multiply(numbers[v], splat(M0));
                    let p1 = multiply(xor(upper(p0), splat(c0 as i64)), splat(M1));
                    let [x0, x2] = [xor(upper(p1), splat(c1 as i64)), xor(p0, splat(c2 as i64))];
                    [x[0][v], x[1][v], x[2][v], x[3][v]] = [x0, p1, x2, splat(c3 as i64)];
                    numbers[v] = add(numbers[v], splat(GROUP as i64));
                }
                // Written out: LLVM would leave a loop.
                let [k2, k3, k4, k5, k6, k7, k8, k9] = &keys.rounds;
                round(&mut x, k2);
                round(&mut x, k3);
                round(&mut x, k4);
                round(&mut x, k5);
                round(&mut x, k6);
                round(&mut x, k7);
                round(&mut x, k8);
                round(&mut x, k9);
                let [x0, x1, x2, x3] = x;
                let out = group.as_chunks_mut::<LANES>().0;
                for v in 0..$vectors {
                    let [w01, w23] = [pack(x0[v], x1[v]), pack(x2[v], x3[v])];
                    out[v] = bytemuck::cast([unpack_low(w01, w23), unpack_high(w01, w23)]);
                }
            }
        }
    };
}

mod avx512 {
    use std::arch::x86_64::{
        __m512i as Vector, _mm512_add_epi64 as add, _mm512_mask_shuffle_epi32, _mm512_mul_epu32 as multiply,
        _mm512_set_epi64, _mm512_set1_epi64 as splat, _mm512_srli_epi64, _mm512_ternarylogic_epi64,
        _mm512_unpackhi_epi64 as unpack_high, _mm512_unpacklo_epi64 as unpack_low, _mm512_xor_si512 as xor,
    };
    kernel!("avx512f,avx512bw,avx512dq,avx512vl", 4);

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn order() -> Vector {
        _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn upper(x: Vector) -> Vector {
        _mm512_srli_epi64::<32>(x)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn xor3(x: Vector, y: Vector, z: Vector) -> Vector {
        _mm512_ternarylogic_epi64::<0x96>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn pack(x: Vector, y: Vector) -> Vector {
        _mm512_mask_shuffle_epi32::<0b1010_0000>(x, 0xaaaa, y)
    }
}

mod avx2 {
    use std::arch::x86_64::{
        __m256i as Vector, _mm256_add_epi64 as add, _mm256_blend_epi32, _mm256_mul_epu32 as multiply,
        _mm256_set_epi64x, _mm256_set1_epi64x as splat, _mm256_shuffle_epi32, _mm256_srli_epi64,
        _mm256_unpackhi_epi64 as unpack_high, _mm256_unpacklo_epi64 as unpack_low, _mm256_xor_si256 as xor,
    };
    kernel!("avx2", 3);

    #[inline]
    #[target_feature(enable = "avx2")]
    fn order() -> Vector {
        _mm256_set_epi64x(3, 1, 2, 0)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn upper(x: Vector) -> Vector {
        _mm256_srli_epi64::<32>(x)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor3(x: Vector, y: Vector, z: Vector) -> Vector {
        xor(xor(x, z), y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn pack(x: Vector, y: Vector) -> Vector {
        _mm256_blend_epi32::<0b1010_1010>(x, _mm256_shuffle_epi32::<0b1010_0000>(y))
    }
}

mod sse2 {
    use std::arch::x86_64::{
        __m128i as Vector, _mm_add_epi64 as add, _mm_and_si128, _mm_mul_epu32 as multiply, _mm_or_si128,
        _mm_set_epi64x, _mm_set1_epi64x as splat, _mm_slli_epi64, _mm_srli_epi64, _mm_unpackhi_epi64 as unpack_high,
        _mm_unpacklo_epi64 as unpack_low, _mm_xor_si128 as xor,
    };
    kernel!("sse2", 2);

    #[inline]
    #[target_feature(enable = "sse2")]
    fn order() -> Vector {
        _mm_set_epi64x(1, 0)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn upper(x: Vector) -> Vector {
        _mm_srli_epi64::<32>(x)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn xor3(x: Vector, y: Vector, z: Vector) -> Vector {
        xor(xor(x, z), y)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn pack(x: Vector, y: Vector) -> Vector {
        _mm_or_si128(_mm_and_si128(x, splat(0xffff_ffff)), _mm_slli_epi64::<32>(y))
    }
}
