//! `gmm report`: score stored draws, compare them, and write tables, figures and page again.

pub mod experiment;
pub mod suite;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::arguments::{Format, Verbosity};
use crate::commands::stored::load;
use crate::study::load::Study;

/// `gmm report`, also while the study runs.
///
/// # Errors
/// A directory that holds no results, data that have changed since, the disk.
pub fn report(
    directory: &Path,
    jobs: Option<usize>,
    format: Format,
    verbosity: &Verbosity,
) -> Result<ExitCode> {
    match load(directory)? {
        Study::Experiment(reading) => experiment::report(directory, reading, jobs, format, verbosity),
        Study::Suite(spec) => suite::report(directory, spec, format, verbosity),
    }
}
