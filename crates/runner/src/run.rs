//! The commands: each from its arguments to what it prints and the exit status that it earns.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use gmm_sampler::nuts::chain::Settings;
use gmm_sampler::ties::Ties;
use gmm_scoring::Criterion;

use crate::cli::{Color, Format, RunFlags, Talk};
use crate::disk::write_bytes;
use crate::experiment::Experiment;
use crate::findings::Findings;
use crate::fit::settings;
use crate::jobs::{Part, Task};
use crate::problem::{Problems, Style};
use crate::progress::{Display, Progress};
use crate::provenance::Provenance;
use crate::report::{self, Extent};
use crate::results::{Failure, Results};
use crate::sample::{Outcome, sample};
use crate::store::Store;
use crate::talk::say;
use crate::{table, warning};

/// Done, but some fits failed or are not to be trusted.
pub const DOUBTFUL: u8 = 3;
/// Doubtful fits that are told of unless asked for more: whoever reads more reads the report.
const DOUBTS_TOLD: usize = 4;
/// The spec, the data or the disk is at fault.
const FAILED: u8 = 1;

/// Prints what went wrong, and gives the exit status of that.
pub fn explain(error: &anyhow::Error, talk: &Talk) -> ExitCode {
    let style = match talk.color {
        Color::Always => Style::Coloured,
        Color::Auto if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() => {
            Style::Coloured
        }
        Color::Auto | Color::Never => Style::Plain,
    };
    match error.downcast_ref::<Problems>() {
        Some(problems) => say!("{}\n\nnothing was run", problems.render(style)),
        None => say!("error: {error:#}"),
    }
    ExitCode::from(FAILED)
}

/// Prints results; a reader that has had enough (a closed pipe) is no error.
///
/// # Errors
/// Any other fault of standard output.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Threads for all work: as many as there are cores, if nothing else is said.
///
/// # Errors
/// Threads that the system does not grant.
pub fn pool(jobs: Option<usize>) -> Result<rayon::ThreadPool> {
    // 0 lets rayon take all cores.
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.unwrap_or(0))
        .build()
        .context("threads cannot be started")
}

fn default_out(experiment: &Experiment) -> PathBuf {
    Path::new("reports").join(&experiment.spec.name)
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
/// The disk.
pub fn execute(experiment: &Experiment, flags: &RunFlags, talk: &Talk) -> Result<ExitCode> {
    let began = Instant::now();
    let store = Store::new(flags.out.clone().unwrap_or_else(|| default_out(experiment)));
    let ties = Ties::of(&experiment.dataset.data);
    let warnings = warning::beforehand(experiment, &ties);
    let all = experiment.tasks();
    let extent = if flags.no_report { Extent::Tables } else { Extent::Whole };
    let pool = pool(flags.jobs)?;
    let (stored, _) = if flags.fresh {
        (Findings::default(), Vec::new())
    } else {
        pool.install(|| Findings::default().read(experiment, &store, &all, extent))
    };
    let missing: Vec<Task> = all.iter().filter(|task| !stored.has(task.job)).cloned().collect();
    if !talk.quiet {
        let dataset = &experiment.dataset;
        say!(
            "{}: {} observations, {} feature{}; {} fits, {} of them to be run",
            experiment.spec.name,
            dataset.data.n_observations(),
            dataset.columns.len(),
            if dataset.columns.len() == 1 { "" } else { "s" },
            all.len(),
            missing.len()
        );
        warnings.iter().for_each(|warning| say!("warning: {warning}"));
    }
    // Before hours of work: can results be written at all?
    write_bytes(&store.root().join("spec.toml"), experiment.spec.to_toml().as_bytes())?;

    let threads = pool.current_num_threads();
    // At once, so that what an interrupted run leaves can be reported.
    Provenance::new(experiment, store.root(), threads, began.elapsed(), &[]).write(store.root())?;
    if flags.fresh {
        missing.iter().try_for_each(|task| store.remove(task.job))?;
    }
    let display = if flags.no_progress || talk.quiet { Display::Hidden } else { Display::Automatic };
    let progress = Progress::new("fits", missing.len(), iterations(experiment, &missing), display);
    let (mut outcomes, findings) =
        pool.install(|| sample(experiment, &store, &missing, stored, extent, &progress));

    // What LOO needs beside these is known once they are scored.
    let refits = findings.refits(experiment);
    let findings = if flags.fresh {
        refits.iter().try_for_each(|task| store.remove(task.job))?;
        findings
    } else {
        pool.install(|| findings.read(experiment, &store, &refits, extent)).0
    };
    let missing: Vec<Task> = refits.iter().filter(|task| !findings.has(task.job)).cloned().collect();
    if !talk.quiet && !refits.is_empty() {
        say!("LOO: {} fits without single observations, {} still to be run", refits.len(), missing.len());
    }
    let progress = Progress::new("refits", missing.len(), iterations(experiment, &missing), display);
    let (of_refits, findings) =
        pool.install(|| sample(experiment, &store, &missing, findings, extent, &progress));
    outcomes.extend(of_refits);
    let failures = outcomes.iter().filter_map(Outcome::failure).collect();
    let results = pool.install(|| conclude(experiment, &store, findings, failures, &warnings, extent))?;
    Provenance::new(experiment, store.root(), threads, began.elapsed(), &outcomes).write(store.root())?;
    present(experiment, &store, &results, flags.format, extent, talk)
}

/// Of all chains of some fits.
fn iterations(experiment: &Experiment, tasks: &[Task]) -> usize {
    let of_chain = |task: &Task| {
        let settings = settings(&experiment.spec, task.job.part);
        settings.warmup + settings.draws
    };
    experiment.spec.sampler.chains * tasks.iter().map(of_chain).sum::<usize>()
}

/// From what was found to everything that is written about it.
fn conclude(
    experiment: &Experiment,
    store: &Store,
    findings: Findings,
    failures: Vec<Failure>,
    warnings: &[String],
    extent: Extent,
) -> Result<Results> {
    let results = Results::of(experiment, findings, failures)?;
    if extent == Extent::Tables {
        // Before any new table, so that an interruption leaves no page that contradicts one.
        report::remove(store)?;
    }
    store.write_scores(&results.scores)?;
    store.write_loo(&results.left_out)?;
    store.write_summary(results.digests.iter().flat_map(|digest| &digest.summary))?;
    report::write_tables(experiment, store, &results, warnings)?;
    if extent == Extent::Whole {
        report::draw(experiment, store, &results, warnings)?;
    }
    Ok(results)
}

fn present(
    experiment: &Experiment,
    store: &Store,
    results: &Results,
    format: Format,
    extent: Extent,
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
        match extent {
            Extent::Whole => say!("report: {}", root.join(report::PAGE).display()),
            Extent::Tables => say!("results: {}; `gmm report` draws the report", root.display()),
        }
    }
    let sound = results.failures.is_empty() && results.doubts.is_empty();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(DOUBTFUL) })
}

/// `gmm check`.
///
/// # Errors
/// What is wrong with the spec or the data.
pub fn check(spec: &Path, out: Option<&Path>) -> Result<ExitCode> {
    let experiment = Experiment::load(spec)?;
    let store = Store::new(out.map_or_else(|| default_out(&experiment), Path::to_path_buf));
    let tasks = experiment.tasks();
    let dataset = &experiment.dataset;
    let sampler = &experiment.spec.sampler;
    let missing = tasks.iter().filter(|task| !store.has(&experiment, task)).count();
    let of_kind = |kind: fn(Part) -> bool| tasks.iter().filter(|task| kind(task.job.part)).count();
    let on_all = of_kind(|part| part == Part::All);
    let (folds, groups) =
        (of_kind(|part| matches!(part, Part::Fold { .. })), of_kind(|part| matches!(part, Part::Group(_))));
    let ks = experiment.ks();
    let largest = ks.last().copied().unwrap_or(0);
    let variables = gmm_sampler::mixture::params::Mixture::variables(largest, dataset.columns.len()).len();
    // A fit's draws, and the copies that scoring and relabelling make of them, for every thread.
    let fit_bytes = 8 * variables * sampler.chains * sampler.draws;
    let mut text = format!(
        "{}\n  data        {} observations of {}\n  components  {}\n  parameters  {}\n",
        experiment.spec.name,
        dataset.data.n_observations(),
        dataset.columns.join(", "),
        list(ks.iter()),
        list(ks.iter().map(|&k| experiment.n_parameters(k))),
    );
    let scoring = &experiment.spec.scoring;
    text.push_str(&format!("  fits        {on_all} on all rows"));
    if folds > 0 {
        let repeats = if scoring.repeats > 1 { format!("{} × ", scoring.repeats) } else { String::new() };
        text.push_str(&format!(", {folds} on {repeats}{} folds", scoring.folds));
    }
    let tempered = of_kind(|part| part == Part::Tempered);
    if tempered > 0 {
        text.push_str(&format!(", {tempered} tempered"));
    }
    if groups > 0 {
        text.push_str(&format!(", {groups} on {} groups", experiment.groups().len()));
    }
    text.push_str(&format!("; {missing} to be run\n"));
    if experiment.scores_by(Criterion::Loo) && scoring.refits > 0 {
        text.push_str(&format!(
            "  refits      for LOO, at most {} after each of the {on_all} on all rows\n",
            scoring.refits
        ));
    }
    let draws = |settings: Settings| format!("{} warm-up + {} draws", settings.warmup, settings.draws);
    text.push_str(&format!(
        "  draws       {} chains × ({})",
        sampler.chains,
        draws(settings(&experiment.spec, Part::All))
    ));
    if let Some(part) =
        tasks.iter().map(|task| task.job.part).find(|&part| !matches!(part, Part::All | Part::Tempered))
    {
        text.push_str(&format!("; ({}) where rows are held out", draws(settings(&experiment.spec, part))));
    }
    text.push('\n');
    text.push_str(&format!(
        "  criteria    {}\n  on disk     about {:.0} MB in {}\n  in memory   about {:.0} MB a thread\n",
        list(experiment.spec.scoring.criteria.iter().map(|criterion| criterion.name())),
        (fit_bytes * on_all) as f64 / 1e6,
        store.root().display(),
        (4 * fit_bytes + 3 * 8 * dataset.columns.len() * dataset.data.n_observations()) as f64 / 1e6,
    ));
    print(&text)?;
    for warning in warning::beforehand(&experiment, &Ties::of(&dataset.data)) {
        say!("warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// `gmm report`.
///
/// # Errors
/// A directory that holds no results, data that have changed since, the disk.
pub fn report(directory: &Path, jobs: Option<usize>, format: Format, talk: &Talk) -> Result<ExitCode> {
    let provenance = Provenance::read(directory)
        .with_context(|| format!("{} holds no results of gmm", directory.display()))?;
    let experiment = Experiment::load_stored(&directory.join("spec.toml"), &provenance.data)?;
    if experiment.dataset.hash != provenance.data_hash {
        bail!(
            "{} has changed since it was fitted: run the experiment again to fit what it holds now",
            provenance.data.display()
        );
    }
    let store = Store::new(directory.to_path_buf());
    let pool = pool(jobs)?;
    let all = experiment.tasks();
    let read = |findings: Findings, tasks: &[Task]| {
        pool.install(|| findings.read(&experiment, &store, tasks, Extent::Whole))
    };
    let (findings, mut damaged) = read(Findings::default(), &all);
    let refits = findings.refits(&experiment);
    let (findings, damaged_refits) = read(findings, &refits);
    damaged.extend(damaged_refits);
    let failures =
        all.iter().chain(&refits).map(|task| task.job).filter(|&job| !findings.has(job)).map(|job| Failure {
            what: job.to_string(),
            reason: match damaged.iter().find(|(other, _)| *other == job) {
                Some((_, error)) => format!("{error:#}"),
                None => "there is no stored result; `gmm run` completes the experiment".to_owned(),
            },
        });
    let failures = failures.collect();
    let warnings = warning::beforehand(&experiment, &Ties::of(&experiment.dataset.data));
    let results =
        pool.install(|| conclude(&experiment, &store, findings, failures, &warnings, Extent::Whole))?;
    present(&experiment, &store, &results, format, Extent::Whole, talk)
}
