//! `gmm score`: WAIC and PSIS-LOO of models from their pointwise log-likelihoods, and their comparison.

mod models;
mod print;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use gmm_sampler::diagnostics::Summary;
use gmm_scoring::{Comparison, LooPoint, PointScores, WaicPoint, loo, pseudo_bma, pseudo_bma_plus, waic};
use rayon::prelude::*;

use self::models::{Model, Ranked};
use super::reliability::{caveat, conclude};
use crate::cli::arguments::{Score, Verbosity};
use crate::cli::messages::say;
use crate::cli::output::show_results;
use crate::cli::problem::{Problem, Problems};
use crate::present::words;
use crate::present::words::list::sentence;
use crate::process::threads::pool;
use crate::storage::draws::{Content, DrawsFile};
use crate::study::streams::Stream;

/// Resamples of the Bayesian bootstrap behind pseudo-BMA+: the Monte Carlo error of a weight is then below 0.008.
const RESAMPLES: usize = 4_000;

/// Scores one model or several, and compares several.
///
/// # Errors
/// Files that hold no log-likelihoods of several draws, or those of different observations, or the system.
pub fn score(flags: &Score, verbosity: &Verbosity) -> Result<ExitCode> {
    let open = |path: &std::path::PathBuf| DrawsFile::open(path, Content::Observations, |_| true);
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for path in &flags.log_likelihood {
        match open(path) {
            Ok(file) => files.push(file),
            Err(problem) => problems.extend(problem),
        }
    }
    if let Some((first, others)) = files.split_first() {
        problems.extend(others.iter().filter_map(|other| incomparable(first, other)));
    }
    Problems::check(problems)?;
    let names = unique_names(&flags.log_likelihood);
    let pool = pool(flags.jobs)?;
    let models = files.iter().zip(names).map(|(file, name)| pool.install(|| score_file(file, name)));
    let models: Vec<Model> = models.collect::<Result<_, Problems>>()?;
    let ranked = if models.len() > 1 { Some(rank(&models)?) } else { None };
    show_results(
        flags.format,
        || print::text(&models, ranked.as_ref()),
        || print::json(&models, ranked.as_ref()),
    )?;
    if !verbosity.quiet {
        for model in &models {
            for diagnostic in &model.waic.diagnostics {
                say!("WAIC of {}: {}", model.name, sentence(&words::diagnostics::criterion(diagnostic)));
            }
        }
    }
    let caveats: Vec<String> = models
        .iter()
        .flat_map(|model| model.caveats.iter().map(|caveat| format!("{}: {caveat}", model.name)))
        .collect();
    Ok(conclude(&caveats, verbosity))
}

/// Why scores of two files do not compare.
fn incomparable(first: &DrawsFile, other: &DrawsFile) -> Option<Problem> {
    let (expected, found) = (first.names(), other.names());
    if expected.len() != found.len() {
        let message = format!(
            "`{}` has {} observations, `{}` has {}: scores of different data cannot be compared",
            other.shown(),
            found.len(),
            first.shown(),
            expected.len()
        );
        return Some(Problem::new(other.shown(), message));
    }
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    let moved = expected.iter().zip(found).find(|(a, b)| a != b)?;
    // Other names are another program's; the same ones in another order would be paired wrongly.
    (sorted(expected) == sorted(found)).then(|| {
        let message =
            format!("`{}` has the observations of `{}` in another order", other.shown(), first.shown());
        Problem::new(other.shown(), message)
            .note(format!("column `{}` stands where `{}` does there", moved.1, moved.0))
            .help("write the columns of all files in one order")
    })
}

/// What one batch of columns yields.
struct Batch {
    points: Vec<PointScores>,
    /// S log-likelihoods of its observations together.
    sum: Vec<f64>,
}

fn score_file(file: &DrawsFile, name: String) -> Result<Model, Problems> {
    let n_chains = file.n_chains();
    let batches = file.batches().into_par_iter().map(|batch| {
        let columns = file.columns(batch)?;
        let points = columns.par_iter().map(|column| PointScores::new(column, n_chains)).collect();
        let mut sum = vec![0.0; file.n_draws()];
        for column in &columns {
            sum.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
        }
        Ok(Batch { points, sum })
    });
    let batches: Vec<Batch> = batches.collect::<Result<_, Problems>>()?;
    let mut sum = vec![0.0; file.n_draws()];
    // In the order of the file, so that sums round alike on any number of threads.
    for batch in &batches {
        sum.iter_mut().zip(&batch.sum).for_each(|(sum, value)| *sum += value);
    }
    let (waics, points): (Vec<WaicPoint>, Vec<LooPoint>) =
        batches.into_iter().flat_map(|batch| batch.points).map(|point| (point.waic, point.loo)).unzip();
    let (loo, waic) = (loo(&points, file.n_draws()), waic(&waics));
    let log_likelihood = Summary::from_column(&sum, n_chains);
    let is_constant = sum[0].is_finite() && sum.iter().all(|value| *value == sum[0]);
    let mut caveats = Vec::new();
    caveats.extend(loo.diagnostics.iter().map(words::diagnostics::criterion));
    if !is_constant && let Some(caveat) = caveat(&log_likelihood, n_chains) {
        caveats.push(format!("log-likelihood of all observations: {caveat}"));
    }
    let observations = file.names().to_vec();
    Ok(Model {
        name,
        n_chains,
        n_draws: file.n_draws(),
        observations,
        points,
        loo,
        waic,
        log_likelihood,
        caveats,
    })
}

fn rank(models: &[Model]) -> Result<Ranked> {
    let scores: Vec<(usize, &gmm_scoring::Score)> =
        models.iter().map(|model| &model.loo).enumerate().collect();
    let pointwise: Vec<&[f64]> = models.iter().map(|model| model.loo.pointwise.as_slice()).collect();
    Ok(Ranked {
        comparison: Comparison::new(&scores).context("the models cannot be compared")?,
        pseudo_bma: pseudo_bma(&pointwise),
        pseudo_bma_plus: pseudo_bma_plus(&pointwise, RESAMPLES, &mut Stream::BayesianBootstrap.rng()),
    })
}

/// The files' stems; with a number behind those that several share.
fn unique_names(paths: &[impl AsRef<Path>]) -> Vec<String> {
    let stem = |path: &Path| {
        path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().escape_debug().to_string()
    };
    let stems: Vec<String> = paths.iter().map(|path| stem(path.as_ref())).collect();
    let mut names: Vec<String> = Vec::new();
    for stem in &stems {
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let free = |name: &String| !names.contains(name) && (name == stem || !stems.contains(name));
        let name = std::iter::once(stem.clone()).chain(numbered).find(free);
        names.push(name.expect("there is a number that no name has yet"));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stems_and_unique() {
        assert_eq!(
            unique_names(&["a/k.parquet", "b/k.parquet", "k-2.parquet", "c/k.parquet", "d"]),
            ["k", "k-3", "k-2", "k-4", "d"]
        );
    }
}
