//! `gmm`: how many Gaussian components?

mod accuracy;
mod answer;
mod bench;
mod choose;
mod cli;
mod data;
mod disk;
mod elsewhere;
mod experiment;
mod findings;
mod fit;
mod health;
mod jobs;
mod model;
mod problem;
mod progress;
mod provenance;
mod report;
mod results;
mod run;
mod sample;
mod score;
mod simulate;
mod sketch;
mod spec;
mod store;
mod stream;
mod suite;
mod table;
mod talk;
mod warning;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use spec::suite::is_suite;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let talk = &cli.talk;
    let done = match &cli.command {
        Command::Run { spec, run } if is_suite(spec) => suite::run(spec, run, talk),
        Command::Run { spec, run } => run::run(spec, run, talk),
        Command::Check { spec, .. } if is_suite(spec) => suite::check(spec),
        Command::Check { spec, out } => run::check(spec, out.as_deref()),
        Command::Choose(choose) => choose::choose(choose, talk),
        Command::Report { directory, format, .. } if is_suite(&directory.join("spec.toml")) => {
            suite::report(directory, *format, talk)
        }
        Command::Report { directory, jobs, format } => run::report(directory, *jobs, *format, talk),
        Command::Score(flags) => elsewhere::score(flags, talk),
        Command::Diagnose(flags) => elsewhere::diagnose(flags, talk),
        Command::Simulate(flags) => simulate::simulate(flags),
        Command::Accuracy(flags) => accuracy::accuracy(flags, talk),
        Command::Bench(flags) => bench::bench(flags, talk),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "gmm", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| run::explain(&error, talk))
}
