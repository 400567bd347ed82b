//! Scores of rows by fits that never saw them.

use anyhow::{Context, Result, ensure};
use gmm_sampler::data::Observations;
use gmm_sampler::diagnostics::sd;
use gmm_scoring::{Criterion, Score, Terms, held_out, held_out_mcse, kfold, logo};

use super::diagnostic::ScoreDiagnostic;
use super::pass::{invariants, log_likelihood_and_spiked};
use crate::engine::experiment::Experiment;
use crate::engine::task::Task;
use crate::scores::health::{ConvergenceThresholds, Health};
use crate::scores::rows::ScoreRow;
use crate::storage::fits::{Fit, HeldOut};
use crate::study::job::{ModelKey, Variant};

/// Monte Carlo error, as a share of the standard error over observations, above which a cross-validated score is not to be
/// trusted: a tenth adds half a percent to the two together.
const MOST_ERROR: f64 = 0.1;

/// Scores the rows that a task holds out by its fit.
///
/// # Errors
/// Draws that are no mixtures.
pub fn score_held_out(experiment: &Experiment, task: &Task, fit: &Fit) -> Result<HeldOut> {
    let unseen = experiment.dataset.data.rows(&task.held_out);
    let (matrix, spiked) = log_likelihood_and_spiked(experiment, task.job.model.components, fit, &unseen)?;
    let columns: Vec<Vec<f64>> = (0..matrix.n_blocks()).flat_map(|block| matrix.block(block)).collect();
    let n_chains = fit.draws.n_chains();
    let elpd = columns.iter().map(|column| held_out(column)).collect();
    let mcse = held_out_mcse(&columns, n_chains);

    let log_likelihood: Vec<f64> =
        (0..fit.draws.len()).map(|s| columns.iter().map(|column| column[s]).sum()).collect();
    let invariants = invariants(fit, &log_likelihood);
    let health = Health::new(fit, &invariants, spiked, 0.0, ConvergenceThresholds::HELD_OUT);
    Ok(HeldOut { rows: task.held_out.to_vec(), elpd, mcse, diagnostics: health.diagnostics() })
}

/// The score of one K and seed from partitions of the rows. Of several partitions each observation's mean counts.
///
/// # Errors
/// Parts that do not hold out every observation exactly once.
pub fn cross_validated(
    criterion: Criterion,
    (model, seed): (ModelKey, u64),
    n_observations: usize,
    partitions: &[Vec<(Variant, &HeldOut)>],
) -> Result<ScoreRow> {
    let repeats =
        partitions.iter().map(|parts| pointwise(n_observations, parts)).collect::<Result<Vec<_>>>()?;
    let n_repeats = repeats.len() as f64;
    // Parts have streams of random numbers of their own: their errors are independent.
    let parts = || partitions.iter().flatten();
    let mcse = parts().map(|(_, part)| part.mcse * part.mcse).sum::<f64>().sqrt() / n_repeats;
    let score = match criterion.descriptor().terms {
        // Rows of a group are not independent, groups are taken to be: a group is one term, and the standard error is over them.
        Some(Terms::Groups) => logo(parts().map(|(_, part)| part.elpd.iter().sum()).collect()),
        Some(Terms::Observations) | None => {
            let mean = |i: usize| repeats.iter().map(|pointwise| pointwise[i]).sum::<f64>() / n_repeats;
            kfold((0..n_observations).map(mean).collect())
        }
    };
    let mut row = ScoreRow::new(model, Some(seed), Score { mcse, ..score });
    if repeats.len() > 1 {
        let estimates: Vec<f64> = repeats.iter().map(|pointwise| pointwise.iter().sum()).collect();
        row.push(ScoreDiagnostic::MeanOfPartitions { n: repeats.len(), sd: sd(&estimates) });
    }
    let se = row.score.se;
    // An undefined error is too large; one observation has no standard error to compare with.
    if (mcse.is_nan() || mcse > MOST_ERROR * se) && !se.is_nan() {
        row.push(ScoreDiagnostic::LargeHeldOutError { mcse, se });
    }
    let mut unreliable = parts().filter(|(_, part)| !part.diagnostics.is_empty());
    if let Some((part, first)) = unreliable.next() {
        let diagnostics = first.diagnostics.clone();
        row.push(ScoreDiagnostic::UnreliablePart { part: *part, diagnostics, n_more: unreliable.count() });
    }
    Ok(row)
}

/// The log predictive density of each observation by the one part that holds it out.
fn pointwise(n_observations: usize, parts: &[(Variant, &HeldOut)]) -> Result<Vec<f64>> {
    let mut pointwise: Vec<Option<f64>> = vec![None; n_observations];
    for (&row, &elpd) in parts.iter().flat_map(|(_, part)| part.rows.iter().zip(&part.elpd)) {
        let place = pointwise.get_mut(row).with_context(|| format!("there is no observation {row}"))?;
        ensure!(place.replace(elpd).is_none(), "observation {row} is held out twice");
    }
    let pointwise: Option<Vec<f64>> = pointwise.into_iter().collect();
    pointwise.context("some observations were never held out")
}
