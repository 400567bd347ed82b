//! What is asked: specs of experiments and suites, and the data sets that a suite's design calls for.

pub mod design;
pub mod job;
pub mod load;
pub mod spec;
pub mod streams;
