//! The inverse at many uniforms: the bits of [`Truncation::inverse`], by loops that vectorise.
//!
//! Value by value, each takes one of three pieces, which no processor can foresee. Here all values take that of the
//! centre, one after the other; those beyond it are gathered before, take that of the tail, and are put back.

use super::Truncation;
use crate::machine::lines::CacheLines;
use crate::math::tail::{CENTRE, NEAR, centre, far, near, root};

/// Values that are inverted together, as many as divide what is made at once: a byte holds a place among them.
const BATCH: usize = 192;
/// Float64 values of the widest vector.
const VECTOR: usize = 8;

impl Truncation {
    /// `round` of the value at `uniform` of each word.
    #[inline(always)]
    pub(in crate::law) fn each<W: Copy, V>(
        &self,
        words: &[W],
        values: &mut [V],
        uniform: impl Fn(W) -> f64,
        round: impl Fn(f64) -> V,
    ) {
        for (words, values) in words.chunks(BATCH).zip(values.chunks_mut(BATCH)) {
            let mut x = CacheLines([0.0; BATCH]);
            let x = &mut x.0[..words.len()];
            for (x, &word) in x.iter_mut().zip(words) {
                let (p, q) = self.tails(uniform(word));
                *x = if p < q { -p } else { q };
            }
            invert(x);
            for (value, &x) in values.iter_mut().zip(&*x) {
                *value = round(self.clamp(x));
            }
        }
    }
}

/// Makes of each mass of a tail its value, up to [`BATCH`] of them; mass and value have one sign.
#[inline(always)]
fn invert(x: &mut [f64]) {
    let mut beyond = [0; BATCH];
    for (beyond, x) in beyond.iter_mut().zip(&*x) {
        *beyond = u8::from(0.5 - x.abs() > CENTRE);
    }
    let mut places = [0; BATCH + 8];
    let tails = list(&beyond, &mut places);
    let places = &places[..tails];
    // Behind the last mass stand others of a tail: whole vectors leave none to a loop that takes one at a time.
    let mut tail = CacheLines([0.05; BATCH]);
    let tail = &mut tail.0;
    for (mass, &place) in tail.iter_mut().zip(places) {
        *mass = x[usize::from(place)];
    }
    for x in &mut *x {
        *x = signed(centre(0.5 - x.abs()), *x);
    }
    invert_tail(&mut tail[..tails.next_multiple_of(VECTOR)]);
    for (value, &place) in tail.iter().zip(places) {
        x[usize::from(place)] = *value;
    }
}

/// As [`invert`], for masses beyond the centre.
#[inline(always)]
fn invert_tail(x: &mut [f64]) {
    let mut any_far = false;
    for x in &mut *x {
        let w = root(x.abs());
        any_far |= w > NEAR;
        *x = signed(w, *x);
    }
    if any_far {
        for x in x {
            let w = x.abs();
            *x = signed(if w > NEAR { far(w) } else { near(w) }, *x);
        }
    } else {
        for x in x {
            *x = signed(near(x.abs()), *x);
        }
    }
}

/// `x` where `sign` is positive, else −`x`.
#[inline(always)]
fn signed(x: f64, sign: f64) -> f64 {
    f64::from_bits(x.to_bits() ^ sign.to_bits() & 1 << 63)
}

/// Writes the places of the flags that are 1, eight at a time, and returns how many of them count.
#[inline(always)]
fn list(flags: &[u8; BATCH], places: &mut [u8; BATCH + 8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut count = 0;
    for (eight, flags) in flags.as_chunks().0.iter().enumerate() {
        let flags = u64::from_le_bytes(*flags);
        // Flag i meets factor 2^(56 − 7i) at bit 56 + i.
        let pattern = flags.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let found = PLACES[pattern as usize] + 8 * eight as u64 * EACH;
        places[count..count + 8].copy_from_slice(&found.to_le_bytes());
        // The highest byte of the product is the sum of all.
        count += (flags.wrapping_mul(EACH) >> 56) as usize;
    }
    count
}

/// For each pattern of eight flags the places of those that are set, a byte each, the first lowest.
static PLACES: [u64; 256] = {
    let mut table = [0; 256];
    let mut pattern = 0;
    while pattern < 256 {
        let (mut place, mut found) = (0, 0);
        while place < 8 {
            if pattern >> place & 1 == 1 {
                table[pattern] |= place << (8 * found);
                found += 1;
            }
            place += 1;
        }
        pattern += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::level::{Kernel, Level};
    use crate::math::tail::inverse_upper_tail;

    struct Each<'a>(&'a Truncation, &'a [f64], &'a mut [f64]);

    impl Kernel for Each<'_> {
        #[inline(always)]
        fn run(self, _: Level) {
            self.0.each(self.1, self.2, |u| u, |x| x);
        }
    }

    /// Asserts that every level makes of these uniforms what they become one at a time.
    fn same_bits(law: &Truncation, uniforms: &[f64]) {
        let expected: Vec<u64> = uniforms.iter().map(|u| law.inverse(*u).to_bits()).collect();
        for level in Level::ALL {
            let mut found = vec![f64::NAN; uniforms.len()];
            level.simd().run(Each(law, uniforms, &mut found));
            let found: Vec<u64> = found.into_iter().map(f64::to_bits).collect();
            assert!(found == expected, "{law:?} {level:?} {uniforms:?}");
        }
    }

    /// Which piece the value at `u` is of, and which tail.
    fn piece(law: &Truncation, u: f64) -> (bool, bool, bool) {
        let (p, q) = law.tails(u);
        let mass = p.min(q);
        (p < q, 0.5 - mass > CENTRE, root(mass) > NEAR)
    }

    /// The uniforms on both sides of every border between pieces, with the ends and the middle.
    fn hazards(law: &Truncation) -> Vec<f64> {
        let end = 1.0 - f64::EPSILON / 2.0;
        let mut hazards = vec![-end, -f64::EPSILON / 2.0, 0.0, f64::EPSILON / 2.0, end];
        let grid = |step: i32| if step == 0 { -end } else { f64::from(step) / 500.0 - 1.0 };
        for step in 0..1000 {
            let (mut low, mut high) = (grid(step), grid(step + 1).min(end));
            hazards.push(low);
            if piece(law, low) != piece(law, high) {
                for _ in 0..60 {
                    let middle = low + (high - low) / 2.0;
                    let same = piece(law, middle) == piece(law, low);
                    (low, high) = if same { (middle, high) } else { (low, middle) };
                }
                hazards.extend([low, high]);
            }
        }
        hazards
    }

    /// A piece's loop with another rounding, a border that moved, or a sign that is lost.
    #[test]
    fn pieces_have_the_bits_of_one_value_at_a_time() {
        let infinity = f64::INFINITY;
        let bounds =
            [(-3.0, 3.0), (-1.0, 3.0), (0.0, infinity), (-infinity, 1.0), (6.0, 8.0), (-9.0, -8.0), (-50.0, 50.0)];
        for (lower, upper) in bounds {
            let law = Truncation::new(lower, upper).unwrap();
            same_bits(&law, &hazards(&law));
        }
        // All pieces on both sides at once: the tails beyond five roots hold a part in 10^11 of this law.
        let law = Truncation::new(-8.0, 8.0).unwrap();
        let near = inverse_upper_tail(1e-5);
        assert!(law.inverse(1.0 - 2e-5) - near < 1e-9 && law.inverse(1.0 - 1e-13) > 7.0);
        let mixed = [0.1, -1.0 + 1e-13, 1.0 - 2e-5, -0.1, 1.0 - 1e-13, -1.0 + 2e-5];
        same_bits(&law, &mixed);
    }

    /// A value that is left out or put elsewhere, where values or those beyond the centre fill no vector or no batch.
    #[test]
    fn any_number_of_values_and_of_tails() {
        let law = Truncation::new(-3.0, 3.0).unwrap();
        for values in (0..40).chain([255, 256, 257, 300, 513]) {
            for tails in (0..=values).filter(|tails| *tails < 20 || *tails + 2 > values) {
                let uniforms: Vec<f64> = (0..values)
                    .map(|i| {
                        // Any multiple of a number that has no divisor in common with theirs comes once.
                        let distance = if i * 101 % values.max(1) < tails { 0.9 } else { 0.5 };
                        let side = if i % 3 == 0 { -1.0 } else { 1.0 };
                        side * (distance + f64::from(i) * 1e-4)
                    })
                    .collect();
                let beyond = uniforms.iter().filter(|u| piece(&law, **u).1).count();
                assert_eq!(beyond, tails as usize, "{values}");
                same_bits(&law, &uniforms);
            }
        }
    }
}
