#![no_main]
//! Fuzz the readers of stored results: every input gets a valid checksum.

use gmm_runner::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: readers::keep_caught_panics_quiet(), |bytes: &[u8]| drop(readers::stored(bytes)));
