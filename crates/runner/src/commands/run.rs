//! `gmm run`: compute what is missing of a study, and report it.

pub mod experiment;
mod progress;
mod suite;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::arguments::{RunFlags, Verbosity};
use crate::engine::experiment::Experiment;
use crate::study::load::Study;

/// `gmm run`.
///
/// # Errors
/// Anything that keeps the study from running: its spec, its data, the disk.
pub fn run(spec: &Path, flags: &RunFlags, verbosity: &Verbosity) -> Result<ExitCode> {
    match Study::load(spec)? {
        Study::Experiment(reading) => {
            experiment::run(&Experiment::beside(spec, reading)?, None, flags, verbosity)
        }
        Study::Suite(spec) => suite::run(spec, flags, verbosity),
    }
}
