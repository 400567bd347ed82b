//! The report of a suite: its tables, figures and page, and what is printed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::arguments::{Format, Verbosity};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::cli::output::show_results;
use crate::commands::stored::read_suite;
use crate::present::pages::PAGE;
use crate::present::report::remove_report;
use crate::present::suite::figures::figures;
use crate::present::suite::words::stating;
use crate::present::suite::{page, words};
use crate::recovery::results::SuiteResults;
use crate::recovery::stored::{write_biases, write_picks};
use crate::storage::atomic::{remove_file, write_bytes};
use crate::storage::lock::ReportLock;
use crate::study::spec::suite::SuiteSpec;

/// Writes tables, figures and page.
///
/// # Errors
/// The disk.
pub fn write(root: &Path, results: &SuiteResults, with_page: bool) -> Result<()> {
    // Before any new table, so that an interruption leaves no page that contradicts one.
    remove_report(root)?;
    let mut picks = Vec::with_capacity(results.sets.len() * results.rules.len());
    for (i, set) in results.sets.iter().enumerate() {
        for (rule, of_rule) in results.rules.iter().zip(&results.picks) {
            picks.push((*set, rule.name(&results.spec), of_rule[i]));
        }
    }
    write_picks(&root.join("picks.parquet"), &picks)?;
    if !results.biases.is_empty() {
        write_biases(&root.join("bias.parquet"), &results.biases)?;
    } else {
        remove_file(&root.join("bias.parquet"))?;
    }
    write_bytes(&root.join("table.csv"), words::csv(results).as_bytes())?;
    write_bytes(&root.join("summary.md"), words::markdown(results).as_bytes())?;
    if !with_page {
        return Ok(());
    }
    let figures = figures(results)?;
    figures.iter().try_for_each(|figure| figure.write(root))?;
    Ok(write_bytes(&root.join(PAGE), page::render(results, &figures)?.as_bytes())?)
}

/// Prints the table, failures and where the report is.
///
/// # Errors
/// Standard output.
pub fn show(
    root: &Path,
    results: &SuiteResults,
    format: Format,
    with_page: bool,
    verbosity: &Verbosity,
) -> Result<ExitCode> {
    show_results(format, || words::text(results), || json(results))?;
    let failures = results.failures();
    for failure in &failures {
        say!("failed: {failure}");
    }
    if !verbosity.quiet {
        match with_page {
            true => say!("report: {}", root.join(PAGE).display()),
            false => say!("results: {}; `gmm report` draws the report", root.display()),
        }
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UNRELIABLE) })
}

fn json(results: &SuiteResults) -> serde_json::Value {
    let shares = results.rules.iter().map(|&rule| {
        let tally = results.tally(rule, None);
        serde_json::json!({
            "rule": rule.name(&results.spec),
            "n": tally.n,
            "found": tally.found,
            "too_small": tally.too_small,
            "too_large": tally.too_large,
            "no_answer": tally.no_answer,
            "share": tally.share(),
            "se": tally.se(),
        })
    });
    let probabilities = results.calibrations.iter().map(|found| {
        let bins = found.bins.iter().map(|bin| {
            serde_json::json!({
                "from": bin.from,
                "to": bin.to,
                "n": bin.tally.n,
                "stated": bin.stated,
                "share": bin.tally.share(),
            })
        });
        let of_each = found.of_each.iter().map(|one| {
            serde_json::json!({
                "components": one.components,
                "stated": one.stated,
                "share": one.share,
                "z": one.z,
            })
        });
        serde_json::json!({
            "rule": stating(found.rule, results),
            "n": found.n,
            "stated": found.stated,
            "share": found.share(),
            "log_score": found.log_score.mean,
            "log_score_se": found.log_score.se,
            "bins": bins.collect::<Vec<_>>(),
            "brier_z": found.brier,
            "by_components": of_each.collect::<Vec<_>>(),
        })
    });
    serde_json::json!({
        "name": results.spec.name,
        "shares": shares.collect::<Vec<_>>(),
        "probabilities": probabilities.collect::<Vec<_>>(),
        "missed_modes": results.missed_modes().map(|(missed, _)| missed),
    })
}

/// `gmm report` of a suite, also while it runs: tables, figures and page again from the outcomes that are there.
///
/// # Errors
/// A directory that holds no outcome, the disk.
pub fn report(directory: &Path, spec: SuiteSpec, format: Format, verbosity: &Verbosity) -> Result<ExitCode> {
    let _lock = ReportLock::wait(directory)?;
    let (results, unavailable) = read_suite(spec, directory)?;
    if !unavailable.is_empty() && !verbosity.quiet {
        let (done, all) = (results.sets.len(), results.sets.len() + unavailable.len());
        say!(
            "{done} of {all} data sets are done, and the report covers these; use `gmm status {}` to see why",
            directory.display()
        );
    }
    write(directory, &results, true)?;
    let status = show(directory, &results, format, true, verbosity)?;
    Ok(if unavailable.is_empty() { status } else { ExitCode::from(UNRELIABLE) })
}
