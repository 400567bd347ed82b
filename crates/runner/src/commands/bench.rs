//! `gmm bench`: measure the speed of likelihood, chains, EM and whole fits.

mod fits;
mod page;
mod tables;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use gmm_bench::measurement::Area;
use gmm_bench::suite::{BenchResults, Length, run};

use crate::cli::arguments::{Bench, Verbosity};
use crate::cli::exit_status::UNRELIABLE;
use crate::cli::messages::say;
use crate::cli::output::print;
use crate::present::figures::figure::ReportFigure;
use crate::present::figures::growth::GrowthPlot;
use crate::present::pages::PAGE;
use crate::process::threads::pool;
use crate::storage::atomic::write_bytes;
use crate::storage::bench::{write_growths, write_measurements};
use crate::storage::provenance::Machine;

const TABLES: &str = "tables.txt";

/// Measures, prints tables and writes tables, figure and page. An exponent above its limit sets the exit status.
///
/// # Errors
/// If a file cannot be written, or a fit fails.
pub fn bench(flags: &Bench, verbosity: &Verbosity) -> Result<ExitCode> {
    let length = if flags.quick { Length::Quick } else { Length::Long };
    // Fail before minutes of work if the directory is not writable.
    write_bytes(&flags.out.join(TABLES), b"")?;
    let began = Instant::now();
    let mut announce = |area: Area| {
        if !verbosity.quiet {
            say!("bench: {}, after {:.0} s", area.name(), began.elapsed().as_secs_f64());
        }
    };
    let mut results = run(length, &mut announce);
    announce(Area::Fit);
    // Like everything that is measured, fits run on one thread.
    results.measurements.extend(pool(Some(1))?.install(|| fits::measure(length))?);
    let machine = Machine::new(1.0 / results.multiply_add.median, began.elapsed());
    write(&flags.out, &results, &machine)?;
    print(&tables::all(&results, &machine))?;
    if !verbosity.quiet {
        say!("report: {}, after {:.0} s", flags.out.join(PAGE).display(), machine.wall_seconds);
    }
    Ok(if tables::n_above_limit(&results) == 0 { ExitCode::SUCCESS } else { ExitCode::from(UNRELIABLE) })
}

fn write(root: &Path, results: &BenchResults, machine: &Machine) -> Result<()> {
    write_bytes(&root.join(TABLES), tables::all(results, machine).as_bytes())?;
    write_measurements(&root.join("bench.parquet"), &results.measurements)?;
    write_growths(&root.join("growth.parquet"), &results.growths)?;
    machine.write(root)?;
    let figure = ReportFigure {
        name: "growth".to_owned(),
        caption: "Median CPU time on one thread by number of observations, components and features. Exponents are fitted to the upper \
                  half of each line. The lower bound is one pass over the data at the machine's peak arithmetic rate; a gradient and an \
                  iteration of EM each make one pass. A pass that skips components can be below it."
            .to_owned(),
        figure: GrowthPlot { growths: results.growths.clone() }.draw().context("figure of growth")?,
    };
    figure.write(root)?;
    Ok(write_bytes(&root.join(PAGE), page::render(results, machine, &figure)?.as_bytes())?)
}
