//! Arithmetic on eight doubles at a time, compiled for each instruction set, with the same bits on all of them.

pub(crate) mod elementary;
pub(crate) mod instructions;
pub(crate) mod lanes;
