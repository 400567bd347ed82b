//! `gmm`: how many Gaussian components? The program, as a library of two doors: what its `main` does, and its readers of foreign
//! bytes, for fuzzers.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod data;
mod engine;
mod external;
mod parquet;
mod present;
mod process;
pub mod readers;
mod recovery;
mod scores;
mod storage;
mod study;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use gmm_sampler::simd::choose_instructions;

use cli::arguments::{Cli, Command};
use cli::exit_status::report_error;
use commands::{
    accuracy, bench, check, choose, clusters, guide, predict, report, run, simulate, status, verify,
};
use process::interrupt::watch_signals;
use process::panics::keep_caught_panics_quiet;

/// Environment variable: instructions for all hot loops, by the name that provenance gives, instead of the machine's best. Results
/// have the same bits on all.
const INSTRUCTIONS: &str = "GMM_INSTRUCTIONS";

/// Takes the wanted instructions, and has signals and panics treated as ours.
fn set_up() -> Result<()> {
    keep_caught_panics_quiet();
    if let Some(name) = std::env::var_os(INSTRUCTIONS) {
        choose_instructions(&name.to_string_lossy()).context(INSTRUCTIONS)?;
    }
    watch_signals()
}

/// The program: from its arguments to its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let verbosity = &cli.verbosity;
    let done = set_up().and_then(|()| match &cli.command {
        Command::Run { spec, run } => run::run(spec, run, verbosity),
        Command::Check { spec, out } => check::check(spec, out.as_deref()),
        Command::Choose(choose) => choose::choose(choose, verbosity),
        Command::Clusters(flags) => clusters::clusters(flags),
        Command::Predict(flags) => predict::predict(flags),
        Command::Report { directory, jobs, format } => report::report(directory, *jobs, *format, verbosity),
        Command::Status(flags) => status::status(flags, verbosity),
        Command::Verify(flags) => verify::verify(flags, verbosity),
        Command::Score(flags) => external::score::score(flags, verbosity),
        Command::Diagnose(flags) => external::diagnose::diagnose(flags, verbosity),
        Command::Simulate(flags) => simulate::simulate(flags),
        Command::Accuracy(flags) => accuracy::accuracy(flags, verbosity),
        Command::Bench(flags) => bench::bench(flags, verbosity),
        Command::Guide { topic } => guide::guide(*topic),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "gmm", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    });
    done.unwrap_or_else(|error| report_error(&error, verbosity))
}
