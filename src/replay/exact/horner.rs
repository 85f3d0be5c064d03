//! Polynomials as the frameworks' compilers evaluate them: Horner's rule, every step fused, rounded once.

macro_rules! fused {
    ($horner:ident, $floats:ident, $type:ty, $bits:ty) => {
        /// The highest power first.
        #[allow(clippy::disallowed_methods, reason = "the frameworks' compilers fuse here; so the bits are theirs")]
        #[inline(always)]
        pub(crate) fn $horner<const N: usize>(coefficients: &[$type; N], x: $type) -> $type {
            let mut sum = coefficients[0];
            for &coefficient in &coefficients[1..] {
                // One step after another: a tree of steps would be faster, and would round otherwise.
                sum = sum.mul_add(x, coefficient);
            }
            sum
        }

        /// The numbers of these bits.
        pub(crate) const fn $floats<const N: usize>(bits: [$bits; N]) -> [$type; N] {
            let mut floats = [0.0; N];
            // A loop by hand, since constant functions have no iterators.
            let mut i = 0;
            while i < N {
                floats[i] = <$type>::from_bits(bits[i]);
                i += 1;
            }
            floats
        }
    };
}
fused!(horner_f32, floats, f32, u32);
fused!(horner_f64, doubles, f64, u64);
