//! WBIC of a fit whose likelihood is raised to a power.

use anyhow::Result;
use gmm_sampler::diagnostics::{Summary, mcse_mean};
use gmm_scoring::{Score, wbic};
use rayon::prelude::*;

use super::SummaryRow;
use super::pass::log_likelihood_and_spiked;
use crate::experiment::Experiment;
use crate::fit::Fit;
use crate::health::{Demands, Health};
use crate::jobs::Job;

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
            log_likelihood_and_spiked(experiment, job.components, fit, &experiment.dataset.data)?;
        let blocks: Vec<Vec<f64>> =
            (0..matrix.n_blocks()).into_par_iter().map(|block| matrix.block_sum(block)).collect();
        // In the order of the blocks, so that sums round alike on any number of threads.
        let log_likelihood: Vec<f64> =
            (0..matrix.n_draws()).map(|s| blocks.iter().map(|block| block[s]).sum()).collect();
        let n_chains = fit.draws.n_chains();
        let lp: Vec<f64> = fit.stats.iter().map(|stats| stats.lp).collect();
        let summary = [("lp", &lp), ("log_likelihood", &log_likelihood)].map(|(name, column)| SummaryRow {
            components: job.components,
            seed: job.seed,
            parameter: name.to_owned(),
            summary: Summary::of(column, n_chains),
        });
        let max_tree_depth = experiment.spec.sampler.max_tree_depth;
        let health = Health::of(fit, &summary, spiked, 0.0, max_tree_depth, Demands::DRAWS);
        let score = wbic(&log_likelihood, mcse_mean(&log_likelihood, n_chains));
        Ok(Self { score: health.doubt(score), trouble: health.doubts().join("; ") })
    }
}
