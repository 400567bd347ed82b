//! WBIC of a fit whose likelihood is raised to a power.

use anyhow::Result;
use gmm_sampler::diagnostics::mcse_mean;
use gmm_scoring::{Score, wbic};

use super::pass::{invariants, log_likelihood_and_spiked, pass};
use crate::engine::experiment::Experiment;
use crate::scores::health::{Demands, Health};
use crate::storage::fits::Fit;
use crate::study::job::Job;

/// What a tempered fit says.
#[derive(Debug, Clone, PartialEq)]
pub struct Tempered {
    pub score: Score,
    /// Why the fit is doubtful; empty if it is not.
    pub trouble: String,
}

impl Tempered {
    /// # Errors
    /// Draws that are no mixtures.
    pub fn of(experiment: &Experiment, job: Job, fit: &Fit) -> Result<Self> {
        let (matrix, spiked) =
            log_likelihood_and_spiked(experiment, job.model.components, fit, &experiment.dataset.data)?;
        let log_likelihood = pass(&matrix, false, false).log_likelihood;
        let health = Health::of(fit, &invariants(fit, &log_likelihood), spiked, 0.0, Demands::DRAWS);
        let score = wbic(&log_likelihood, mcse_mean(&log_likelihood, fit.draws.n_chains()));
        Ok(Self { score: health.doubt(score), trouble: health.doubts().join("; ") })
    }
}
