#![no_main]
//! Fuzz the reader of CSV: every input that does not begin like Parquet.

use gmm_runner::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: readers::keep_caught_panics_quiet(), |bytes: &[u8]| {
    if !bytes.starts_with(b"PAR1") {
        drop(readers::data(bytes));
    }
});
