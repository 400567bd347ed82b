//! One of the K! copies of a posterior whose components are all alike.

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::relabel::Labelling;

/// The posterior under an exchangeable prior, K! times as high on the domain of one labelling and nothing outside it: a
/// density with the same integral. Draws of the posterior, each brought to that labelling, are draws of it, whichever of the
/// copies a chain was in; so no copy is left out and none is counted twice (Frühwirth-Schnatter 2004, section 5, on what
/// happens otherwise).
#[derive(Debug, Clone)]
pub struct Canonical<'a> {
    posterior: Posterior<'a>,
    labelling: Labelling,
    log_copies: f64,
}

impl<'a> Canonical<'a> {
    /// With the labels of a reference, which should be a typical draw.
    #[must_use]
    pub fn new(posterior: Posterior<'a>, reference: Mixture) -> Self {
        let k = posterior.layout().n_components as f64;
        Self { posterior, labelling: Labelling::new(reference), log_copies: libm::lgamma(k + 1.0) }
    }

    /// A position's copy in the domain.
    pub fn bring(&mut self, position: &[f64]) -> Vec<f64> {
        let layout: Layout = self.posterior.layout();
        let order = self.labelling.order(layout.means(position));
        layout.reordered(position, &order)
    }
}

impl LogDensity for Canonical<'_> {
    fn dimension(&self) -> usize {
        self.posterior.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let means = self.posterior.layout().means(position);
        // A mean beyond double precision has no label, and no density.
        if means.iter().any(|mean| !mean.is_finite()) || !self.labelling.order(means).is_sorted() {
            return f64::NEG_INFINITY;
        }
        self.log_copies + self.posterior.log_density_and_gradient(position, gradient)
    }
}
