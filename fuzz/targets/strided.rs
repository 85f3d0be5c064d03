//! `make fuzz ONLY=strided`; what is compared stands in `tests/fuzz/strided.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| varscale::fuzz::strided(data));
