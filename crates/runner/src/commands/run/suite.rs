//! Running a suite: the data sets that are missing, then the report.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use super::progress::{display, say_on_interrupt};
use crate::cli::arguments::{RunFlags, Verbosity};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::commands::report::suite::{show, write};
use crate::commands::stored::default_out;
use crate::engine::progress::Progress;
use crate::engine::supervisor::Supervision;
use crate::process::threads::pool;
use crate::recovery::outcome::Outcome;
use crate::recovery::results::SuiteResults;
use crate::recovery::work::{SCRATCH, StoredSet, SuiteContext, place, read_stored, run_sets};
use crate::storage::atomic::{remove_directory, write_bytes};
use crate::storage::lock::{ReportLock, RunLock};
use crate::storage::provenance::SuiteProvenance;
use crate::storage::store::remove;
use crate::study::design::{Set, sets};
use crate::study::spec::suite::SuiteSpec;

/// Computes the data sets that are missing, and reports all.
///
/// # Errors
/// The disk, or another run in the same directory.
pub fn run(spec: SuiteSpec, flags: &RunFlags, verbosity: &Verbosity) -> Result<ExitCode> {
    let began = Instant::now();
    let root = flags.out.clone().unwrap_or_else(|| default_out(&spec.name));
    // Before hours of work: can results be written at all, and by nobody else?
    let lock = RunLock::take(&root)?;
    let sets = sets(&spec);
    let mut outcomes = Vec::with_capacity(sets.len());
    for set in &sets {
        if flags.fresh {
            remove(&place(&root, set))?;
        }
        outcomes.push(stored_outcome(&spec, flags, &root, set)?);
    }
    write_bytes(&root.join("spec.toml"), spec.to_toml().as_bytes())?;
    let mut missing: Vec<&Set> =
        sets.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(set, _)| set).collect();
    // The longest first, so that the last ones to end are short.
    missing.sort_by_key(|set| std::cmp::Reverse(set.cost()));
    if !verbosity.quiet {
        say!("{}: {} data sets ({} to run)", spec.name, sets.len(), missing.len());
    }
    let threads = flags.jobs.unwrap_or_else(|| pool(None).map_or(1, |pool| pool.current_num_threads()));
    let progress = Progress::by_job("data sets", missing.len(), display(flags, verbosity));
    let scratch = root.join(SCRATCH);
    let on_interrupt =
        say_on_interrupt(&progress, &root, flags.again(), move || drop(remove_directory(&scratch)));
    let supervision = Supervision { lock: Some(&lock), on_end: None, fail_fast: flags.fail_fast };
    let context = SuiteContext { spec: &spec, root: &root, supervision };
    let (found, ended) = run_sets(&context, &missing, threads, &progress)?;
    drop(on_interrupt);
    for (index, outcome) in found {
        outcomes[index - 1] = Some(outcome);
    }
    let Some(outcomes) = outcomes.into_iter().collect::<Option<Vec<Outcome>>>() else {
        for (job, error) in ended.iter().filter_map(|ended| Some((ended.job, ended.result.as_ref().err()?))) {
            say!("failed: {job}: {error}");
        }
        say!("stopped at the first failure; the same command without --fail-fast continues with the rest");
        return Ok(ExitCode::from(UNRELIABLE));
    };
    let seconds = ended.iter().map(|ended| (ended.job.0, ended.wall.as_secs_f64())).collect();
    let results = SuiteResults::new(spec, sets, outcomes);
    let _lock = ReportLock::wait(&root)?;
    write(&root, &results, !flags.no_report)?;
    SuiteProvenance::new(&root, threads, began.elapsed(), seconds).write(&root)?;
    show(&root, &results, flags.format, !flags.no_report, verbosity)
}

/// The outcome that is stored of a data set, unless it is to be computed again.
fn stored_outcome(spec: &SuiteSpec, flags: &RunFlags, root: &Path, set: &Set) -> Result<Option<Outcome>> {
    match read_stored(spec, root, set)? {
        StoredSet::Done(outcome) if flags.retry_failed && outcome.failure.is_some() => Ok(None),
        StoredSet::Done(outcome) => Ok(Some(outcome)),
        StoredSet::ToRun => Ok(None),
        StoredSet::SetAside(path, damage) => {
            say!("damaged: {set}: {damage}; moved to {}, to be run again", path.display());
            Ok(None)
        }
    }
}
