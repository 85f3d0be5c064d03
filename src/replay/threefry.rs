//! Threefry2x32-20 and the two ways in which JAX counts with it.
//!
//! Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011, section 3.4.

/// Counters that one pass of the rounds hashes together.
const GROUP: usize = 64;

// The upper half of Skein's constant: without it the third key would be 0 whenever the first two are equal.
const PARITY: u32 = 0x1bd1_1bda;
// The paper's distances for two words of 32 bits, in the order of the rounds, which repeats after eight.
const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// Which counter an element's bits come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Element i hashes its own number: `jax_threefry_partitionable=True`, JAX's default since 0.5.
    Partitionable,
    /// So many words are the hashes' first halves, then their second ones: JAX's layout before.
    Original {
        /// Of the whole tensor.
        words: u32,
    },
}

/// A key and a layout: the bits of every element of one tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threefry {
    /// As `jax.random.key_data` shows it.
    pub key: [u32; 2],
    /// How elements are counted.
    pub layout: Layout,
}

/// Both words of one counter.
#[must_use]
pub fn hash(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    // A whole group for one counter: keys are hashed once per tensor, which is not worth rounds of their own.
    let [a, b] = group(key, [[counter[0]; GROUP], [counter[1]; GROUP]]);
    [a[0], b[0]]
}

#[inline(always)]
fn group([k0, k1]: [u32; 2], [mut x0, mut x1]: [[u32; GROUP]; 2]) -> [[u32; GROUP]; 2] {
    // Lanes are always the inner loop: each step of the rounds is then a few vector instructions.
    let keys = [k0, k1, k0 ^ k1 ^ PARITY];
    for lane in 0..GROUP {
        x0[lane] = x0[lane].wrapping_add(k0);
        x1[lane] = x1[lane].wrapping_add(k1);
    }
    for step in 0..5 {
        for rotation in ROTATIONS[step % 2] {
            for lane in 0..GROUP {
                x0[lane] = x0[lane].wrapping_add(x1[lane]);
                x1[lane] = x1[lane].rotate_left(rotation) ^ x0[lane];
            }
        }
        // After every fourth round the next two of three keys are added, and the step's number.
        let (even, odd) = (keys[(step + 1) % 3], keys[(step + 2) % 3].wrapping_add(step as u32 + 1));
        for lane in 0..GROUP {
            x0[lane] = x0[lane].wrapping_add(even);
            x1[lane] = x1[lane].wrapping_add(odd);
        }
    }
    [x0, x1]
}

impl Threefry {
    /// The bits of the elements `numbers`, `width` of them each: 8, 16 or 32, above which are others.
    #[inline(always)]
    pub(crate) fn bits(&self, width: u32, numbers: &[u64], bits: &mut [u32]) {
        // Any number of elements: the last group is padded, because the rounds know only whole ones.
        for (numbers, bits) in numbers.chunks(GROUP).zip(bits.chunks_mut(GROUP)) {
            let numbers = padded(numbers);
            let mut found = [0; GROUP];
            match self.layout {
                Layout::Partitionable => {
                    let [a, b] = group(self.key, counters(&numbers));
                    for lane in 0..GROUP {
                        // JAX folds both words into one, of which narrow types take the lowest bits.
                        found[lane] = a[lane] ^ b[lane];
                    }
                }
                Layout::Original { words } => {
                    // In this layout one hash gives the word at its own place and the one half a tensor on.
                    let (half, per_word) = (words.div_ceil(2), u64::from(32 / width));
                    let (mut places, mut first) = ([0; GROUP], [false; GROUP]);
                    for lane in 0..GROUP {
                        // It fits: this layout counts a tensor's words in 32 bits.
                        let word = (numbers[lane] / per_word) as u32;
                        first[lane] = word < half;
                        places[lane] = if first[lane] { word } else { word - half };
                    }
                    let [a, b] = group(self.key, halves(places, words));
                    for lane in 0..GROUP {
                        let word = if first[lane] { a[lane] } else { b[lane] };
                        // Narrow elements share a word, from its lowest bits up.
                        found[lane] = word >> ((numbers[lane] % per_word) as u32 * width);
                    }
                }
            }
            bits.copy_from_slice(&found[..bits.len()]);
        }
    }

    /// The 64 bits of the elements `numbers`.
    #[inline(always)]
    pub(crate) fn bits_64(&self, numbers: &[u64], bits: &mut [u64]) {
        for (numbers, bits) in numbers.chunks(GROUP).zip(bits.chunks_mut(GROUP)) {
            let numbers = padded(numbers);
            let counters = match self.layout {
                Layout::Partitionable => counters(&numbers),
                // Element i takes the words i and i + half, which are one hash's: nobody has to choose between them.
                Layout::Original { words } => halves(counters(&numbers)[1], words),
            };
            let [a, b] = group(self.key, counters);
            let mut found = [0; GROUP];
            for lane in 0..GROUP {
                found[lane] = u64::from(a[lane]) << 32 | u64::from(b[lane]);
            }
            bits.copy_from_slice(&found[..bits.len()]);
        }
    }
}

// Plain loops, no closures: a closure that is not inlined is compiled for the baseline level only.

/// A whole group, the last one too.
#[inline(always)]
fn padded(numbers: &[u64]) -> [u64; GROUP] {
    let mut group = [0; GROUP];
    // Lanes behind the last element hash 0, and nobody copies what they find.
    group[..numbers.len()].copy_from_slice(numbers);
    group
}

/// The high and the low halves of 64-bit counters.
#[inline(always)]
fn counters(numbers: &[u64; GROUP]) -> [[u32; GROUP]; 2] {
    let mut counters = [[0; GROUP]; 2];
    for lane in 0..GROUP {
        counters[0][lane] = (numbers[lane] >> 32) as u32;
        counters[1][lane] = numbers[lane] as u32;
    }
    counters
}

/// The words `places` of the first half beside those of the second; an odd number of words is padded with a 0.
#[inline(always)]
fn halves(places: [u32; GROUP], words: u32) -> [[u32; GROUP]; 2] {
    let half = words.div_ceil(2);
    let mut second = [0; GROUP];
    for lane in 0..GROUP {
        // Wraps for no element: both numbers are at most half of a tensor's words.
        let place = places[lane].wrapping_add(half);
        second[lane] = if place < words { place } else { 0 };
    }
    [places, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken rounds, rotations or key schedule: Random123's published answers (`kat_vectors`, threefry2x32 20).
    #[test]
    fn known_answers_of_random123() {
        let answers = [
            ([0, 0], [0, 0], [0x6b20_0159, 0x99ba_4efe]),
            ([u32::MAX; 2], [u32::MAX; 2], [0x1cb9_96fc, 0xbb00_2be7]),
            ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3], [0xc492_3a9c, 0x483d_f7a0]),
        ];
        for (key, counter, words) in answers {
            assert_eq!(hash(key, counter), words, "{key:x?} {counter:x?}");
        }
    }

    fn original(width: u32, numbers: std::ops::Range<u64>, words: u32) -> Vec<u32> {
        let numbers: Vec<u64> = numbers.collect();
        let mut bits = vec![0; numbers.len()];
        let threefry = Threefry { key: [0, 42], layout: Layout::Original { words } };
        threefry.bits(width, &numbers, &mut bits);
        bits.iter().map(|bits| bits & u32::MAX >> (32 - width)).collect()
    }

    /// Another order of words, padding or packing than `jax.random.bits(key(42), ...)` has without partitioning.
    #[test]
    fn known_answers_of_jax_in_its_original_layout() {
        let words = [0xbad5_6946, 0xde83_7c89, 0x3249_c374, 0x354b_a891, 0x2fc6_9b62];
        assert_eq!(original(32, 0..5, 5), words);
        assert_eq!(original(32, 2..4, 5), words[2..4]);
        assert_eq!(original(16, 0..5, 3), [0x20ea, 0x92fb, 0xf86f, 0x19a3, 0xd913]);
        assert_eq!(original(8, 0..9, 3), [0xea, 0x20, 0xfb, 0x92, 0x6f, 0xf8, 0xa3, 0x19, 0x13]);
        let mut bits = [0; 3];
        Threefry { key: [0, 42], layout: Layout::Original { words: 6 } }.bits_64(&[0, 1, 2], &mut bits);
        assert_eq!(bits, [0xbad5_6946_354b_a891, 0xde83_7c89_2fc6_9b62, 0xdf4f_11df_8cdb_9797]);
    }

    /// A counter kept in 32 bits, or a lane that hashes another element than its own.
    #[test]
    fn an_elements_bits_are_the_hash_of_its_number() {
        let threefry = Threefry { key: [7, 8], layout: Layout::Partitionable };
        let numbers: Vec<u64> = (0..77).map(|i| (1 << 32) - 40 + i).collect();
        let (mut narrow, mut wide) = ([0; 77], [0; 77]);
        threefry.bits(32, &numbers, &mut narrow);
        threefry.bits_64(&numbers, &mut wide);
        for (lane, number) in numbers.iter().enumerate() {
            let [a, b] = hash([7, 8], [(number >> 32) as u32, *number as u32]);
            assert_eq!((narrow[lane], wide[lane]), (a ^ b, u64::from(a) << 32 | u64::from(b)), "{number}");
        }
    }
}
