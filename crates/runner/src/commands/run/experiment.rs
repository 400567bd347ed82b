//! Running an experiment: what is missing of its fits, then of the refits that LOO needs, then the report.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rayon::ThreadPool;

use super::progress::{display, say_on_interrupt};
use crate::cli::arguments::{RunFlags, Verbosity};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::commands::report::experiment::{conclude, show, write};
use crate::commands::stored::default_out;
use crate::engine::experiment::Experiment;
use crate::engine::fit::iterations;
use crate::engine::progress::Progress;
use crate::engine::scheduler::{EndedFit, RunContext};
use crate::engine::supervisor::Supervision;
use crate::present::columns::columns_line;
use crate::present::words;
use crate::present::words::list::counted;
use crate::process::threads::pool;
use crate::scores::failure::Failure;
use crate::scores::findings::Findings;
use crate::scores::report_scope::ReportScope;
use crate::scores::results::Results;
use crate::scores::stage::{Done, ReusePolicy, Stage};
use crate::storage::atomic::{DiskResult, write_bytes};
use crate::storage::lock::{ReportLock, RunLock};
use crate::storage::provenance::{Provenance, StudyIdentity};
use crate::storage::store::Store;

/// What a run holds from its beginning to its end.
pub struct Opened {
    began: Instant,
    store: Store,
    lock: RunLock,
    pub pool: ThreadPool,
}

impl Opened {
    /// Before hours of work: can results be written at all, and by nobody else?
    ///
    /// # Errors
    /// The disk, another run in the same directory; the system grants no threads.
    pub fn new(name: &str, flags: &RunFlags) -> Result<Self> {
        let began = Instant::now();
        let store = Store::new(flags.out.clone().unwrap_or_else(|| default_out(name)));
        let lock = RunLock::take(store.root())?;
        Ok(Self { began, store, lock, pool: pool(flags.jobs)? })
    }
}

/// Says what is fitted to which data, how many fits that makes, and what speaks against it.
pub fn announce(experiment: &Experiment, fits: &str, warnings: &[String], verbosity: &Verbosity) {
    if verbosity.quiet {
        return;
    }
    let dataset = &experiment.dataset;
    let features = counted(dataset.columns.len(), "feature");
    say!("{}: {} observations, {features}{fits}", experiment.spec.name, dataset.data.n_observations());
    say!("{}", columns_line(dataset));
    warnings.iter().for_each(|warning| say!("warning: {warning}"));
}

/// Samples what is missing, scores, compares, reports. Where the results are `known`, as they are of an experiment without draws
/// that was announced, only reports.
///
/// # Errors
/// The disk.
pub fn run(
    experiment: &Experiment,
    opened: Opened,
    known: Option<Results>,
    flags: &RunFlags,
    verbosity: &Verbosity,
) -> Result<ExitCode> {
    let Opened { began, store, lock, pool } = opened;
    let root = store.root();
    let warnings = words::warnings::beforehand(experiment);
    let scope = if flags.no_report { ReportScope::Tables } else { ReportScope::Full };
    let log = Log::new(Provenance::new(identity(experiment), root, pool.current_num_threads()), root, began);
    let context = RunContext {
        experiment,
        store: &store,
        supervision: Supervision {
            lock: Some(&lock),
            on_end: Some(&|ended| log.record(ended)),
            fail_fast: flags.fail_fast,
        },
    };
    let policy = match (flags.fresh, flags.retry_failed) {
        (true, _) => ReusePolicy::Nothing,
        (false, true) => ReusePolicy::Results,
        (false, false) => ReusePolicy::All,
    };
    let all = experiment.tasks();
    let stage = pool.install(|| Stage::new(&context, &all, Findings::default(), policy))?;
    if known.is_none() {
        let fits = match all.len() {
            0 => String::new(),
            n => format!("; {n} fits ({} to run)", stage.missing.len()),
        };
        announce(experiment, &fits, &warnings, verbosity);
    }
    if !verbosity.quiet {
        say_stage(&stage);
    }
    write_bytes(&root.join("spec.toml"), experiment.spec.to_toml().as_bytes())?;

    // At once, so that what an interrupted run leaves can be reported.
    log.write()?;
    let display = display(flags, verbosity);
    let again = flags.again();
    let run = |stage: Stage, what| {
        let progress =
            Progress::new(what, stage.missing.len(), iterations(experiment, &stage.missing), display);
        let _on_interrupt = say_on_interrupt(&progress, root, again, || ());
        let kept = progress.done();
        pool.install(|| stage.run(&context, &progress)).map_err(|error| {
            let kept = kept.load(Ordering::Relaxed);
            anyhow!("{error}\n{kept} {what} of this run are stored: {again} continues with the rest")
        })
    };
    let Done { findings, mut failures, mut ended } = run(stage, "fits")?;

    // What LOO needs beside these is known once they are scored.
    let refits = if is_stopped(flags, &ended) { Vec::new() } else { findings.refits(experiment) };
    let stage = pool.install(|| Stage::new(&context, &refits, findings, policy))?;
    if !verbosity.quiet && !refits.is_empty() {
        say!("LOO: {} refits without single observations ({} to run)", refits.len(), stage.missing.len());
        say_stage(&stage);
    }
    let done = run(stage, "refits")?;
    failures.extend(done.failures);
    // One order, whichever run or stage they are of.
    failures.sort_by_key(|(job, _)| *job);
    let failures: Vec<Failure> = failures.into_iter().map(|(_, failure)| failure).collect();
    ended.extend(done.ended);
    if is_stopped(flags, &ended) {
        log.write()?;
        failures.iter().for_each(|failure| say!("failed: {}: {}", failure.subject, failure.reason));
        say!("stopped at the first failure; use `gmm report {}` to see partial results", root.display());
        return Ok(ExitCode::from(UNRELIABLE));
    }
    let _lock = ReportLock::wait(root)?;
    let results = pool.install(|| {
        let Some(mut results) = known else {
            return conclude(experiment, &store, done.findings, failures, &warnings, scope, display);
        };
        results.find_clusters(experiment);
        write(experiment, &store, &results, &warnings, scope)?;
        Ok(results)
    })?;
    log.write()?;
    show(experiment, &store, &results, flags.format, scope, verbosity)
}

fn identity(experiment: &Experiment) -> StudyIdentity {
    StudyIdentity {
        name: experiment.spec.name.clone(),
        spec_hash: experiment.spec.hash(),
        data_hash: experiment.dataset.hash.clone(),
        data: std::path::absolute(&experiment.data_path).unwrap_or_else(|_| experiment.data_path.clone()),
    }
}

/// A run's provenance, written now and then, so that a run that is killed leaves what its jobs took.
struct Log<'a> {
    known: Mutex<(Provenance, Instant)>,
    root: &'a Path,
    began: Instant,
}

/// Between two writings of what jobs took.
const LOG_EVERY: Duration = Duration::from_secs(10);

impl<'a> Log<'a> {
    fn new(provenance: Provenance, root: &'a Path, began: Instant) -> Self {
        Self { known: Mutex::new((provenance, Instant::now())), root, began }
    }

    fn record(&self, ended: &EndedFit) {
        let (provenance, written) = &mut *self.known.lock().expect("no holder of the lock panics");
        provenance.record(ended.job.to_string(), ended.wall, ended.cpu);
        if written.elapsed() > LOG_EVERY {
            *written = Instant::now();
            // A disk that takes nothing more is told of by the results, and at the end.
            drop(provenance.write(self.root, self.began.elapsed()));
        }
    }

    fn write(&self) -> DiskResult<()> {
        let (provenance, _) = &mut *self.known.lock().expect("no holder of the lock panics");
        provenance.write(self.root, self.began.elapsed())
    }
}

/// What a stage found that is not as it was left, or not tried again.
fn say_stage(stage: &Stage) {
    for (job, path, reason) in &stage.set_aside {
        say!("damaged: {job}: {reason}; moved to {}, to be run again", path.display());
    }
    let known = stage.n_known_failures();
    if known > 0 {
        say!("{known} failed before and are not tried again; use --retry-failed to try them");
    }
}

/// Whether a failure has ended the run.
fn is_stopped(flags: &RunFlags, ended: &[EndedFit]) -> bool {
    flags.fail_fast && ended.iter().any(|ended| ended.result.is_err())
}
