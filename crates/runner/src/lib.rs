//! `gmm`: how many Gaussian components? The program, as a library of two doors: what its `main` does, and its readers of foreign
//! bytes, for fuzzers.
#![forbid(unsafe_code)]

mod accuracy;
mod answer;
mod bench;
mod caught;
mod check;
mod choose;
mod cli;
mod command;
mod data;
mod disk;
mod elsewhere;
mod experiment;
mod findings;
mod fit;
mod health;
mod jobs;
mod lock;
mod model;
mod problem;
mod progress;
mod provenance;
pub mod readers;
mod report;
mod results;
mod run;
mod sample;
mod score;
mod simulate;
mod sketch;
mod spec;
mod stage;
mod status;
mod stop;
mod store;
mod stream;
mod suite;
mod table;
mod talk;
mod verify;
mod warning;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use gmm_sampler::simd::choose_instructions;

use caught::keep_caught_panics_quiet;
use cli::{Cli, Command};
use spec::suite::is_suite;
use stop::watch_signals;

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
    let talk = &cli.talk;
    let done = set_up().and_then(|()| match &cli.command {
        Command::Run { spec, run } if is_suite(spec) => suite::run(spec, run, talk),
        Command::Run { spec, run } => run::run(spec, run, talk),
        Command::Check { spec, .. } if is_suite(spec) => suite::check(spec),
        Command::Check { spec, out } => check::check(spec, out.as_deref()),
        Command::Choose(choose) => choose::choose(choose, talk),
        Command::Report { directory, format, .. } if is_suite(&directory.join("spec.toml")) => {
            suite::report(directory, *format, talk)
        }
        Command::Report { directory, jobs, format } => run::report(directory, *jobs, *format, talk),
        Command::Status(flags) => status::status(flags, talk),
        Command::Verify(flags) => verify::verify(flags, talk),
        Command::Score(flags) => elsewhere::score(flags, talk),
        Command::Diagnose(flags) => elsewhere::diagnose(flags, talk),
        Command::Simulate(flags) => simulate::simulate(flags),
        Command::Accuracy(flags) => accuracy::accuracy(flags, talk),
        Command::Bench(flags) => bench::bench(flags, talk),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "gmm", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    });
    done.unwrap_or_else(|error| command::explain(&error, talk))
}
