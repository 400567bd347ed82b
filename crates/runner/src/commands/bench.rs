//! `gmm bench`: measures how fast the likelihood, chains, EM and whole fits are, prints tables and writes what is behind them.

mod fits;
mod page;
mod tables;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use gmm_bench::measurement::Area;
use gmm_bench::suite::{BenchResults, Length, run};

use crate::cli::arguments::{Bench, Talk};
use crate::cli::command::{DOUBTFUL, pool, print};
use crate::cli::messages::say;
use crate::present::figures::figure::ReportFigure;
use crate::present::figures::growth::GrowthPlot;
use crate::present::report::PAGE;
use crate::storage::atomic::write_bytes;
use crate::storage::bench::{write_growths, write_measurements};
use crate::storage::provenance::Machine;

const TABLES: &str = "tables.txt";

/// Measures, and fails by exit status where time grows faster than is claimed.
///
/// # Errors
/// The disk, or a fit that fails.
pub fn bench(flags: &Bench, talk: &Talk) -> Result<ExitCode> {
    let length = if flags.quick { Length::Quick } else { Length::Long };
    // Before minutes of work: can results be written at all?
    write_bytes(&flags.out.join(TABLES), b"")?;
    let began = Instant::now();
    let mut announce = |area: Area| {
        if !talk.quiet {
            say!("bench: {}, after {:.0} s", area.name(), began.elapsed().as_secs_f64());
        }
    };
    let mut speed = run(length, &mut announce);
    announce(Area::Fit);
    // All that is measured runs on one thread.
    speed.measurements.extend(pool(Some(1))?.install(|| fits::measure(length))?);
    let machine = Machine::new(1.0 / speed.multiply_add.median, began.elapsed());
    write(&flags.out, &speed, &machine)?;
    print(&tables::all(&speed, &machine))?;
    if !talk.quiet {
        say!("report: {}, after {:.0} s", flags.out.join("index.html").display(), machine.wall_seconds);
    }
    Ok(if broken(&speed) == 0 { ExitCode::SUCCESS } else { ExitCode::from(DOUBTFUL) })
}

/// Claims of growth that are not kept.
fn broken(speed: &BenchResults) -> usize {
    speed.growths.iter().filter(|growth| !growth.is_within_limit()).count()
}

fn write(root: &Path, speed: &BenchResults, machine: &Machine) -> Result<()> {
    write_bytes(&root.join(TABLES), tables::all(speed, machine).as_bytes())?;
    write_measurements(&root.join("bench.parquet"), &speed.measurements)?;
    write_growths(&root.join("growth.parquet"), &speed.growths)?;
    machine.write(root)?;
    let figure = ReportFigure {
        name: "growth".to_owned(),
        caption: "CPU time on one thread against the number of observations, components and features, medians. Exponents are those of the upper half of each line. Pass and iteration of EM stand on the same floor, and so does a gradient of a chain, \
                  which makes one pass. A pass that may leave components out can fall below it."
            .to_owned(),
        figure: GrowthPlot { growths: speed.growths.clone() }.draw().context("figure of growth")?,
    };
    figure.write(root)?;
    Ok(write_bytes(&root.join(PAGE), page::render(speed, machine, &figure)?.as_bytes())?)
}
