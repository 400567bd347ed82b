//! The report of an experiment: its tables, figures and page, and what is printed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::arguments::{Format, Verbosity};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::cli::output::show_results;
use crate::commands::stored::{load_unchanged_experiment, read_experiment};
use crate::engine::experiment::Experiment;
use crate::engine::progress::Display;
use crate::present::pages::PAGE;
use crate::present::words;
use crate::present::words::list::{grouped, sentence};
use crate::present::{report, table};
use crate::process::threads::pool;
use crate::scores::failure::{Failure, UnreliableFit};
use crate::scores::findings::Findings;
use crate::scores::report_scope::ReportScope;
use crate::scores::results::Results;
use crate::storage::lock::{ReportLock, holder};
use crate::storage::store::Store;
use crate::study::spec::Reading;

/// Unreliable fits that are listed unless -v is given.
const UNRELIABLE_SHOWN: usize = 4;

/// Scores and compares what was found, and writes tables, figures and page.
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
    display: Display,
) -> Result<Results> {
    let mut results = Results::new(experiment, findings, failures, display)?;
    results.find_clusters(experiment);
    write(experiment, store, &results, warnings, scope)?;
    Ok(results)
}

/// Writes tables, figures and page.
///
/// # Errors
/// The disk.
pub fn write(
    experiment: &Experiment,
    store: &Store,
    results: &Results,
    warnings: &[String],
    scope: ReportScope,
) -> Result<()> {
    // Before any new table, so that an interruption leaves no page that contradicts one.
    report::remove(store)?;
    store.write_scores(&results.scores, words::diagnostics::note)?;
    store.write_loo(&results.left_out)?;
    store.write_summary(results.digests.iter().flat_map(|digest| &digest.summary))?;
    store.write_clusters(results.clusters.as_ref(), &experiment.dataset)?;
    report::write_tables(experiment, store, results, warnings)?;
    if scope == ReportScope::Full {
        report::draw(experiment, store, results, warnings)?;
    }
    Ok(())
}

/// Prints the table and the answer, then failures, unreliable fits and where the report is.
///
/// # Errors
/// Standard output.
pub fn show(
    experiment: &Experiment,
    store: &Store,
    results: &Results,
    format: Format,
    scope: ReportScope,
    verbosity: &Verbosity,
) -> Result<ExitCode> {
    show_results(format, || table::text(experiment, results), || table::json(experiment, results))?;
    // One reason is given once, for all that share it.
    let pairs = results.failures.iter().map(|failure| (failure.reason.as_str(), failure.subject.as_str()));
    for (reason, subjects) in grouped(pairs) {
        say!("failed: {}: {reason}", subjects.join("; "));
    }
    if !verbosity.quiet {
        let n = results.unreliable.len();
        let shown = if verbosity.verbose { n } else { n.min(UNRELIABLE_SHOWN) };
        for UnreliableFit { job, diagnostics } in &results.unreliable[..shown] {
            say!("unreliable: {job}: {}", words::diagnostics::diagnostics(diagnostics));
        }
        if shown < n {
            say!("{} more; use -v or see summary.md", n - shown);
        }
        if verbosity.verbose {
            for digest in &results.digests {
                for remark in digest.health.remarks() {
                    say!("{}: {}", digest.job, sentence(&words::diagnostics::remark(&remark)));
                }
            }
        }
        let root = store.root();
        match scope {
            ReportScope::Full => say!("report: {}", root.join(PAGE).display()),
            ReportScope::Tables => say!("results: {}; `gmm report` draws the report", root.display()),
        }
    }
    // A probability stands unless something could change it; what a criterion says, if all its fits are sound.
    let sound = match &results.answer {
        Some(answer) if answer.probabilities.is_some() => answer.doubts().is_empty(),
        None if !experiment.spec.scoring.criteria.is_empty() => false,
        _ => results.failures.is_empty() && results.unreliable.is_empty(),
    };
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(UNRELIABLE) })
}

/// `gmm report` of an experiment, also while it runs.
///
/// # Errors
/// A directory that holds no results, data that have changed since, the disk.
pub fn report(
    directory: &Path,
    reading: Reading,
    jobs: Option<usize>,
    format: Format,
    verbosity: &Verbosity,
) -> Result<ExitCode> {
    let _lock = ReportLock::wait(directory)?;
    let experiment = load_unchanged_experiment(directory, reading)?;
    let store = Store::new(directory.to_path_buf());
    if let Some(holder) = holder(directory).filter(|_| !verbosity.quiet) {
        say!("{holder}, is running this experiment: the report shows partial results");
    }
    let warnings = words::warnings::beforehand(&experiment);
    let display = if verbosity.quiet { Display::Hidden } else { Display::Automatic };
    let results = pool(jobs)?.install(|| {
        let (findings, unavailable) = read_experiment(&experiment, &store)?;
        let failures = unavailable.iter().map(Failure::from_unavailable).collect();
        conclude(&experiment, &store, findings, failures, &warnings, ReportScope::Full, display)
    })?;
    show(&experiment, &store, &results, format, ReportScope::Full, verbosity)
}
