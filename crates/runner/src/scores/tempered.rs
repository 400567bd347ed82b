//! WBIC of a fit whose likelihood is raised to a power.

use anyhow::Result;
use gmm_sampler::diagnostics::mcse_mean;
use gmm_scoring::wbic;

use super::diagnostic::Diagnostic;
use super::pass::{invariants, log_likelihood_and_spiked, pass};
use crate::engine::experiment::Experiment;
use crate::scores::health::{ConvergenceThresholds, Health};
use crate::scores::rows::ScoreRow;
use crate::storage::fits::Fit;
use crate::study::job::Job;

/// What a tempered fit says.
#[derive(Debug, Clone, PartialEq)]
pub struct Tempered {
    pub score: ScoreRow,
    /// What is wrong with the fit; empty if nothing is.
    pub diagnostics: Vec<Diagnostic>,
}

impl Tempered {
    /// # Errors
    /// Draws that are no mixtures.
    pub fn from_fit(experiment: &Experiment, job: Job, fit: &Fit) -> Result<Self> {
        let (matrix, spiked) =
            log_likelihood_and_spiked(experiment, job.model.components, fit, &experiment.dataset.data)?;
        let log_likelihood = pass(&matrix, false, false).log_likelihood;
        let health =
            Health::new(fit, &invariants(fit, &log_likelihood), spiked, 0.0, ConvergenceThresholds::DRAWS);
        let score = wbic(&log_likelihood, mcse_mean(&log_likelihood, fit.draws.n_chains()));
        let diagnostics = health.diagnostics();
        let mut score = ScoreRow::new(job.model, Some(job.seed), score);
        score.push_fit(&diagnostics);
        Ok(Self { score, diagnostics })
    }
}
