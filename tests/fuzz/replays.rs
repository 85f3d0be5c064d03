//! Replays: where in its framework's stream a tensor begins, and each of its elements.

use super::bytes::Bytes;
use super::elements::{filled, part, same_as_whole, same_elements};
use crate::element::{BF16, Element, F16};
use crate::machine::level::Simd;
use crate::region::Region;
use crate::region::picks::Picks;
use crate::replay::jax::{Jax, JaxLaw, Real};
use crate::replay::mt19937::Mt19937;
use crate::replay::tensorflow::{Pairs, TensorFlow, TensorFlowLaw};
use crate::replay::threefry::{Layout, Threefry};
use crate::replay::torch::{Capability, End, Place, Torch, TorchElement, TorchLaw};
use crate::stream::Identity;
use crate::value::Value;
use bytemuck::Pod;
use std::sync::Arc;

/// A tensor is the same however it is cut, and one that begins farther on is the rest of another one.
pub fn replays(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let framework = bytes.below(4);
    if framework == 3 {
        return twister(&mut bytes);
    }
    match bytes.below(4) {
        0 => replay::<f32>(&mut bytes, framework),
        1 => replay::<f64>(&mut bytes, framework),
        2 => replay::<F16>(&mut bytes, framework),
        _ => replay::<BF16>(&mut bytes, framework),
    }
}

fn replay<E: TorchElement<Value: Real + Pairs> + Pod>(bytes: &mut Bytes<'_>, framework: u64) {
    match framework {
        0 => jax::<E>(bytes),
        1 => tensorflow::<E>(bytes),
        _ => torch::<E>(bytes),
    }
}

fn jax<E: Element<Value: Real> + Pod>(bytes: &mut Bytes<'_>) {
    let laws =
        [JaxLaw::Uniform, JaxLaw::Normal, JaxLaw::FoldedNormal, JaxLaw::Truncated { least: -0.75, largest: 0.5 }];
    let law = bytes.of(&laws);
    let key = [bytes.number() as u32, bytes.number() as u32];
    let original = bytes.below(2) == 0;
    let (full, picks) = if original { small(bytes) } else { part(bytes) };
    // Of any number at least as large as the tensor's own: what counts is where its second half begins.
    let elements = if original { full.iter().product::<u128>() as u32 } else { 0 };
    let words = 2 * elements + u32::from(bytes.byte());
    let layout = if original { Layout::Original { words } } else { Layout::Partitionable };
    let threefry = Threefry { key, layout };
    let source = Jax { law, limits: (-0.75, 0.5), scale: 0.25, loc: -0.0, threefry, fused_half: bytes.below(2) == 0 };
    if original {
        // A tensor in this layout has no more elements than have 32-bit words.
        return same_as_whole::<E, _>(bytes, || source, &full, &picks);
    }
    same_elements::<E, _>(bytes, &source, &full, &picks);
}

fn tensorflow<E: Element<Value: Pairs> + Pod>(bytes: &mut Bytes<'_>) {
    let (mean, stddev) = (0.125, 0.25);
    let uniform = TensorFlowLaw::Uniform { low: -0.5, high: 0.75 };
    let law = bytes.of(&[uniform, TensorFlowLaw::Normal { mean, stddev }, TensorFlowLaw::Truncated { mean, stddev }]);
    let identity = Identity { key: [bytes.number() as u32, 2], counter_high: [3, bytes.number() as u32] };
    let source = TensorFlow { law, identity, first: bytes.number() };
    let (full, picks) = small(bytes);
    same_as_whole::<E, _>(bytes, || source, &full, &picks);
    // An op that begins some groups farther on.
    let (per_group, groups) = (E::Value::PER_BLOCK as u64, bytes.number() >> 8);
    let blocks = if matches!(law, TensorFlowLaw::Truncated { .. }) { 64 * per_group } else { 1 };
    let ahead = TensorFlow { first: source.first.wrapping_add(groups.wrapping_mul(blocks)), ..source };
    let picks = [Picks::range(groups * per_group, 1 + bytes.below(40))];
    let later = filled::<E, _>(&source, Region::mesh(&[1 << 64], &picks).unwrap(), bytes);
    assert_eq!(later, filled::<E, _>(&ahead, Region::whole(picks[0].count()), bytes), "{source:?} {groups}");
}

fn torch<E: TorchElement + Pod>(bytes: &mut Bytes<'_>) {
    let laws = [
        TorchLaw::Uniform([-0.3, 1.1]),
        TorchLaw::Normal([0.3, 0.7]),
        TorchLaw::Redrawn([0.1, 0.5], [-0.9, 0.8]),
        TorchLaw::Accepted([0.3, 0.7], [1.0, 2.4], -0.5),
        TorchLaw::KerasUniform([-0.3, 1.1]),
        TorchLaw::KerasTruncated([0.3, 0.7]),
    ];
    let law = bytes.of(&laws);
    let skip = skip(bytes);
    let spare =
        (bytes.below(2) == 0).then(|| skip.saturating_sub(4 + bytes.below(40))).filter(|&spare| spare + 4 <= skip);
    let place = Place { seed: bytes.number() as u32, skip, spare };
    let capability = bytes.of(&[Capability::Avx2, Capability::Default]);
    let draw = |elements: u64, place: Place| {
        let end = Arc::<End>::default();
        (Torch::new(law, place, capability, elements, Arc::clone(&end)), end)
    };
    // Whole tensors alone: Python refuses parts, as the generator goes through all of a tensor.
    let elements = bytes.below(if skip < 3000 { 120 } else { 4 });
    let ((one, end), (other, other_end)) = (draw(elements, place), draw(elements, place));
    let [found, expected] = [&one, &other].map(|torch| filled::<E, _>(torch, Region::whole(elements), bytes));
    assert_eq!((found, end.get()), (expected, other_end.get()), "{law:?} {place:?} {elements}");
    if let TorchLaw::Uniform(_) = law {
        // A value of float64 takes two words, any other one.
        let (words, behind) = (if size_of::<E>() == 8 { 2 } else { 1 }, bytes.below(99));
        assert_eq!(end.get().0, skip + elements * words);
        let before = Place { skip: skip - skip.min(behind * words), ..place };
        let more = (skip - before.skip) / words;
        if (skip - before.skip).is_multiple_of(words) {
            let long = filled::<E, _>(&draw(elements + more, before).0, Region::whole(elements + more), bytes);
            let short = filled::<E, _>(&draw(elements, place).0, Region::whole(elements), bytes);
            assert_eq!(long[size_of::<E>() * more as usize..], short, "{place:?} {more}");
        }
    }
}

/// How many words were drawn before: mostly few, since the way to farther ones takes long.
fn skip(bytes: &mut Bytes<'_>) -> u64 {
    let few = bytes.below(64) > 0;
    let number = bytes.number() >> 1;
    if few { number % 3000 } else { number }
}

/// A generator that jumps is one that steps.
fn twister(bytes: &mut Bytes<'_>) {
    let (seed, simd) = (bytes.number() as u32, bytes.level().simd());
    let (near, far) = (bytes.number() % 5000, skip(bytes));
    let words = textbook(seed, near as usize + 700);
    assert_eq!(drawn_after(seed, &[], words.len(), simd), words, "{seed}");
    assert_eq!(drawn_after(seed, &[near], 700, simd), words[near as usize..], "{seed} {near}");
    let there = drawn_after(seed, &[near + far], 700, simd);
    assert_eq!(drawn_after(seed, &[far, near], 700, simd), there, "{seed} {far} {near}");
}

fn drawn_after(seed: u32, skips: &[u64], count: usize, simd: Simd) -> Vec<u32> {
    let (mut generator, mut words) = (Mt19937::new(seed, simd), vec![0; count]);
    for &skip in skips {
        generator.skip(skip);
    }
    generator.fill(&mut words);
    words
}

/// MT19937 as its paper has it, a word at a time.
fn textbook(seed: u32, count: usize) -> Vec<u32> {
    let mut x = vec![seed];
    for i in 1..624 {
        let before: u32 = x[i - 1];
        x.push((before ^ (before >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32));
    }
    for k in 0..count {
        let joined = (x[k] & 0x8000_0000) | (x[k + 1] & 0x7fff_ffff);
        x.push(x[k + 397] ^ (joined >> 1) ^ if joined & 1 == 1 { 0x9908_b0df } else { 0 });
    }
    let temper = |mut y: u32| {
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    };
    x[624..].iter().map(|&y| temper(y)).collect()
}

/// A tensor of a few hundred elements, and a part of it.
fn small(bytes: &mut Bytes<'_>) -> (Vec<u128>, Vec<Picks>) {
    (0..bytes.below(4))
        .map(|_| {
            let (extent, count) = (1 + bytes.below(9), bytes.below(9));
            (u128::from(extent), bytes.picks_within(extent, if count > extent { extent } else { count }))
        })
        .unzip()
}
