//! What belongs to the process as a whole: signals, panics, threads.

pub mod interrupt;
pub mod panics;
