//! `gmm run` and `gmm report`: from a spec, or from what is stored, to tables, figures and a page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use gmm_sampler::ties::Ties;

use crate::cli::arguments::{Format, RunFlags, Talk};
use crate::cli::command::{DOUBTFUL, pool, print};
use crate::cli::messages::say;
use crate::engine::experiment::Experiment;
use crate::engine::fit::settings;
use crate::engine::progress::{Display, Progress};
use crate::engine::scheduler::{EndedFit, RunContext};
use crate::engine::supervisor::Supervision;
use crate::engine::task::Task;
use crate::present::columns::columns_line;
use crate::present::report;
use crate::present::table;
use crate::process::interrupt::{OnStop, say_stopped};
use crate::scores::findings::Findings;
use crate::scores::report_scope::ReportScope;
use crate::scores::results::{Failure, Results};
use crate::scores::stage::{Done, ReusePolicy, Stage};
use crate::scores::warnings;
use crate::storage::atomic::{DiskResult, write_bytes};
use crate::storage::lock::{ReportLock, RunLock, holder};
use crate::storage::provenance::{Provenance, StudyIdentity};
use crate::storage::store::{Store, Unavailable};
use crate::study::job::Job;

/// Doubtful fits that are told of unless asked for more: whoever reads more reads the report.
const DOUBTS_TOLD: usize = 4;

/// Where results go if nothing else is said.
#[must_use]
pub fn default_out(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// `gmm run`.
///
/// # Errors
/// Anything that keeps the experiment from running: spec, data, disk.
pub fn run(spec: &Path, flags: &RunFlags, talk: &Talk) -> Result<ExitCode> {
    execute(&Experiment::load(spec)?, flags, talk)
}

/// Samples what is missing, scores, compares, reports.
///
/// # Errors
/// The disk, or another run in the same directory.
pub fn execute(experiment: &Experiment, flags: &RunFlags, talk: &Talk) -> Result<ExitCode> {
    let began = Instant::now();
    let store = Store::new(flags.out.clone().unwrap_or_else(|| default_out(&experiment.spec.name)));
    let root = store.root();
    // Before hours of work: can results be written at all, and by nobody else?
    let lock = RunLock::take(root)?;
    let ties = Ties::from_data(&experiment.dataset.data);
    let warnings = warnings::beforehand(experiment, &ties);
    let scope = if flags.no_report { ReportScope::Tables } else { ReportScope::Full };
    let pool = pool(flags.jobs)?;
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
    let stage = pool.install(|| Stage::new(&context, &all, Findings::default(), policy, scope))?;
    if !talk.quiet {
        let dataset = &experiment.dataset;
        say!(
            "{}: {} observations, {} feature{}; {} fits, {} of them to be run",
            experiment.spec.name,
            dataset.data.n_observations(),
            dataset.columns.len(),
            if dataset.columns.len() == 1 { "" } else { "s" },
            all.len(),
            stage.missing.len()
        );
        say!("{}", columns_line(dataset));
        warnings.iter().for_each(|warning| say!("warning: {warning}"));
        tell(&stage);
    }
    write_bytes(&root.join("spec.toml"), experiment.spec.to_toml().as_bytes())?;

    // At once, so that what an interrupted run leaves can be reported.
    log.write()?;
    let display = if flags.no_progress || talk.quiet { Display::Hidden } else { Display::Automatic };
    let again = flags.again();
    let run = |stage: Stage, what| {
        let progress =
            Progress::new(what, stage.missing.len(), iterations(experiment, &stage.missing), display);
        let _on_stop = OnStop::say(farewell(&progress, root, again));
        let kept = progress.done();
        pool.install(|| stage.run(&context, &progress)).map_err(|error| {
            let kept = kept.load(Ordering::Relaxed);
            anyhow!("{error:#}\n{kept} {what} of this run are stored: {again} goes on with the rest")
        })
    };
    let Done { findings, mut failures, mut ended } = run(stage, "fits")?;

    // What LOO needs beside these is known once they are scored.
    let refits = if is_stopped(flags, &ended) { Vec::new() } else { findings.refits(experiment) };
    let stage = pool.install(|| Stage::new(&context, &refits, findings, policy, scope))?;
    if !talk.quiet && !refits.is_empty() {
        say!(
            "LOO: {} fits without single observations, {} still to be run",
            refits.len(),
            stage.missing.len()
        );
        tell(&stage);
    }
    let done = run(stage, "refits")?;
    failures.extend(done.failures);
    // One order, whichever run or stage they are of.
    failures.sort_by_key(|(job, _)| *job);
    let failures: Vec<Failure> = failures.into_iter().map(|(_, failure)| failure).collect();
    ended.extend(done.ended);
    if is_stopped(flags, &ended) {
        log.write()?;
        failures.iter().for_each(|failure| say!("failed: {}: {}", failure.what, failure.reason));
        say!("stopped at the first failure; `gmm report {}` tells what is there", root.display());
        return Ok(ExitCode::from(DOUBTFUL));
    }
    let _lock = ReportLock::wait(root)?;
    let results = pool.install(|| conclude(experiment, &store, done.findings, failures, &warnings, scope))?;
    log.write()?;
    present(experiment, &store, &results, flags.format, scope, talk)
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
fn tell(stage: &Stage) {
    for (job, path, reason) in &stage.set_aside {
        say!("damaged: {job}: {reason}; set aside as {}, to be run again", path.display());
    }
    let known = stage.n_known_failures();
    if known > 0 {
        say!("{known} failed before and would fail again; --retry-failed tries all the same");
    }
}

/// Whether a failure has ended the run.
fn is_stopped(flags: &RunFlags, ended: &[EndedFit]) -> bool {
    flags.fail_fast && ended.iter().any(|ended| ended.result.is_err())
}

/// What is said where the run is stopped by a signal.
fn farewell(progress: &Progress, root: &Path, again: &'static str) -> impl Fn() + Send + 'static {
    let (bars, done, n_jobs) = (progress.bars(), progress.done(), progress.n_jobs());
    let root = root.to_path_buf();
    move || {
        drop(bars.clear());
        say_stopped(done.load(Ordering::Relaxed), n_jobs, &root, again);
    }
}

/// Of all chains of some fits.
#[must_use]
pub fn iterations(experiment: &Experiment, tasks: &[Task]) -> usize {
    let of_chain = |task: &Task| {
        let settings = settings(&experiment.spec, task.job.variant);
        settings.warmup + settings.draws
    };
    experiment.spec.sampler.chains * tasks.iter().map(of_chain).sum::<usize>()
}

/// From what was found to everything that is written about it.
///
/// # Errors
/// The disk, scores that cannot be compared.
pub fn conclude(
    experiment: &Experiment,
    store: &Store,
    findings: Findings,
    failures: Vec<Failure>,
    warnings: &[String],
    scope: ReportScope,
) -> Result<Results> {
    let results = Results::of(experiment, findings, failures)?;
    // Before any new table, so that an interruption leaves no page that contradicts one.
    report::remove(store)?;
    store.write_scores(&results.scores)?;
    store.write_loo(&results.left_out)?;
    store.write_summary(results.digests.iter().flat_map(|digest| &digest.summary))?;
    report::write_tables(experiment, store, &results, warnings)?;
    if scope == ReportScope::Full {
        report::draw(experiment, store, &results, warnings)?;
    }
    Ok(results)
}

fn present(
    experiment: &Experiment,
    store: &Store,
    results: &Results,
    format: Format,
    scope: ReportScope,
    talk: &Talk,
) -> Result<ExitCode> {
    match format {
        Format::Table => print(&table::text(experiment, results))?,
        Format::Json => print(&format!("{:#}\n", table::json(experiment, results)))?,
    }
    for failure in &results.failures {
        say!("failed: {}: {}", failure.what, failure.reason);
    }
    if !talk.quiet {
        let told = if talk.verbose { results.doubts.len() } else { results.doubts.len().min(DOUBTS_TOLD) };
        for Failure { what, reason } in &results.doubts[..told] {
            say!("not to be trusted: {what}: {reason}");
        }
        if told < results.doubts.len() {
            say!("and {} more fits, which -v and summary.md tell", results.doubts.len() - told);
        }
        if talk.verbose {
            for digest in &results.digests {
                digest.health.remarks().iter().for_each(|remark| say!("{}: {remark}", digest.job));
            }
        }
        let root = store.root();
        match scope {
            ReportScope::Full => say!("report: {}", root.join(report::PAGE).display()),
            ReportScope::Tables => say!("results: {}; `gmm report` draws the report", root.display()),
        }
    }
    let sound = results.failures.is_empty() && results.doubts.is_empty();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(DOUBTFUL) })
}

/// `gmm report`, also while the experiment runs.
///
/// # Errors
/// A directory that holds no results, data that have changed since, the disk.
pub fn report(directory: &Path, jobs: Option<usize>, format: Format, talk: &Talk) -> Result<ExitCode> {
    if !directory.is_dir() {
        bail!("{} holds no results of gmm", directory.display());
    }
    let _lock = ReportLock::wait(directory)?;
    let experiment = stored(directory)?;
    let store = Store::new(directory.to_path_buf());
    if let Some(holder) = holder(directory).filter(|_| !talk.quiet) {
        say!("{holder}, is running this experiment: the report is of what is there so far");
    }
    let warnings = warnings::beforehand(&experiment, &Ties::from_data(&experiment.dataset.data));
    let results = pool(jobs)?.install(|| {
        let (findings, unavailable) = read_all(&experiment, &store, ReportScope::Full)?;
        let failures = unavailable.iter().map(Failure::from_unavailable).collect();
        conclude(&experiment, &store, findings, failures, &warnings, ReportScope::Full)
    })?;
    present(&experiment, &store, &results, format, ReportScope::Full, talk)
}

/// The experiment whose results a directory holds, with the data as they are now, and where the results came from.
///
/// # Errors
/// A directory that holds no results, a spec or data that cannot be read.
pub fn load_results(directory: &Path) -> Result<(Experiment, Provenance)> {
    let provenance = Provenance::read(directory)
        .with_context(|| format!("{} holds no results of gmm", directory.display()))?;
    Ok((Experiment::load_stored(&directory.join("spec.toml"), &provenance.data)?, provenance))
}

/// The experiment whose results a directory holds, with the data that it was run on.
///
/// # Errors
/// A directory that holds no results, data that have changed since.
pub fn stored(directory: &Path) -> Result<Experiment> {
    let (experiment, provenance) = load_results(directory)?;
    if experiment.dataset.hash != provenance.data_hash {
        bail!(
            "{} has changed since it was fitted: run the experiment again to fit what it holds now",
            provenance.data.display()
        );
    }
    Ok(experiment)
}

/// Everything that is stored of an experiment, and what keeps the rest from being there; call it inside the pool whose threads it may
/// use.
///
/// # Errors
/// The disk.
pub fn read_all(
    experiment: &Experiment,
    store: &Store,
    scope: ReportScope,
) -> Result<(Findings, BTreeMap<Job, Unavailable>)> {
    let (findings, mut unavailable) =
        Findings::default().read(experiment, store, &experiment.tasks(), scope)?;
    let refits = findings.refits(experiment);
    let (findings, of_refits) = findings.read(experiment, store, &refits, scope)?;
    unavailable.extend(of_refits);
    Ok((findings, unavailable))
}
