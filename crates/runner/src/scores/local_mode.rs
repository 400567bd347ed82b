//! A local mode of a posterior, and the normal distribution about it from which mixtures are drawn.

use gmm_sampler::data::Scaling;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::start::normal::NormalApproximation;
use rand::Rng;

/// A local mode of the posterior of one K in one system of axes.
#[derive(Debug, Clone)]
pub struct LocalMode {
    /// The log evidence about it and its relabellings, by Laplace's method, in nats on the data's own scale.
    pub log_evidence: f64,
    /// Whether no relabelling of it lies within its width.
    pub told_apart: bool,
    pub layout: Layout,
    /// On the sampler's scale.
    pub normal: NormalApproximation,
    pub scaling: Scaling,
    /// The order of the components: where all are alike before the data, those of the largest weights first.
    pub order: Vec<usize>,
}

impl LocalMode {
    /// The mixture at the mode, on the data's own scale.
    #[must_use]
    pub fn mixture(&self) -> Mixture {
        self.on_data_scale(self.normal.mean())
    }

    /// A random mixture of the normal about it, on the data's own scale.
    pub fn draw(&self, rng: &mut impl Rng) -> Mixture {
        self.on_data_scale(&self.normal.draw(rng))
    }

    fn on_data_scale(&self, position: &[f64]) -> Mixture {
        self.layout.constrain(position).reordered(&self.order).on_data_scale(&self.scaling)
    }
}
