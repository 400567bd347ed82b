//! `gmm run`: compute what is missing of a study, and report it.

pub mod experiment;
mod suite;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Result;

use crate::cli::arguments::{RunFlags, Verbosity};
use crate::engine::experiment::Experiment;
use crate::engine::progress::{Display, Progress};
use crate::process::interrupt::{OnInterrupt, say_stopped};
use crate::study::load::Study;

/// `gmm run`.
///
/// # Errors
/// Anything that keeps the study from running: its spec, its data, the disk.
pub fn run(spec: &Path, flags: &RunFlags, verbosity: &Verbosity) -> Result<ExitCode> {
    match Study::load(spec)? {
        Study::Experiment(reading) => experiment::run(&Experiment::beside(spec, reading)?, flags, verbosity),
        Study::Suite(spec) => suite::run(spec, flags, verbosity),
    }
}

/// Where results go unless `--out` is given.
#[must_use]
pub fn default_out(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

fn display(flags: &RunFlags, verbosity: &Verbosity) -> Display {
    if flags.no_progress || verbosity.quiet { Display::Hidden } else { Display::Automatic }
}

/// Until it is dropped, an interrupt says how many jobs are stored, after what else is to be done.
fn say_on_interrupt(
    progress: &Progress,
    root: &Path,
    again: &'static str,
    clean_up: impl Fn() + Send + 'static,
) -> OnInterrupt {
    let (bars, done, n_jobs, root) =
        (progress.bars(), progress.done(), progress.n_jobs(), root.to_path_buf());
    OnInterrupt::run(move || {
        drop(bars.clear());
        clean_up();
        say_stopped(done.load(Ordering::Relaxed), n_jobs, &root, again);
    })
}
