#![no_main]
//! Fuzz the reader of specs, of experiments and of suites.

use gmm_runner::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: readers::keep_caught_panics_quiet(), |bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(readers::spec(text));
    }
});
