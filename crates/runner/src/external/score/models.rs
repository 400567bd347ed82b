//! Models by their pointwise log-likelihoods, and their comparison.

use gmm_sampler::diagnostics::Summary;
use gmm_scoring::{Comparison, LooPoint, Score, khat_threshold};

/// One model's scores.
pub struct Model {
    /// The file's stem, made unique.
    pub name: String,
    pub n_chains: usize,
    /// S.
    pub n_draws: usize,
    pub observations: Vec<String>,
    pub points: Vec<LooPoint>,
    pub loo: Score,
    pub waic: Score,
    /// Of the log-likelihood of all observations: whether the chains mixed.
    pub log_likelihood: Summary,
    /// Why its scores should not be believed.
    pub caveats: Vec<String>,
}

/// Models by PSIS-LOO, best first.
pub struct Ranked {
    /// Each model by its place in the list of files.
    pub comparison: Comparison<usize>,
    /// In the order of the models.
    pub pseudo_bma: Vec<f64>,
    pub pseudo_bma_plus: Vec<f64>,
}

impl Model {
    /// Places of the observations whose term is not to be believed.
    pub fn bad(&self) -> impl Iterator<Item = usize> {
        let threshold = khat_threshold(self.n_draws);
        // Written so that NaN is bad.
        (0..self.points.len())
            .filter(move |&i| !(self.points[i].pareto_k <= threshold && self.points[i].elpd.is_finite()))
    }
}
