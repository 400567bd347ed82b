#![no_main]
//! Fuzz the reader of Parquet: every input gets the magic bytes in front.

use gmm_runner::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: readers::keep_caught_panics_quiet(), |bytes: &[u8]| drop(readers::data(&[b"PAR1", bytes].concat())));
