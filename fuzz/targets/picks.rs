//! `make fuzz ONLY=picks`; what is compared stands in `tests/fuzz/picks.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| varscale::fuzz::picks(data));
