//! Starting points of EM.

use rand::{Rng, RngExt};

use super::run::EmState;
use crate::data::Data;
use crate::mixture::triangular::{at, cholesky, packed_len};
use crate::start::kmeans::{kmeans, seed_centroids};

/// How a run of EM is initialised. Different data need different ones, so they alternate.
pub(super) enum Initialization {
    /// The clusters of one run of k-means.
    KMeansClusters,
    /// Means by k-means++, equal spherical covariances of a K-th of the data's volume.
    KMeansPlusPlus,
    /// Means at random observations, all covariances a quarter of the data's.
    RandomObservations,
}

impl Initialization {
    pub(super) fn nth(index: usize) -> Self {
        match index % 3 {
            0 => Self::KMeansClusters,
            1 => Self::KMeansPlusPlus,
            _ => Self::RandomObservations,
        }
    }
}

pub(super) fn initial_state(
    data: &Data,
    n_components: usize,
    start: Initialization,
    rng: &mut impl Rng,
) -> EmState {
    let (n, d) = (data.n_observations(), data.n_features());
    let triangle = packed_len(d);
    let rows: Vec<f64> = (0..n).flat_map(|i| data.observation(i)).collect();
    let (means, scale) = match start {
        Initialization::KMeansClusters => return cluster_moments(data, n_components, rng),
        Initialization::KMeansPlusPlus => {
            (seed_centroids(&rows, d, n_components, rng), libm::pow(n_components as f64, -1.0 / d as f64))
        }
        Initialization::RandomObservations => {
            let means = (0..n_components)
                .flat_map(|_| {
                    let row = rng.random_range(0..n);
                    rows[row * d..][..d].to_vec()
                })
                .collect();
            (means, 0.5)
        }
    };
    let mut factors = vec![0.0; n_components * triangle];
    for factor in factors.chunks_exact_mut(triangle) {
        for i in 0..d {
            factor[at(i, i)] = scale;
        }
    }
    EmState { log_weights: vec![-libm::log(n_components as f64); n_components], means, factors }
}

/// Counts, means and covariances of k-means clusters. A little is added to each variance, so that small clusters have a proper
/// covariance.
fn cluster_moments(data: &Data, n_components: usize, rng: &mut impl Rng) -> EmState {
    const SPHERE: f64 = 0.05;
    let (n, d) = (data.n_observations(), data.n_features());
    let triangle = packed_len(d);
    let clusters = kmeans(data, n_components, 1, rng);
    let mut state = EmState {
        log_weights: Vec::with_capacity(n_components),
        means: clusters.centroids.clone(),
        factors: vec![0.0; n_components * triangle],
    };
    for k in 0..n_components {
        let members: Vec<Vec<f64>> =
            (0..n).filter(|&i| clusters.labels[i] == k).map(|i| data.observation(i)).collect();
        let count = members.len().max(1) as f64;
        state.log_weights.push(libm::log(count / n as f64));
        let mean = &clusters.centroids[k * d..][..d];
        let mut covariance = vec![0.0; triangle];
        for i in 0..d {
            for j in 0..=i {
                let sum: f64 = members.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j])).sum();
                covariance[at(i, j)] = sum / count;
            }
            covariance[at(i, i)] += SPHERE;
        }
        cholesky(d, &covariance, &mut state.factors[k * triangle..][..triangle])
            .expect("a covariance plus a sphere is positive definite");
    }
    let total: f64 = state.log_weights.iter().map(|&w| libm::exp(w)).sum();
    state.log_weights.iter_mut().for_each(|w| *w -= libm::log(total));
    state
}

/// Moves one random component to a random observation, with a small spherical covariance.
pub(super) fn relocated(data: &Data, state: &EmState, rng: &mut impl Rng) -> EmState {
    let (d, n_components) = (data.n_features(), state.log_weights.len());
    let mut moved = state.clone();
    let k = rng.random_range(0..n_components);
    moved.means[k * d..][..d].copy_from_slice(&data.observation(rng.random_range(0..data.n_observations())));
    let factor = &mut moved.factors[k * packed_len(d)..][..packed_len(d)];
    factor.fill(0.0);
    for i in 0..d {
        factor[at(i, i)] = 0.5;
    }
    moved.log_weights.fill(-libm::log(n_components as f64));
    moved
}
