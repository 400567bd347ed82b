//! From an experiment to fits: its tasks, their random streams, models and chains, and the scheduler that runs them.

pub mod errors;
pub mod experiment;
pub mod fit;
pub mod inputs;
pub mod model;
pub mod progress;
pub mod scheduler;
pub mod supervisor;
pub mod task;
