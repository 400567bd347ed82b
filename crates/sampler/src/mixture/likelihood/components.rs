//! A mixture's components in the form in which the likelihood needs them: inverse factors instead of covariances.

use crate::mixture::params::Mixture;
use crate::mixture::triangular::{at, invert, packed_len};
use crate::rounding::Rounding;

pub(super) const LOG_2_PI: f64 = 1.837_877_066_409_345_5;

/// K components in the form in which the likelihood evaluates them.
#[derive(Debug, Clone)]
pub struct WhitenedComponents {
    n_features: usize,
    /// K × D.
    pub(super) means: Vec<f64>,
    /// K packed inverse factors W_k = T_k⁻¹.
    inverse_factors: Vec<f64>,
    /// K, log scale: log w_k − (D/2) log 2π − Σ_d log T_k[d,d].
    pub(super) constants: Vec<f64>,
}

impl WhitenedComponents {
    /// Allocates K components in D dimensions. Each must be [`set`](Self::set) before use.
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self {
            n_features,
            means: vec![0.0; n_components * n_features],
            inverse_factors: vec![0.0; n_components * packed_len(n_features)],
            constants: vec![0.0; n_components],
        }
    }

    /// Sets one component from its log weight, mean (D) and packed scale factor T_k.
    pub fn set(&mut self, component: usize, log_weight: f64, mean: &[f64], scale_factor: &[f64]) {
        let d = self.n_features;
        self.means[component * d..][..d].copy_from_slice(mean);
        let inverse = &mut self.inverse_factors[component * packed_len(d)..][..packed_len(d)];
        invert(d, scale_factor, inverse);
        let log_diagonal: f64 = (0..d).map(|i| libm::log(scale_factor[at(i, i)])).sum();
        self.constants[component] = log_weight - 0.5 * d as f64 * LOG_2_PI - log_diagonal;
    }

    /// The components of a mixture, for exact observations.
    #[must_use]
    pub fn from_mixture(mixture: &Mixture) -> Self {
        Self::rounded(mixture, None)
    }

    /// The components of a mixture, for observations with a rounding error: each covariance is Σ_k + R.
    #[must_use]
    pub fn rounded(mixture: &Mixture, rounding: Option<&Rounding>) -> Self {
        let mut whitened = Self::new(mixture.n_components(), mixture.n_features());
        for k in 0..mixture.n_components() {
            let mut factor = mixture.scale_factor(k);
            if let Some(rounding) = rounding {
                rounding.widen(&mut factor);
            }
            whitened.set(k, mixture.log_weights[k], mixture.mean(k), &factor);
        }
        whitened
    }

    /// K.
    #[must_use]
    pub fn n_components(&self) -> usize {
        self.constants.len()
    }

    /// W_k, packed.
    #[must_use]
    pub fn inverse_factor(&self, component: usize) -> &[f64] {
        &self.inverse_factors[component * packed_len(self.n_features)..][..packed_len(self.n_features)]
    }
}
