//! The mixture's likelihood: one pass over the data for the log-likelihood and all that its gradient, or a step of EM, needs.
//!
//! With `W_k = T_k⁻¹` and `z_ik = W_k (y_i − μ_k)`, the pass returns, besides `Σ_i log p(y_i)`, the responsibility-weighted
//! moments `Σ_i r_ik`, `Σ_i r_ik z_ik` and `Σ_i r_ik z_ik z_ikᵀ`. Whitened residuals, not raw products `y yᵀ`: a cloud of
//! unit spread at 10⁹ would lose every digit of its covariance in the difference of two sums of squares.

pub(crate) mod elementary;
mod instructions;
mod kernel;
mod vector;

use super::params::Mixture;
use super::triangular::{at, invert, packed_len};
use crate::data::Data;
use instructions::InstructionSet;
use vector::{LANES, TILE, sum_lanes};

const LOG_2_PI: f64 = 1.837_877_066_409_345_5;

/// K components in the form that the pass over the data wants.
#[derive(Debug, Clone)]
pub struct WhitenedComponents {
    n_features: usize,
    /// K × D.
    means: Vec<f64>,
    /// K packed inverse factors W_k = T_k⁻¹.
    inverse_factors: Vec<f64>,
    /// K, log scale: log w_k − (D/2) log 2π − Σ_d log T_k[d,d].
    constants: Vec<f64>,
}

impl WhitenedComponents {
    /// Room for K components in D dimensions.
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self {
            n_features,
            means: vec![0.0; n_components * n_features],
            inverse_factors: vec![0.0; n_components * packed_len(n_features)],
            constants: vec![0.0; n_components],
        }
    }

    /// Sets component k from its log weight, mean (D) and packed scale factor T_k.
    pub fn set(&mut self, component: usize, log_weight: f64, mean: &[f64], scale_factor: &[f64]) {
        let d = self.n_features;
        self.means[component * d..][..d].copy_from_slice(mean);
        let inverse = &mut self.inverse_factors[component * packed_len(d)..][..packed_len(d)];
        invert(d, scale_factor, inverse);
        let log_diagonal: f64 = (0..d).map(|i| libm::log(scale_factor[at(i, i)])).sum();
        self.constants[component] = log_weight - 0.5 * d as f64 * LOG_2_PI - log_diagonal;
    }

    /// The components of a mixture.
    #[must_use]
    pub fn of(mixture: &Mixture) -> Self {
        let mut whitened = Self::new(mixture.n_components(), mixture.n_features());
        for k in 0..mixture.n_components() {
            whitened.set(k, mixture.log_weights[k], mixture.mean(k), &mixture.scale_factor(k));
        }
        whitened
    }

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

/// Responsibility-weighted moments of the whitened residuals, per component.
#[derive(Debug, Clone)]
pub struct Moments {
    n_features: usize,
    /// Per component: Σr, then Σr z (D), then Σr z zᵀ (packed).
    values: Vec<f64>,
}

impl Moments {
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self { n_features, values: vec![0.0; n_components * kernel::moments_len(n_features)] }
    }

    fn component(&self, component: usize) -> &[f64] {
        let width = kernel::moments_len(self.n_features);
        &self.values[component * width..][..width]
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

    /// Σ_i r_ik z_ik z_ikᵀ, packed lower triangle.
    #[must_use]
    pub fn second(&self, component: usize) -> &[f64] {
        &self.component(component)[1 + self.n_features..]
    }
}

/// The buffers of a pass, kept between passes so that none allocates.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// K tiles: logits, then exp(logit − max).
    logits: Vec<[f64; TILE]>,
    /// K × D tiles.
    whitened: Vec<[f64; TILE]>,
    /// K × moments, each in lanes.
    sums: Vec<[f64; LANES]>,
}

impl Workspace {
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self {
            logits: vec![[0.0; TILE]; n_components],
            whitened: vec![[0.0; TILE]; n_components * n_features],
            sums: vec![[0.0; LANES]; n_components * kernel::moments_len(n_features)],
        }
    }
}

/// The data in tiles of [`TILE`] observations, feature by feature within a tile, ready for passes.
#[derive(Debug, Clone)]
pub struct Likelihood {
    n_observations: usize,
    n_features: usize,
    /// Tiles × D; the last tile is filled up with zeros.
    tiles: Vec<[f64; TILE]>,
    instructions: InstructionSet,
}

impl Likelihood {
    #[must_use]
    pub fn new(data: &Data) -> Self {
        let (n, d) = (data.n_observations(), data.n_features());
        let mut tiles = vec![[0.0; TILE]; n.div_ceil(TILE) * d];
        for feature in 0..d {
            for (tile, values) in data.feature(feature).chunks(TILE).enumerate() {
                tiles[tile * d + feature][..values.len()].copy_from_slice(values);
            }
        }
        Self { n_observations: n, n_features: d, tiles, instructions: InstructionSet::best() }
    }

    /// The likelihood of no observations: log-likelihood 0, moments 0, so that the posterior is the prior.
    #[must_use]
    pub fn none(n_features: usize) -> Self {
        Self { n_observations: 0, n_features, tiles: Vec::new(), instructions: InstructionSet::best() }
    }

    #[must_use]
    pub fn n_observations(&self) -> usize {
        self.n_observations
    }

    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Tiles with the number of observations in each.
    fn tiles(&self) -> impl Iterator<Item = (usize, &[[f64; TILE]])> {
        self.tiles
            .chunks_exact(self.n_features)
            .enumerate()
            .map(|(index, tile)| ((self.n_observations - index * TILE).min(TILE), tile))
    }

    /// The log-likelihood Σ_i log p(y_i | θ), and the moments that its gradient is made of.
    /// Not finite where the components are beyond double precision.
    pub fn log_likelihood_and_moments(
        &self,
        components: &WhitenedComponents,
        workspace: &mut Workspace,
        moments: &mut Moments,
    ) -> f64 {
        workspace.sums.fill([0.0; LANES]);
        let mut log_likelihood = [0.0; LANES];
        kernel::accumulate(self.instructions, self.tiles(), components, workspace, &mut log_likelihood);
        for (moment, lanes) in moments.values.iter_mut().zip(&workspace.sums) {
            *moment = sum_lanes(lanes);
        }
        sum_lanes(&log_likelihood)
    }

    /// log p(y_i | θ) of every observation (N, log scale).
    pub fn pointwise(
        &self,
        components: &WhitenedComponents,
        workspace: &mut Workspace,
        log_density: &mut [f64],
    ) {
        assert_eq!(log_density.len(), self.n_observations, "one log density an observation");
        for ((valid, tile), values) in self.tiles().zip(log_density.chunks_mut(TILE)) {
            let densities = kernel::log_densities(self.instructions, tile, components, workspace);
            values.copy_from_slice(&densities[..valid]);
        }
    }

    /// Responsibilities r_ik (N × K, rows sum to one): the probability that observation i came from component k.
    #[must_use]
    pub fn responsibilities(&self, components: &WhitenedComponents) -> Vec<f64> {
        let k = components.n_components();
        let mut workspace = Workspace::new(k, self.n_features);
        let mut responsibilities = vec![0.0; self.n_observations * k];
        for ((valid, tile), rows) in self.tiles().zip(responsibilities.chunks_mut(TILE * k)) {
            kernel::log_densities(self.instructions, tile, components, &mut workspace);
            for (t, row) in rows.chunks_exact_mut(k).enumerate().take(valid) {
                let total: f64 = workspace.logits.iter().map(|logits| logits[t]).sum();
                for (r, logits) in row.iter_mut().zip(&workspace.logits) {
                    *r = logits[t] / total;
                }
            }
        }
        responsibilities
    }
}

#[cfg(test)]
mod tests;
