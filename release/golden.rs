//! The golden hashes by the crate alone, for systems without a Python: fills what standard input says, and compares.
//!
//! `release/jobs.py` writes the lines: element, law, bounds, loc, scale, low, high (bits of float64s, in hexadecimal),
//! identity, number of elements, SHA-256 of their bytes.

use sha2::{Digest, Sha256};
use std::error::Error;
use std::io::stdin;
use varscale::element::{BF16, Element, F16, Placement};
use varscale::fill::{CHUNK, Plan, Schedule, fill};
use varscale::law::Law;
use varscale::level::Level;
use varscale::region::Region;
use varscale::stream::Identity;
use varscale::threads;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut equal, mut different) = (0, 0);
    for line in stdin().lines() {
        let line = line?;
        if is_reproduced(&line)? {
            equal += 1;
        } else {
            different += 1;
            println!("different: {line}");
        }
    }
    println!("{equal} golden hashes equal, {different} different, level {}", Level::get()?.name());
    if different > 0 || equal == 0 {
        return Err("values differ".into());
    }
    Ok(())
}

fn is_reproduced(line: &str) -> Result<bool, Box<dyn Error>> {
    let words: Vec<&str> = line.split(' ').collect();
    let [element, law, lower, upper, loc, scale, low, high, identity, count, digest] = words[..] else {
        return Err(format!("not a job: {line}").into());
    };
    let law = match law {
        "uniform" => Law::Uniform,
        "normal" => Law::Normal,
        "truncated_normal" => Law::truncated_normal(float(lower)?, float(upper)?)?,
        other => return Err(format!("no such law: {other}").into()),
    };
    let placement = Placement { loc: float(loc)?, scale: float(scale)?, low: float(low)?, high: float(high)? };
    let identity = Identity::from_bytes(u128::from_str_radix(identity, 16)?.to_be_bytes());
    let plan = Plan { law, placement, identity };
    let count = count.parse()?;
    let found = match element {
        "float16" => sha256(&plan, vec![F16(0); count])?,
        "bfloat16" => sha256(&plan, vec![BF16(0); count])?,
        "float32" => sha256(&plan, vec![0.0_f32; count])?,
        "float64" => sha256(&plan, vec![0.0_f64; count])?,
        other => return Err(format!("no such element: {other}").into()),
    };
    Ok(found == digest)
}

fn float(bits: &str) -> Result<f64, std::num::ParseIntError> {
    u64::from_str_radix(bits, 16).map(f64::from_bits)
}

fn sha256<E: Element + bytemuck::Pod>(plan: &Plan, mut out: Vec<E>) -> Result<String, Box<dyn Error>> {
    let schedule = Schedule { threads: threads::get()?, chunk: CHUNK, level: Level::get()? };
    fill(plan, Region::whole(out.len() as u64), &mut out, &schedule);
    let digest = Sha256::digest(bytemuck::cast_slice::<E, u8>(&out));
    Ok(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
