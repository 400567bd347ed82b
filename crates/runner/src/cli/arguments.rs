//! The commands and flags of `gmm`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::topic::Topic;

/// How many Gaussian components? Fits Bayesian Gaussian mixtures over values of K, scores them, and shows why.
#[derive(Debug, Parser)]
#[command(name = "gmm", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub talk: Talk,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment or a suite, or what is missing of it; ends with its table and the report's path.
    Run {
        /// The experiment's or suite's spec.
        spec: PathBuf,
        #[command(flatten)]
        run: RunFlags,
    },
    /// Check a spec and its data, and print what would run.
    Check {
        /// The experiment's or suite's spec.
        spec: PathBuf,
        /// Where results would go [default: reports/<name>].
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Choose the number of components of a data file, without a spec.
    Choose(Choose),
    /// Score stored draws, compare them, and draw figures and page again, without sampling.
    Report {
        /// A results directory.
        directory: PathBuf,
        /// Threads [default: all].
        #[arg(long, value_name = "N", value_parser = threads)]
        jobs: Option<usize>,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Tell what is done in a results directory, what runs, what would run again, and why.
    Status(Status),
    /// Run a sample of stored fits again, make all tables and figures again, and compare every byte.
    Verify(Verify),
    /// Score models that were fitted elsewhere by PSIS-LOO and WAIC, from their pointwise log-likelihoods; compare several.
    Score(Score),
    /// Describe draws of any program: moments, quantiles, Monte Carlo errors, effective sample sizes, R-hat.
    Diagnose(Diagnose),
    /// Draw data from a random mixture whose components overlap by a given amount.
    Simulate(Simulate),
    /// Try whether the sampler samples from the right distribution, on problems whose answer is known.
    Accuracy(Accuracy),
    /// Measure how fast the likelihood, chains, EM and whole fits are on this machine, and how their time grows.
    Bench(Bench),
    /// Print the documentation: one topic, or the list of topics.
    Guide {
        #[arg(value_enum)]
        topic: Option<Topic>,
    },
    /// Print a script that completes commands and flags in a shell.
    Completions { shell: Shell },
}

#[derive(Debug, Args)]
pub struct Choose {
    /// CSV or Parquet.
    pub data: PathBuf,
    /// Values of K: a range such as 1..8 (both ends included), a list such as 2,3,5, or one.
    #[arg(short = 'k', long = "components", value_name = "K", default_value = "1..8", value_parser = components)]
    pub components: Components,
    /// Columns to use, separated by commas [default: all numeric ones].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// A column of known classes, compared with the clusters and seen by no fit.
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// Leave out rows with missing cells, instead of refusing them.
    #[arg(long)]
    pub drop_missing: bool,
    /// Write the spec that was run to this file.
    #[arg(long, value_name = "SPEC.toml")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunFlags,
}

#[derive(Debug, Args)]
pub struct RunFlags {
    /// Where results go [default: reports/<name>].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads [default: all].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    /// Sample everything anew, also what is stored.
    #[arg(long)]
    pub fresh: bool,
    /// Try again what failed before with the same inputs.
    #[arg(long)]
    pub retry_failed: bool,
    /// Stop at the first failure, instead of doing all else and telling of failures at the end.
    #[arg(long)]
    pub fail_fast: bool,
    /// Draw no figures and no page, and remove those of an earlier run; `gmm report DIR` draws them later.
    #[arg(long)]
    pub no_report: bool,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// No progress bars, no progress lines.
    #[arg(long)]
    pub no_progress: bool,
}

impl RunFlags {
    /// What goes on with a run that was stopped.
    #[must_use]
    pub fn again(&self) -> &'static str {
        if self.fresh { "the same command without --fresh" } else { "the same command" }
    }
}

#[derive(Debug, Args)]
pub struct Status {
    /// A results directory.
    pub directory: PathBuf,
    /// The spec that would be run [default: the one that was run].
    #[arg(long, value_name = "SPEC.toml")]
    pub spec: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// A results directory.
    pub directory: PathBuf,
    /// Fits, or data sets of a suite, that are run again.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub sample: usize,
    /// Run all of them again.
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// Which sample.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Threads [default: all].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Score {
    /// Log-likelihoods as Parquet, a file a model: a row a draw, chain after chain, a column `chain`, and one column for each
    /// observation; a column `draw` is passed over.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub log_likelihood: Vec<PathBuf>,
    /// Threads [default: all].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Diagnose {
    /// Draws as Parquet: a row a draw, chain after chain, a column `chain`, and one column for each variable; a column `draw`
    /// and the sampler's statistics are passed over.
    pub draws: PathBuf,
    /// Threads [default: all].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Accuracy {
    /// Run fewer cases and shorter chains: seconds instead of minutes.
    #[arg(long)]
    pub quick: bool,
    /// Where results go.
    #[arg(long, value_name = "DIR", default_value = "reports/accuracy")]
    pub out: PathBuf,
    /// Threads [default: all].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Bench {
    /// Measure for seconds instead of minutes, without the largest sizes.
    #[arg(long)]
    pub quick: bool,
    /// Where results go.
    #[arg(long, value_name = "DIR", default_value = "reports/bench")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Simulate {
    /// Components of the true mixture.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub components: u32,
    /// Features.
    #[arg(short = 'd', long, value_name = "D", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub features: u32,
    /// Observations.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub observations: u32,
    /// Average over pairs of components: the probability that an observation of one is taken for one of the other, added up over
    /// both.
    #[arg(long, value_name = "OVERLAP", default_value_t = 0.01)]
    pub overlap: f64,
    /// Least weight of a component; 1/K makes all equal.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.05)]
    pub least_weight: f64,
    /// What chance is drawn from: the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the data go; Parquet if the name ends so, CSV otherwise [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where the true mixture and its overlaps go, as JSON.
    #[arg(long, value_name = "FILE.json")]
    pub truth: Option<PathBuf>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    #[default]
    Table,
    Json,
}

#[derive(Debug, Args)]
pub struct Talk {
    /// Say nothing but errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: every remark on every fit.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Colours in error messages.
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Values of K.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components(pub Vec<usize>);

/// Most values of K in a range: the spec's own limit.
const MOST: usize = 1000;

/// Reads `1..8`, `2,3,5` or `4`.
fn components(text: &str) -> Result<Components, String> {
    let allowed = "allowed: a range such as 1..8 (both ends included), a list such as 2,3,5, or one number";
    let number = |part: &str| match part.trim().parse::<usize>() {
        Ok(k) if (1..=MOST).contains(&k) => Ok(k),
        _ => Err(format!("`{part}` is no number of components from 1 to {MOST}; {allowed}")),
    };
    let Some((from, to)) = text.split_once("..") else {
        return text.split(',').map(number).collect::<Result<_, _>>().map(Components);
    };
    let (from, to) = (number(from)?, number(to.trim_start_matches(['.', '=']))?);
    if from > to {
        return Err(format!("the range is empty; {allowed}"));
    }
    Ok(Components((from..=to).collect()))
}

/// Reads a number of threads.
fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("allowed: a whole number from 1 up".to_owned()),
        Ok(threads) => Ok(threads),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lists_and_numbers_are_read() {
        assert_eq!(components("1..4").unwrap().0, [1, 2, 3, 4]);
        assert_eq!(components("2, 3,5").unwrap().0, [2, 3, 5]);
        assert_eq!(components("4").unwrap().0, [4]);
    }

    #[test]
    fn nonsense_is_refused_with_what_is_allowed() {
        for text in ["", "0", "4..1", "two", "1..", "1,,2", "0..3", "1..99999"] {
            assert!(components(text).unwrap_err().contains("allowed:"), "{text}");
        }
        assert!(threads("0").is_err() && threads("-1").is_err());
    }
}
