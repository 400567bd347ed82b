//! From stored fits to scores: one pass over the data for each fit, then every criterion.

use anyhow::Result;
use gmm_sampler::diagnostics::Summary;
use gmm_sampler::relabel::relabel;
use gmm_scoring::{Criterion, LooPoint, in_doubt, waic};
use rayon::prelude::*;

use crate::engine::experiment::Experiment;
use crate::engine::task::Task;
use crate::scores::health::{ConvergenceThresholds, Health};
use crate::scores::plot_draws::PlotDraws;
use crate::storage::fits::Fit;
use crate::study::job::Job;

use super::evidence::log_evidence_score;
use super::pass::{log_likelihood_and_spiked, occupied, pass};
use super::pivot::pivot;
use super::rows::{ScoreRow, SummaryRow};

/// The parameter, in summaries, that is the number of components that own an observation.
const OCCUPIED: &str = "occupied";

/// Everything that is kept of a fit once its draws are on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    pub job: Job,
    pub summary: Vec<SummaryRow>,
    pub health: Health,
    /// The posterior of K⁺, the number of components that own an observation: from 1 to K.
    pub occupied: Vec<f64>,
    /// By WAIC and log evidence, where asked for.
    pub scores: Vec<ScoreRow>,
    /// The terms of PSIS-LOO, where asked for.
    pub loo: Option<Vec<LooPoint>>,
}

impl Digest {
    /// Fits without the observations at which reweighting this one fails.
    #[must_use]
    pub fn refits(&self, experiment: &Experiment) -> Vec<Task> {
        let in_doubt =
            self.loo.as_ref().map_or_else(Vec::new, |points| in_doubt(points, self.health.n_draws));
        experiment.refits(self.job.model, self.job.seed, &in_doubt)
    }
}

/// Summarises and scores one fit, and keeps the draws that its figures and clusters need.
///
/// # Errors
/// Draws that are no mixtures.
pub fn digest(experiment: &Experiment, job: Job, fit: &Fit) -> Result<(Digest, PlotDraws)> {
    let data = &experiment.dataset.data;
    let (matrix, spiked) = log_likelihood_and_spiked(experiment, job.model.components, fit, data)?;
    let (with_waic, with_loo) = (experiment.scores_by(Criterion::Waic), experiment.scores_by(Criterion::Loo));
    let pass = pass(&matrix, with_waic, with_loo);
    let occupied = occupied(job, &matrix);
    // Relabelling needs as much memory again.
    drop(matrix);
    let n_chains = fit.draws.n_chains();

    let relabelled = relabel(&fit.draws, &pivot(fit, job.model.components, data.n_features())?);
    let lp: Vec<f64> = fit.stats.iter().map(|stats| stats.lp).collect();
    let mut columns: Vec<(&str, &[f64])> =
        vec![("lp", &lp), ("log_likelihood", &pass.log_likelihood), (OCCUPIED, &occupied)];
    for (variable, name) in relabelled.draws.variables().iter().enumerate() {
        columns.push((name, relabelled.draws.column(variable)));
    }
    let summary: Vec<SummaryRow> = columns
        .par_iter()
        .map(|(name, column)| SummaryRow {
            model: job.model,
            seed: job.seed,
            parameter: (*name).to_owned(),
            summary: Summary::from_column(column, n_chains),
        })
        .collect();

    // The first two rows: log density and log-likelihood.
    let invariant = [summary[0].summary, summary[1].summary];
    let health = Health::new(fit, &invariant, spiked, relabelled.switched, ConvergenceThresholds::DRAWS);
    let mut scores = Vec::new();
    if with_waic {
        scores.push(ScoreRow::new(job.model, Some(job.seed), waic(&pass.waic)));
    }
    if experiment.scores_by(Criterion::Evidence) {
        scores.push(log_evidence_score(experiment, job, fit)?);
    }
    let diagnostics = health.diagnostics();
    scores.iter_mut().for_each(|row| row.push_fit(&diagnostics));
    let loo = with_loo.then_some(pass.loo);
    let plot_draws = PlotDraws::from_fit(fit, job.model, job.seed, data.n_features(), &relabelled.draws)?;
    Ok((
        Digest { job, summary, health, occupied: shares(&occupied, job.model.components), scores, loo },
        plot_draws,
    ))
}

/// The share of each count from 1 to the greatest.
fn shares(counts: &[f64], greatest: usize) -> Vec<f64> {
    let share = |count: usize| {
        counts.iter().filter(|&&value| value == count as f64).count() as f64 / counts.len() as f64
    };
    (1..=greatest).map(share).collect()
}
