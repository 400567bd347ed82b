//! `gmm accuracy`: test the sampler on problems with known answers.

mod figures;
mod page;
mod results;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use gmm_accuracy::suite::{Length, Suite};

use self::results::SuiteResults;
use crate::cli::arguments::{Accuracy, Verbosity};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::cli::output::print;
use crate::engine::progress::{Display, Progress};
use crate::present::figures::figure::FIGURES;
use crate::present::pages::PAGE;
use crate::process::threads::pool;
use crate::storage::accuracy::{write_checks, write_ranks, write_z_scores};
use crate::storage::atomic::{remove_directory, write_bytes};

/// Runs the suite, prints its table and writes tables, figures and page. A failed check sets the exit status.
///
/// # Errors
/// If a file cannot be written.
pub fn accuracy(flags: &Accuracy, verbosity: &Verbosity) -> Result<ExitCode> {
    let suite = Suite::new(if flags.quick { Length::Quick } else { Length::Long });
    let tasks = suite.tasks();
    if !verbosity.quiet {
        say!("accuracy: {} cases, {} tasks", suite.n_cases(), tasks.len());
    }
    // Fail before minutes of work if the directory is not writable.
    write_bytes(&flags.out.join(tables::CSV), b"")?;
    let display = if verbosity.quiet { Display::Hidden } else { Display::Automatic };
    let progress = Progress::by_job("tasks", tasks.len(), display);
    let results = pool(flags.jobs)?.install(|| {
        let results = SuiteResults::run(&suite, &tasks, &|| progress.end_job());
        progress.finish();
        write(&flags.out, &results).map(|()| results)
    })?;
    print(&tables::text(&results, verbosity.verbose))?;
    if !verbosity.quiet {
        say!("report: {}", flags.out.join(PAGE).display());
    }
    Ok(if results.n_failed() == 0 { ExitCode::SUCCESS } else { ExitCode::from(UNRELIABLE) })
}

fn write(root: &Path, results: &SuiteResults) -> Result<()> {
    let z_scores: Vec<_> = results.reports.iter().flat_map(|report| report.z_scores.clone()).collect();
    let ranks: Vec<_> = results.reports.iter().flat_map(|report| report.ranks.clone()).collect();
    write_bytes(&root.join(tables::CSV), tables::csv(results).as_bytes())?;
    write_checks(&root.join("accuracy.parquet"), &results.checks)?;
    write_z_scores(&root.join("z_scores.parquet"), &z_scores)?;
    write_ranks(&root.join("ranks.parquet"), &ranks)?;

    let figures = figures::draw(results)?;
    // Removes figures of cases that are no longer in the suite; all others are drawn again.
    remove_directory(&root.join(FIGURES))?;
    figures.iter().try_for_each(|figure| figure.write(root))?;
    Ok(write_bytes(&root.join(PAGE), page::render(results, &figures)?.as_bytes())?)
}
