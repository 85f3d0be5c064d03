//! What no way of cutting the work may change, and the batches that it is cut into.

use super::arithmetic::Capability;
use super::rows::{Rest, Row};
use super::tensor::{End, Place, Torch, TorchElement, TorchLaw};
use crate::element::{BF16, F16};
use crate::fill::{CHUNK, Schedule, fill};
use crate::machine::level::Level;
use crate::region::Region;
use crate::replay::exact::{CHECKSUM, arm, checksum};
use bytemuck::Pod;
use std::sync::Arc;

const LAWS: [TorchLaw; 6] = [
    TorchLaw::Uniform([-0.3, 1.1]),
    TorchLaw::Normal([0.3, 0.7]),
    TorchLaw::Redrawn([0.1, 0.5], [-0.9, 0.8]),
    TorchLaw::Accepted([0.3, 0.7], [1.0, 2.4], -0.5),
    TorchLaw::KerasUniform([-0.3, 1.1]),
    TorchLaw::KerasTruncated([0.3, 0.7]),
];

fn drawn<E: TorchElement + Pod>(law: TorchLaw, elements: u64, schedule: &Schedule) -> (Vec<u8>, (u64, Option<u64>)) {
    let place = Place { seed: 42, skip: 7, spare: Some(1) };
    let end = Arc::<End>::default();
    let torch = Torch::new(law, place, Capability::Avx2, elements, Arc::clone(&end));
    let mut out = vec![E::zeroed(); elements as usize];
    fill(&torch, Region::whole(elements), &mut out, schedule);
    (bytemuck::cast_slice(&out).to_vec(), end.get())
}

fn same_bits<E: TorchElement + Pod>(elements: u64, chunks: &[usize]) {
    for law in LAWS {
        let one = Schedule { threads: 1, chunk: CHUNK, level: Level::Baseline };
        let expected = drawn::<E>(law, elements, &one);
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            for &chunk in chunks {
                for threads in [1, 3] {
                    let found = drawn::<E>(law, elements, &Schedule { threads, chunk, level });
                    assert!(found == expected, "{law:?} {elements} {level:?} {chunk} {threads}");
                }
            }
        }
    }
}

/// A level that rounds otherwise, or work that begins at the wrong word: cut at the stations and between them.
#[test]
fn levels_chunks_and_threads_change_no_bit() {
    for elements in [1, 4, 15, 16, 17, 1000, 1051] {
        same_bits::<f32>(elements, &[3, 64, CHUNK]);
        same_bits::<F16>(elements, &[7, CHUNK]);
        same_bits::<BF16>(elements, &[100, CHUNK]);
        same_bits::<f64>(elements, &[100, CHUNK]);
    }
    for elements in [CHUNK as u64 + 3, 2 * CHUNK as u64 + 16] {
        same_bits::<f32>(elements, &[CHUNK, 50_000]);
        same_bits::<BF16>(elements, &[CHUNK]);
    }
}

/// A value that no batch draws or that two do, batches that are not whole groups, or words lost between them.
#[test]
fn batches_draw_each_value_once() {
    for values in 16..70 {
        for rest in [Rest::Redrawn, Rest::Replaced] {
            let row = Row { values, words: 2, rest };
            for start in 0..values {
                for end in start + 1..=values {
                    let range = start..end;
                    let (mut taken, mut words) = (Vec::new(), start - start % 16);
                    words = words.min(values - values % 16) * row.words;
                    for batch in row.batches(&range, 32) {
                        assert!(batch.count % 16 == 0 && batch.count <= 32);
                        words += batch.skip;
                        let expected = if batch.first % 16 == 0 && batch.first + 16 <= values - values % 16 {
                            batch.first * row.words
                        } else {
                            row.len() - 16 * row.words
                        };
                        assert_eq!(words, expected, "{values} {range:?} {batch:?}");
                        words += batch.count as u64 * row.words;
                        let (elements, of_batch) = batch.overlap(&range, 1);
                        assert!(of_batch.end <= batch.count);
                        taken.extend(elements.map(|place| place as u64 + start));
                    }
                    assert_eq!(taken, range.collect::<Vec<_>>(), "{values} {rest:?}");
                }
            }
        }
    }
}

/// `sincosf` other than the C library's at one of torch's angles, which have 24 bits; the sums are glibc 2.36's.
#[test]
fn sincosf_equals_the_c_library_for_every_24_bit_uniform() {
    let (mut sine, mut cosine) = (CHECKSUM, CHECKSUM);
    for word in 0..1 << 24 {
        let u = f64::from(word) * f64::from_bits((1023 - 24) << 52);
        let (s, c) = arm::sincosf(f64::from((std::f64::consts::TAU * u) as f32));
        sine = checksum(sine, u64::from(s.to_bits()));
        cosine = checksum(cosine, u64::from(c.to_bits()));
    }
    assert_eq!([sine, cosine], [0x08ea_f13a_a210_8c5d, 0x2c59_2117_876f_dca6]);
}
