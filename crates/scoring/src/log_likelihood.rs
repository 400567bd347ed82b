//! Pointwise log-likelihoods of posterior draws, a block of observations at a time.

use gmm_sampler::data::Data;
use gmm_sampler::draws::Draws;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::{Mixture, MixtureError};

/// Observations in a block: the S × 64 numbers of a block stay in the second-level cache for a few thousand draws, and a
/// tile of the likelihood's pass is filled.
const BLOCK: usize = 64;

/// log p(y_i | θ_s) of N observations under S draws. The S × N matrix is never held: [`LogLikelihood::block`] yields a
/// few of its columns at a time, in any order and from any thread.
#[derive(Debug, Clone)]
pub struct LogLikelihood<'a> {
    draws: Vec<WhitenedComponents>,
    n_chains: usize,
    data: &'a Data,
}

impl<'a> LogLikelihood<'a> {
    /// Of draws with the variables of [`Mixture::variables`], on the scale of `data`: densities are per unit of the data.
    ///
    /// # Errors
    /// A draw that is no mixture.
    pub fn new(draws: &Draws, n_components: usize, data: &'a Data) -> Result<Self, MixtureError> {
        let components = (0..draws.len())
            .map(|s| {
                let mixture = Mixture::from_values(n_components, data.n_features(), &draws.draw(s))?;
                Ok(WhitenedComponents::of(&mixture))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { draws: components, n_chains: draws.n_chains(), data })
    }

    /// S.
    #[must_use]
    pub fn n_draws(&self) -> usize {
        self.draws.len()
    }

    #[must_use]
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    #[must_use]
    pub fn n_blocks(&self) -> usize {
        self.data.n_observations().div_ceil(BLOCK)
    }

    /// The columns of a block of observations, in the order of the data: each holds the S log-likelihoods of one observation,
    /// chain-major, in nats.
    #[must_use]
    pub fn block(&self, block: usize) -> Vec<Vec<f64>> {
        let first = block * BLOCK;
        let rows: Vec<usize> = (first..self.data.n_observations().min(first + BLOCK)).collect();
        let likelihood = Likelihood::new(&self.data.rows(&rows));
        let mut columns = vec![Vec::with_capacity(self.draws.len()); rows.len()];
        let mut log_density = vec![0.0; rows.len()];
        let Some(first) = self.draws.first() else { return columns };
        let mut workspace = Workspace::new(first.n_components(), self.data.n_features());
        for components in &self.draws {
            likelihood.pointwise(components, &mut workspace, &mut log_density);
            columns.iter_mut().zip(&log_density).for_each(|(column, &value)| column.push(value));
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn blocks_hold_every_observation_once_and_in_order() {
        let n = 150;
        let column: Vec<f64> = (0..n).map(|i| f64::from(i) * 0.05 - 3.0).collect();
        let data = Data::from_columns(&[column]).unwrap();
        let mixtures = [
            Mixture::from_covariances(1, &[0.4, 0.6], &[-1.0, 2.0], &[0.5, 1.5]).unwrap(),
            Mixture::from_covariances(1, &[0.5, 0.5], &[0.0, 1.0], &[1.0, 1.0]).unwrap(),
        ];
        let columns: Vec<Vec<f64>> =
            (0..6).map(|v| mixtures.iter().map(|mixture| mixture.values()[v]).collect()).collect();
        let draws = Draws::from_columns(1, Mixture::variables(2, 1), columns);
        let matrix = LogLikelihood::new(&draws, 2, &data).unwrap();
        let all: Vec<Vec<f64>> = (0..matrix.n_blocks()).flat_map(|block| matrix.block(block)).collect();
        assert_eq!(all.len(), n as usize);
        let normal = |y: f64, mean: f64, variance: f64| {
            (-0.5 * (y - mean).powi(2) / variance).exp() / (2.0 * std::f64::consts::PI * variance).sqrt()
        };
        for (i, column) in all.iter().enumerate() {
            let y = data.feature(0)[i];
            let expected = (0.4 * normal(y, -1.0, 0.5) + 0.6 * normal(y, 2.0, 1.5)).ln();
            assert_relative_eq!(column[0], expected, max_relative = 1e-12);
        }
    }
}
