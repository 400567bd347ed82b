//! The moments that a pass over the data leaves: what the gradient, and a step of EM, are made of.

use super::kernel::tile::moments_len;
use crate::simd::lanes::Vector;

/// Responsibility-weighted moments of the whitened residuals z_ik = W_k (y_i − μ_k), per component.
#[derive(Debug, Clone)]
pub struct Moments {
    n_features: usize,
    /// Per component: Σr, then Σr z (D), then Σr z zᵀ (packed).
    pub(super) values: Vec<f64>,
}

impl Moments {
    /// Allocates the moments of K components in D dimensions, all 0.
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self { n_features, values: vec![0.0; n_components * moments_len(n_features)] }
    }

    pub(super) fn component(&self, component: usize) -> &[f64] {
        let width = moments_len(self.n_features);
        &self.values[component * width..][..width]
    }

    /// Multiplies all moments by a number.
    pub(crate) fn scale(&mut self, by: f64) {
        self.values.iter_mut().for_each(|value| *value *= by);
    }

    /// n_k = Σ_i r_ik: the expected number of observations of component k.
    #[must_use]
    pub fn count(&self, component: usize) -> f64 {
        self.component(component)[0]
    }

    /// Σ_i r_ik z_ik, length D.
    #[must_use]
    pub fn first(&self, component: usize) -> &[f64] {
        &self.component(component)[1..=self.n_features]
    }

    /// One of the 1 + D + D(D+1)/2 moments of up to eight components from `begins` on, one component per lane.
    pub(crate) fn lanes(&self, begins: usize, moment: usize) -> Vector {
        let width = moments_len(self.n_features);
        let mut lanes = Vector::ZERO;
        for (lane, component) in lanes.0.iter_mut().zip(self.values[begins * width..].chunks_exact(width)) {
            *lane = component[moment];
        }
        lanes
    }

    /// Σ_i r_ik z_ik z_ikᵀ, packed lower triangle.
    #[must_use]
    pub fn second(&self, component: usize) -> &[f64] {
        &self.component(component)[1 + self.n_features..]
    }
}
