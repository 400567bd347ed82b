//! What belongs to the process as a whole: the time of day, signals, panics.

pub mod clock;
pub mod interrupt;
pub mod panics;
pub mod threads;
