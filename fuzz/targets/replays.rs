//! `make fuzz ONLY=replays`; what is compared stands in `tests/fuzz/replays.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| varscale::fuzz::replays(data));
