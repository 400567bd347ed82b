//! `gmm run`: compute what is missing of a study, and report it.

pub mod experiment;
pub mod progress;
mod suite;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::arguments::{RunFlags, Verbosity};
use crate::commands::run::experiment::Opened;
use crate::engine::experiment::Experiment;
use crate::study::load::Study;

/// `gmm run`.
///
/// # Errors
/// Anything that keeps the study from running: its spec, its data, the disk.
pub fn run(spec: &Path, flags: &RunFlags, verbosity: &Verbosity) -> Result<ExitCode> {
    match Study::load(spec)? {
        Study::Experiment(reading) => {
            let experiment = Experiment::beside(spec, reading)?;
            let opened = Opened::new(&experiment.spec.name, flags)?;
            experiment::run(&experiment, opened, None, flags, verbosity)
        }
        Study::Suite(spec) => suite::run(spec, flags, verbosity),
    }
}
