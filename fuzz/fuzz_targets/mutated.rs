//! The target `mutated` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wal_crash::hostile::mutated(bytes));
