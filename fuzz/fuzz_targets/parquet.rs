#![no_main]
//! Data files that begin like Parquet.

use gmm_runner::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: readers::keep_caught_panics_quiet(), |bytes: &[u8]| drop(readers::data(&[b"PAR1", bytes].concat())));
