//! Values per second of the core into a warm buffer: law × element × level × size, one thread.
//!
//! `cargo bench` prints the whole table; `cargo bench -- float32 Avx512` only the rows that hold every word given.

use std::time::Instant;
use varscale::element::{BF16, Element, F16};
use varscale::fill::{Native, Schedule, fill};
use varscale::law::Law;
use varscale::machine::level::Level;
use varscale::region::Region;
use varscale::stream::{Identity, Version};
use varscale::value::Placement;

const ROUNDS: usize = 5;
const SIZES: [usize; 3] = [1 << 8, 1 << 16, 1 << 26];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    println!(
        "{:<17} {:<9} {:<9} {:>9} {:>9} {:>9} {:>8}",
        "law", "element", "level", "values", "ns/value", "G/s", "GB/s"
    );
    for (name, law) in laws() {
        for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
            for size in SIZES {
                row::<f32>(&wanted, name, law, "float32", level, size, 0.0);
                row::<BF16>(&wanted, name, law, "bfloat16", level, size, BF16(0));
                row::<F16>(&wanted, name, law, "float16", level, size, F16(0));
                row::<f64>(&wanted, name, law, "float64", level, size, 0.0);
            }
        }
    }
}

fn laws() -> [(&'static str, Law); 4] {
    let wide = Law::truncated_normal(-5.0, 5.0).unwrap_or(Law::Normal);
    [
        ("uniform", Law::Uniform),
        ("normal", Law::Normal),
        ("truncated_normal", Law::TruncatedNormal),
        ("truncated [-5, 5]", wide),
    ]
}

fn row<E: Element>(wanted: &[String], name: &str, law: Law, element: &str, level: Level, size: usize, zero: E) {
    let label = format!("{name:<17} {element:<9} {:<9}", format!("{level:?}"));
    if !wanted.iter().all(|word| label.contains(word.as_str())) {
        return;
    }
    let placement = Placement { loc: 0.0, scale: 0.05, low: f64::NEG_INFINITY, high: f64::INFINITY };
    let words = Version::One.words(Identity { key: [1, 2], counter_high: [3, 4] });
    let source = Native { law, placement, words };
    let schedule = Schedule { level, ..Schedule::new(1) };
    let mut out = vec![zero; size];
    let repeats = ((1 << 22) / size).max(1);
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..repeats {
                fill(&source, Region::whole(size as u64), std::hint::black_box(&mut out), &schedule);
            }
            start.elapsed().as_secs_f64() / (repeats * size) as f64
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds[ROUNDS / 2];
    let bytes = size_of::<E>() as f64;
    println!("{label} {size:>9} {:>9.3} {:>9.3} {:>8.2}", median * 1e9, 1e-9 / median, bytes * 1e-9 / median);
}
