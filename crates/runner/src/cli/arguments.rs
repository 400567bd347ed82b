//! The commands and flags of `gmm`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::topic::Topic;

/// How many Gaussian components? Fit Bayesian Gaussian mixtures for several K, score them, and show why one is chosen.
#[derive(Debug, Parser)]
#[command(name = "gmm", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub verbosity: Verbosity,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment or a suite. Stored results are not computed again.
    Run {
        /// The spec of the experiment or suite (TOML).
        spec: PathBuf,
        #[command(flatten)]
        run: RunFlags,
    },
    /// Check a spec and its data, and show what would run.
    Check {
        /// The spec of the experiment or suite (TOML).
        spec: PathBuf,
        /// Directory for the results [default: reports/<name>].
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Choose the number of components for a data file, without writing a spec.
    Choose(Choose),
    /// Show the cluster of every row that was fitted, and its probability.
    Clusters(ClustersFlags),
    /// Find the clusters of new rows, by the mixtures that were fitted.
    Predict(Predict),
    /// Score the stored draws and rewrite tables, figures and page, without sampling.
    Report {
        /// A directory of results.
        directory: PathBuf,
        /// Number of threads [default: one for each core].
        #[arg(long, value_name = "N", value_parser = threads)]
        jobs: Option<usize>,
        /// Format of the results.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show which fits are done, running, failed, stale or missing, and why.
    Status(Status),
    /// Repeat a sample of the stored fits, rebuild all tables and figures, and compare every byte.
    Verify(Verify),
    /// Score and compare models fitted by other programs (PSIS-LOO, WAIC), from their pointwise log-likelihoods.
    Score(Score),
    /// Summarise draws of any program: moments, quantiles, Monte Carlo errors, effective sample sizes, R-hat.
    Diagnose(Diagnose),
    /// Simulate data from a random mixture whose components overlap by a given amount.
    Simulate(Simulate),
    /// Test the sampler on problems with known answers.
    Accuracy(Accuracy),
    /// Measure the speed and scaling of likelihood, chains, EM and whole fits on this machine.
    Bench(Bench),
    /// Print the documentation: one topic, or the list of topics.
    Guide {
        #[arg(value_enum)]
        topic: Option<Topic>,
    },
    /// Print a completion script for a shell.
    Completions { shell: Shell },
}

#[derive(Debug, Args)]
pub struct Choose {
    /// The data: a CSV or Parquet file, one row for each observation.
    pub data: PathBuf,
    /// Values of K: a range such as 1..8 (both ends included), a list such as 2,3,5, or one number [default: 1..10, or
    /// further until the largest three are improbable].
    #[arg(short = 'k', long = "components", value_name = "K", value_parser = components)]
    pub components: Option<Components>,
    /// Columns to fit, separated by commas [default: all numeric columns].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// A column of known classes, to compare with the clusters. No fit uses it.
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// Leave out rows with missing cells. Without this flag they are an error.
    #[arg(long)]
    pub drop_missing: bool,
    /// Write the spec of this run to a file.
    #[arg(long, value_name = "SPEC.toml")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub run: RunFlags,
}

#[derive(Debug, Args)]
pub struct RunFlags {
    /// Directory for the results [default: reports/<name>].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Number of threads [default: one for each core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    /// Compute everything again, and replace stored results.
    #[arg(long)]
    pub fresh: bool,
    /// Retry fits that failed before with the same inputs.
    #[arg(long)]
    pub retry_failed: bool,
    /// Stop at the first failure instead of finishing the remaining fits.
    #[arg(long)]
    pub fail_fast: bool,
    /// Write no figures and no page, and remove earlier ones. Use `gmm report DIR` to write them later.
    #[arg(long)]
    pub no_report: bool,
    /// Format of the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Show no progress.
    #[arg(long)]
    pub no_progress: bool,
}

impl RunFlags {
    /// The command that continues an interrupted run.
    #[must_use]
    pub fn again(&self) -> &'static str {
        if self.fresh { "the same command without --fresh" } else { "the same command" }
    }
}

#[derive(Debug, Args)]
pub struct ClustersFlags {
    /// A directory of results.
    pub directory: PathBuf,
    /// File for the table: Parquet if it ends in .parquet, JSON if in .json, else CSV [default: CSV on standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Predict {
    /// A directory of results.
    pub directory: PathBuf,
    /// The new rows: a CSV or Parquet file with the columns that were fitted, among others and in any order.
    pub data: PathBuf,
    /// Use the mixtures of this K alone [default: all K, by their probabilities].
    #[arg(short = 'k', long, value_name = "K")]
    pub components: Option<usize>,
    /// File for the table: Parquet if it ends in .parquet, JSON if in .json, else CSV [default: CSV on standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Number of threads [default: one for each core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// A directory of results.
    pub directory: PathBuf,
    /// Compare the results with this spec [default: the spec they were computed from].
    #[arg(long, value_name = "SPEC.toml")]
    pub spec: Option<PathBuf>,
    /// Format of the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// A directory of results.
    pub directory: PathBuf,
    /// Number of fits (for a suite: data sets) to repeat.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub sample: usize,
    /// Repeat all of them.
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// Random seed of the sample.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Number of threads [default: one for each core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    /// Format of the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Score {
    /// Parquet files of log-likelihoods, one for each model. Each row is a draw, each column an observation. The column `chain`
    /// numbers the chains; rows of a chain are adjacent. A column `draw` is ignored.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub log_likelihood: Vec<PathBuf>,
    /// Number of threads [default: one for each core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    /// Format of the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Diagnose {
    /// A Parquet file of draws. Each row is a draw, each column a variable. The column `chain` numbers the chains; rows of a
    /// chain are adjacent. A column `draw` and statistics of the sampler are ignored.
    pub draws: PathBuf,
    /// Number of threads [default: one for each core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
    /// Format of the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Accuracy {
    /// Run fewer cases and shorter chains: seconds instead of minutes.
    #[arg(long)]
    pub quick: bool,
    /// Directory for the results.
    #[arg(long, value_name = "DIR", default_value = "reports/accuracy")]
    pub out: PathBuf,
    /// Number of threads [default: one for each core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Bench {
    /// Measure for seconds instead of minutes, without the largest sizes.
    #[arg(long)]
    pub quick: bool,
    /// Directory for the results.
    #[arg(long, value_name = "DIR", default_value = "reports/bench")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Simulate {
    /// Number of components of the true mixture.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub components: u32,
    /// Number of features.
    #[arg(short = 'd', long, value_name = "D", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub features: u32,
    /// Number of observations.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub observations: u32,
    /// Mean pairwise overlap: the sum of the two misclassification probabilities, averaged over pairs of components.
    #[arg(long, value_name = "OVERLAP", default_value_t = 0.01)]
    pub overlap: f64,
    /// Smallest weight of a component; 1/K makes all weights equal.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.05)]
    pub least_weight: f64,
    /// Random seed. The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// File for the data: Parquet if it ends in .parquet, else CSV [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// File for the true mixture and its overlaps (JSON).
    #[arg(long, value_name = "FILE.json")]
    pub truth: Option<PathBuf>,
}

/// Format of the printed results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    #[default]
    Table,
    Json,
}

#[derive(Debug, Args)]
pub struct Verbosity {
    /// Print only results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print details of every fit.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to colour error messages.
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
        _ => Err(format!("`{part}` is not a number of components from 1 to {MOST}; {allowed}")),
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
