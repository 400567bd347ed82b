//! Data sets one after the other: which are stored, and the others run, each whole on one thread and stored the moment it is done.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::outcome::{Outcome, examine};
use super::stored::{outcome_of, write_outcome};
use crate::cli::command::pool;
use crate::cli::messages::say;
use crate::process::interrupt::{OnStop, say_stopped};
use crate::storage;
use crate::storage::atomic::{DiskResult, make_directory, remove_directory, set_aside};
use crate::storage::inputs::Inputs;
use crate::storage::lock::RunLock;
use crate::storage::store::{Stored, Unavailable};
use crate::study::design::Set;
use crate::study::spec::suite::SuiteSpec;

/// Where the outcome of a set is.
#[must_use]
pub fn place(root: &Path, set: &Set) -> PathBuf {
    root.join("sets").join(format!("set={:05}", set.index)).join("outcome.parquet")
}

/// The file with the outcome of one data set, or why there is none.
///
/// # Errors
/// A file that may not be read.
pub fn find(spec: &SuiteSpec, root: &Path, set: &Set) -> DiskResult<Stored> {
    storage::store::find(&place(root, set), &set_inputs(spec, set))
}

/// What the outcome of one data set depends on.
#[must_use]
pub fn set_inputs(spec: &SuiteSpec, set: &Set) -> Inputs {
    let design = &spec.suite;
    Inputs::new()
        .with("set", set)
        .with("suite.seed", design.seed)
        .with("suite.least_weight", design.least_weight)
        .with("suite.scale", design.scale)
        .with("suite.fresh", design.fresh)
        .with("suite.contrast", &design.contrast)
        .with("model", &spec.model)
        .with("sampler", &spec.sampler)
        .with("scoring", &spec.scoring)
}

/// The outcome of one data set, if it is stored, whole and not stale. What is damaged is set aside.
///
/// # Errors
/// The disk.
pub fn stored(spec: &SuiteSpec, root: &Path, set: &Set) -> Result<Option<Outcome>> {
    let damage = match find(spec, root, set)? {
        Stored::Found(file) => match outcome_of(&file) {
            // Another version may do better.
            Ok(outcome) if !outcome.failure.is_empty() && !file.is_of_this_version() => return Ok(None),
            Ok(outcome) => return Ok(Some(outcome)),
            Err(error) => format!("{error:#}"),
        },
        Stored::Unavailable(Unavailable::Damaged(reason)) => reason,
        Stored::Unavailable(_) => return Ok(None),
    };
    let path = set_aside(&place(root, set))?;
    say!("damaged: {set}: {damage}; set aside as {}, to be run again", path.display());
    Ok(None)
}

/// A bar over so many data sets.
#[must_use]
pub fn progress(n: usize, hidden: bool) -> ProgressBar {
    let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(n as u64) };
    let style = ProgressStyle::with_template(
        "[{bar:40}] {pos} of {len} data sets  {elapsed_precise}, {eta_precise} left",
    );
    bar.with_style(style.expect("the template is sound").progress_chars("━━─"))
}

/// Where draws pass through that are not kept; a run that is killed leaves it to the next one.
pub const SCRATCH: &str = ".scratch";

/// What sets are run with.
pub struct Work<'a> {
    pub spec: &'a SuiteSpec,
    pub root: &'a Path,
    pub lock: &'a RunLock,
    pub bar: &'a ProgressBar,
    pub fail_fast: bool,
    /// What goes on with a run that was stopped.
    pub again: &'static str,
}

impl Work<'_> {
    /// Runs sets, each whole on one thread, and stores every outcome the moment it is there: index, outcome and seconds of each. Of one
    /// data set there is then no more than one in memory for every thread, and its numbers are those of any number of threads.
    ///
    /// # Errors
    /// The disk.
    pub fn of(&self, missing: &[&Set], threads: usize) -> Result<Vec<(usize, Outcome, f64)>> {
        let scratch = self.root.join(SCRATCH);
        remove_directory(&scratch)?;
        make_directory(&scratch)?;
        let _on_stop = OnStop::say(self.farewell(missing.len()));
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Ok(Vec::new())));
        let halted = AtomicBool::new(false);
        let worker = || -> Result<()> {
            let own = pool(Some(1))?;
            while let Some(set) = missing.get(next.fetch_add(1, Ordering::Relaxed))
                && !halted.load(Ordering::Relaxed)
            {
                let began = Instant::now();
                self.lock.begin(set.to_string());
                let outcome = own.install(|| examine(self.spec, set, &scratch))?;
                write_outcome(&place(self.root, set), &set_inputs(self.spec, set), &outcome)?;
                self.lock.end(&set.to_string());
                if self.fail_fast && !outcome.failure.is_empty() {
                    say!("failed: {set}: {}", outcome.failure);
                    halted.store(true, Ordering::Relaxed);
                }
                let entry = (set.index, outcome, began.elapsed().as_secs_f64());
                if let Ok(done) = done.lock().expect("no holder of the lock panics").as_mut() {
                    done.push(entry);
                }
                self.bar.inc(1);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..threads.min(missing.len()) {
                scope.spawn(|| {
                    if let Err(error) = worker() {
                        halted.store(true, Ordering::Relaxed);
                        // The first says what is wrong; those after it are of the same disk.
                        let mut done = done.lock().expect("no holder of the lock panics");
                        if done.is_ok() {
                            *done = Err(error);
                        }
                    }
                });
            }
        });
        let done = done.into_inner().expect("no holder of the lock panics")?;
        remove_directory(&scratch)?;
        Ok(done)
    }

    /// What is said where the run is stopped by a signal.
    fn farewell(&self, n_sets: usize) -> impl Fn() + Send + 'static {
        let (bar, root, again) = (self.bar.clone(), self.root.to_path_buf(), self.again);
        move || {
            let done = bar.position() as usize;
            bar.finish_and_clear();
            drop(remove_directory(&root.join(SCRATCH)));
            say_stopped(done, n_sets, &root, again);
        }
    }
}
