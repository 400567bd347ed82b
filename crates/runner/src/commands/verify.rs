//! `gmm verify`: run a sample of the stored jobs again, make all tables and figures again, and compare every byte.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde_json::json;

use crate::cli::arguments::{Verbosity, Verify};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::output::show_results;
use crate::commands::report::experiment::conclude;
use crate::commands::report::suite::write;
use crate::commands::stored::{load, load_unchanged_experiment, read_experiment, read_suite};
use crate::engine::fit::iterations;
use crate::engine::progress::{Display, Progress};
use crate::engine::scheduler::{EndedFit, RunContext};
use crate::engine::task::Task;
use crate::present::figures::figure::FIGURES;
use crate::present::pages::PAGE;
use crate::present::words;
use crate::process::threads::pool;
use crate::recovery::outcome::examine;
use crate::recovery::work::{SCRATCH, place, store_examined};
use crate::scores::failure::Failure;
use crate::scores::findings::Findings;
use crate::scores::report_scope::ReportScope;
use crate::scores::stage::{ReusePolicy, Stage};
use crate::storage::atomic::{files_below, is_temporary, make_directory, read_if_there};
use crate::storage::seal::difference;
use crate::storage::store::{Store, Unavailable};
use crate::study::design::Set;
use crate::study::load::Study;
use crate::study::spec::Reading;
use crate::study::spec::suite::SuiteSpec;
use crate::study::streams::Stream;

/// What was compared, and how that ended.
#[derive(Debug)]
struct Comparison {
    pub what: String,
    /// None: the same bytes.
    pub difference: Option<String>,
}

/// What a verification found.
#[derive(Debug, Default)]
struct Verified {
    /// Jobs run again, of how many that are stored.
    pub jobs: Vec<Comparison>,
    pub n_stored: usize,
    /// Tables, figures and page made again.
    pub files: Vec<Comparison>,
    /// What is not stored, so that there is nothing to compare with.
    pub unavailable: Vec<Failure>,
}

impl Verified {
    fn differences(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.jobs.iter().chain(&self.files);
        all.filter_map(|compared| Some((compared.what.as_str(), compared.difference.as_deref()?)))
    }
}

/// `gmm verify`.
///
/// # Errors
/// A directory that holds no results, data that have changed since, the disk.
pub fn verify(flags: &Verify, verbosity: &Verbosity) -> Result<ExitCode> {
    let scratch = tempfile::tempdir().context("a directory for what is made again")?;
    let verified = match load(&flags.directory)? {
        Study::Experiment(reading) => verify_experiment(flags, reading, scratch.path(), verbosity)?,
        Study::Suite(spec) => verify_suite(flags, spec, scratch.path())?,
    };
    show_results(flags.format, || text(&verified), || json(&verified))?;
    let sound = verified.differences().next().is_none() && verified.unavailable.is_empty();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(UNRELIABLE) })
}

fn verify_experiment(
    flags: &Verify,
    reading: Reading,
    scratch: &Path,
    verbosity: &Verbosity,
) -> Result<Verified> {
    let experiment = load_unchanged_experiment(&flags.directory, reading)?;
    let store = Store::new(flags.directory.clone());
    let again = Store::new(scratch.to_path_buf());
    let scope = if store.root().join(PAGE).exists() { ReportScope::Full } else { ReportScope::Tables };
    let pool = pool(flags.jobs)?;
    let (findings, unavailable) = pool.install(|| read_experiment(&experiment, &store))?;
    let all: Vec<Task> = experiment.tasks().into_iter().chain(findings.refits(&experiment)).collect();
    let done: Vec<Task> = all.into_iter().filter(|task| !unavailable.contains_key(&task.job)).collect();
    let chosen = pick(&done, flags);

    let context = RunContext::new(&experiment, &again);
    let display = if verbosity.quiet { Display::Hidden } else { Display::Automatic };
    let progress = Progress::new("fits", chosen.len(), iterations(&experiment, &chosen), display);
    let done_again = pool.install(|| {
        let stage = Stage::new(&context, &chosen, Findings::default(), ReusePolicy::Nothing)?;
        stage.run(&context, &progress)
    })?;
    let mut jobs = Vec::with_capacity(done_again.ended.len());
    for ended in &done_again.ended {
        jobs.push(compare_job(&store, &again, ended)?);
    }

    let warnings = words::warnings::beforehand(&experiment);
    let failures = unavailable.iter().map(Failure::from_unavailable).collect();
    pool.install(|| conclude(&experiment, &again, findings, failures, &warnings, scope, display))?;
    let files = compare_files(store.root(), again.root())?;
    // A failure on record is a result like others.
    let not_failed = unavailable.iter().filter(|(_, why)| !matches!(why, Unavailable::Failed { .. }));
    Ok(Verified {
        jobs,
        n_stored: done.len(),
        files,
        unavailable: not_failed.map(Failure::from_unavailable).collect(),
    })
}

/// A sample of the data sets is examined again; tables, figures and page are made again.
fn verify_suite(flags: &Verify, spec: SuiteSpec, scratch: &Path) -> Result<Verified> {
    let root = &flags.directory;
    let (results, unavailable) = read_suite(spec, root)?;
    let (spec, sets) = (&results.spec, &results.sets);
    let chosen = pick(sets, flags);
    let draws = scratch.join(SCRATCH);
    make_directory(&draws)?;
    let again = |set: &Set| -> Result<Comparison> {
        store_examined(spec, scratch, set, &examine(spec, set, &draws))?;
        let difference = compare_bytes(&place(root, set), &place(scratch, set))?;
        Ok(Comparison { what: set.to_string(), difference })
    };
    let jobs = pool(flags.jobs)?.install(|| chosen.par_iter().map(again).collect::<Result<_>>())?;
    write(scratch, &results, root.join(PAGE).exists())?;
    let files = compare_files(root, scratch)?;
    Ok(Verified { jobs, n_stored: sets.len(), files, unavailable })
}

/// A random sample of jobs, in their order; all of them, if so many are asked for.
fn pick<T: Clone>(all: &[T], flags: &Verify) -> Vec<T> {
    let mut indices: Vec<usize> = (0..all.len()).collect();
    indices.shuffle(&mut Stream::Verification { seed: flags.seed }.rng());
    indices.truncate(if flags.all { all.len() } else { flags.sample });
    indices.sort_unstable();
    indices.into_iter().map(|index| all[index].clone()).collect()
}

fn compare_job(store: &Store, again: &Store, ended: &EndedFit) -> Result<Comparison> {
    let what = ended.job.to_string();
    let difference = match &ended.result {
        Err(error) => Some(format!("it fails now: {error}")),
        Ok(()) => compare_bytes(&store.path(ended.job), &again.path(ended.job))?,
    };
    Ok(Comparison { what, difference })
}

/// How a file differs from the same made again; none if it does not.
///
/// # Errors
/// The disk.
fn compare_bytes(before: &Path, now: &Path) -> Result<Option<String>> {
    let (before, now) = (read_if_there(before)?, read_if_there(now)?);
    Ok(match (before, now) {
        (Some(before), Some(now)) if before == now => None,
        (Some(before), Some(now)) => Some(difference(before, now)),
        (None, Some(_)) => Some("missing from the stored results".to_owned()),
        (Some(_), None) => Some("stored, but not made again".to_owned()),
        (None, None) => None,
    })
}

/// The files that are made of all fits.
///
/// # Errors
/// The disk.
fn compare_files(before: &Path, now: &Path) -> Result<Vec<Comparison>> {
    let is_made_of_all = |name: &Path| match name.parent() {
        Some(directory) if directory == Path::new(FIGURES) => true,
        Some(directory) if directory == Path::new("") => {
            // Neither locks, which have no ending, nor what tells of the run.
            let kept = [Path::new("provenance.json"), Path::new("spec.toml")];
            name.extension().is_some() && !kept.contains(&name) && !is_temporary(name)
        }
        _ => false,
    };
    let mut names: BTreeSet<PathBuf> = BTreeSet::new();
    for root in [before, now] {
        let paths = files_below(root)?;
        let below = paths.iter().filter_map(|path| path.strip_prefix(root).ok());
        names.extend(below.filter(|name| is_made_of_all(name)).map(Path::to_path_buf));
    }
    let compare = |name: &PathBuf| {
        let difference = compare_bytes(&before.join(name), &now.join(name))?;
        Ok(Comparison { what: name.display().to_string(), difference })
    };
    names.iter().map(compare).collect()
}

fn text(verified: &Verified) -> String {
    const STRING: &str = "writing to a string cannot fail";
    let mut text = String::new();
    let same = |compared: &[Comparison]| compared.iter().filter(|it| it.difference.is_none()).count();
    let (jobs, files) = (&verified.jobs, &verified.files);
    writeln!(
        text,
        "{} of {} stored results run again: {} have the same bytes\n{} tables and figures made again: {} have the same bytes",
        jobs.len(),
        verified.n_stored,
        same(jobs),
        files.len(),
        same(files)
    )
    .expect(STRING);
    for (what, difference) in verified.differences() {
        writeln!(text, "differs: {what}: {difference}").expect(STRING);
    }
    for Failure { subject, reason } in &verified.unavailable {
        writeln!(text, "unavailable: {subject}: {reason}").expect(STRING);
    }
    text
}

fn json(verified: &Verified) -> serde_json::Value {
    let list = |compared: &[Comparison]| {
        let one = |it: &Comparison| json!({ "subject": it.what, "same": it.difference.is_none(), "difference": it.difference });
        compared.iter().map(one).collect::<Vec<_>>()
    };
    let unavailable =
        verified.unavailable.iter().map(|it| json!({ "subject": it.subject, "reason": it.reason }));
    json!({
        "stored": verified.n_stored,
        "jobs": list(&verified.jobs),
        "files": list(&verified.files),
        "unavailable": unavailable.collect::<Vec<_>>(),
    })
}
