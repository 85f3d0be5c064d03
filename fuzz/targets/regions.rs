//! `make fuzz ONLY=regions`; what is compared stands in `tests/fuzz/regions.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| varscale::fuzz::regions(data));
