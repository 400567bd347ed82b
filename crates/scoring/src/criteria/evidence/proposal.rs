//! A normal mixture fitted to draws: what bridge sampling compares a posterior with.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::triangular::{at, packed_len};
use gmm_sampler::start::em::short_em;
use rand::Rng;

/// Numbers of normals that are tried.
const SIZES: [usize; 4] = [1, 2, 4, 8];

/// Draws for each coordinate of each normal, at least: with fewer a covariance is noise.
const DRAWS_PER_COORDINATE: usize = 8;

/// Draws that a proposal is fitted to, at most, evenly spaced: more shape it no better, and cost.
const MOST_DRAWS: usize = 4000;

/// One draw in so many is kept from the fits, to choose the size by.
const HELD_OUT: usize = 4;

/// Weight of the variances alone in a covariance, in draws for each coordinate.
const SHRINKAGE: f64 = 0.05;

/// Normals whose mixture resembles a cloud of draws.
pub(super) struct Proposal {
    mixture: Mixture,
}

impl Proposal {
    /// Of the size, among those that the draws can bear, that gives some of them, held out, the highest density. None for
    /// draws that lie in a plane.
    pub(super) fn fit(draws: &[&[f64]], rng: &mut impl Rng) -> Option<Self> {
        let dimension = draws.first()?.len();
        let draws: Vec<&[f64]> = draws.iter().step_by(draws.len().div_ceil(MOST_DRAWS)).copied().collect();
        let held_out = |index: &usize| index % HELD_OUT == HELD_OUT - 1;
        let part = |wanted: bool| {
            let rows: Vec<&[f64]> =
                (0..draws.len()).filter(|i| held_out(i) == wanted).map(|i| draws[i]).collect();
            of_rows(&rows)
        };
        let (training, test) = (part(false), part(true));
        let bearable = training.n_observations() / (DRAWS_PER_COORDINATE * dimension);
        let mut best: Option<(f64, Mixture)> = None;
        for size in SIZES.into_iter().filter(|&size| size == 1 || size <= bearable) {
            let Some(mixture) = normals(&training, size, rng) else { continue };
            let score: f64 = log_densities(&mixture, &test).iter().sum();
            if best.as_ref().is_none_or(|(highest, _)| score > *highest) {
                best = Some((score, mixture));
            }
        }
        best.map(|(_, mixture)| Self { mixture })
    }

    pub(super) fn mixture(&self) -> &Mixture {
        &self.mixture
    }

    pub(super) fn size(&self) -> usize {
        self.mixture.n_components()
    }

    /// `n` draws, and the log density of each.
    pub(super) fn simulate(&self, n: usize, rng: &mut impl Rng) -> (Vec<Vec<f64>>, Vec<f64>) {
        let (data, _) = self.mixture.simulate(n, rng);
        let log_densities = log_densities(&self.mixture, &data);
        ((0..n).map(|row| data.observation(row)).collect(), log_densities)
    }

    pub(super) fn log_densities(&self, positions: &[&[f64]]) -> Vec<f64> {
        log_densities(&self.mixture, &of_rows(positions))
    }
}

fn of_rows(rows: &[&[f64]]) -> Data {
    let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
    let columns: Vec<Vec<f64>> = (0..rows[0].len()).map(column).collect();
    Data::new(columns).expect("draws are finite, and there are some")
}

fn log_densities(mixture: &Mixture, data: &Data) -> Vec<f64> {
    let components = WhitenedComponents::from_mixture(mixture);
    let mut workspace = Workspace::new(mixture.n_components(), mixture.n_features());
    let mut log_densities = vec![0.0; data.n_observations()];
    Likelihood::new(data).pointwise(&components, &mut workspace, &mut log_densities);
    log_densities
}

fn normals(data: &Data, size: usize, rng: &mut impl Rng) -> Option<Mixture> {
    if size > 1 {
        return short_em(data, size, rng).ok()?;
    }
    let (n, d) = (data.n_observations() as f64, data.n_features());
    let means: Vec<f64> = (0..d).map(|i| data.feature(i).iter().sum::<f64>() / n).collect();
    let mut covariance = vec![0.0; packed_len(d)];
    for i in 0..d {
        for j in 0..=i {
            let products = data.feature(i).iter().zip(data.feature(j));
            let sum: f64 = products.map(|(a, b)| (a - means[i]) * (b - means[j])).sum();
            let kept = if i == j { 1.0 } else { n / (n + SHRINKAGE * d as f64) };
            covariance[at(i, j)] = kept * sum / n;
        }
    }
    Mixture::from_covariances(d, &[1.0], &means, &covariance).ok()
}
