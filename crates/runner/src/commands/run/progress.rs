//! What a person sees while a study runs, and when it is interrupted.

use std::path::Path;
use std::sync::atomic::Ordering;

use crate::cli::arguments::{RunFlags, Verbosity};
use crate::engine::progress::{Display, Progress};
use crate::process::interrupt::{OnInterrupt, say_stopped};

/// Whether progress is shown.
#[must_use]
pub fn display(flags: &RunFlags, verbosity: &Verbosity) -> Display {
    if flags.no_progress || verbosity.quiet { Display::Hidden } else { Display::Automatic }
}

/// Until it is dropped, an interrupt says how many jobs are stored, after what else is to be done.
pub fn say_on_interrupt(
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
