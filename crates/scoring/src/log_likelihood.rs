//! Pointwise log-likelihoods of posterior draws, a block of observations at a time.

use std::ops::Range;

use gmm_sampler::data::{Data, Observations};
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::{Mixture, MixtureError};
use rand::Rng;

use crate::occupied::Occupied;

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
    /// Of draws, chain-major, on the scale of `data`: densities are per unit of the data, with its rounding error. Mixtures are taken one at a time.
    ///
    /// # Errors
    /// The first draw that is no mixture.
    pub fn new(
        draws: impl IntoIterator<Item = Result<Mixture, MixtureError>>,
        n_chains: usize,
        data: &'a Data,
    ) -> Result<Self, MixtureError> {
        let rounding = data.rounding();
        let whitened = |mixture: Result<Mixture, MixtureError>| {
            Ok(WhitenedComponents::rounded(&mixture?, rounding.as_ref()))
        };
        let draws = draws.into_iter().map(whitened).collect::<Result<_, _>>()?;
        Ok(Self { draws, n_chains, data })
    }

    /// S.
    #[must_use]
    pub fn n_draws(&self) -> usize {
        self.draws.len()
    }

    /// Chains that the draws are of, all of one length.
    #[must_use]
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    /// Blocks of observations.
    #[must_use]
    pub fn n_blocks(&self) -> usize {
        self.data.n_observations().div_ceil(BLOCK)
    }

    /// The columns of a block of observations, in the order of the data: each holds the S log-likelihoods of one observation,
    /// chain-major, in nats.
    #[must_use]
    pub fn block(&self, block: usize) -> Vec<Vec<f64>> {
        let mut columns: Vec<Vec<f64>> =
            self.rows(block).map(|_| Vec::with_capacity(self.draws.len())).collect();
        self.for_each_draw(block, |log_density| {
            columns.iter_mut().zip(log_density).for_each(|(column, &value)| column.push(value));
        });
        columns
    }

    /// The sum of a block's columns, S log-likelihoods of its observations together, in nats: without the columns where
    /// nobody else needs them. Added in the order of the data.
    #[must_use]
    pub fn block_sum(&self, block: usize) -> Vec<f64> {
        let mut sums = Vec::with_capacity(self.draws.len());
        self.for_each_draw(block, |log_density| {
            sums.push(log_density.iter().fold(0.0, |sum, value| sum + value))
        });
        sums
    }

    /// Owners of a block's observations under every `every`-th draw of each chain, drawn at random.
    ///
    /// # Panics
    /// If `every` is zero.
    #[must_use]
    pub fn occupied(&self, block: usize, every: usize, rng: &mut impl Rng) -> Occupied {
        let rows: Vec<usize> = self.rows(block).collect();
        let likelihood = Likelihood::new(&self.data.rows(&rows));
        let n_draws = self.draws.len() / self.n_chains;
        let draws: Vec<&WhitenedComponents> =
            self.draws.chunks_exact(n_draws).flat_map(|chain| chain.iter().step_by(every)).collect();
        let mut occupied = Occupied::new(draws.len(), draws.first().map_or(1, |draw| draw.n_components()));
        for (index, components) in draws.into_iter().enumerate() {
            occupied.assign(index, &likelihood.responsibilities(components), rng);
        }
        occupied
    }

    fn rows(&self, block: usize) -> Range<usize> {
        block * BLOCK..self.data.n_observations().min((block + 1) * BLOCK)
    }

    /// Hands over the log densities of a block's observations under each draw.
    fn for_each_draw(&self, block: usize, mut take: impl FnMut(&[f64])) {
        let rows: Vec<usize> = self.rows(block).collect();
        let likelihood = Likelihood::new(&self.data.rows(&rows));
        let mut log_density = vec![0.0; rows.len()];
        let Some(first) = self.draws.first() else { return };
        let mut workspace = Workspace::new(first.n_components(), self.data.n_features());
        for components in &self.draws {
            likelihood.pointwise(components, &mut workspace, &mut log_density);
            take(&log_density);
        }
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
        let matrix = LogLikelihood::new(mixtures.map(Ok), 1, &data).unwrap();
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
        for block in 0..matrix.n_blocks() {
            let columns = matrix.block(block);
            let sum = |s: usize| columns.iter().fold(0.0, |sum, column| sum + column[s]);
            assert_eq!(matrix.block_sum(block), [sum(0), sum(1)]);
        }
    }
}
