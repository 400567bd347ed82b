//! Starting points of chains and their first metric: k-means, EM, the posterior mode and its curvature.

pub mod curvature;
pub mod em;
pub mod kmeans;
pub mod mode;
pub mod moves;
pub mod normal;
mod subsample;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::assignment::minimum_cost_assignment;
use crate::data::Observations;
use crate::log_density::LogDensity;
use crate::mixture::params::{Mixture, MixtureError};
use crate::mixture::posterior::Posterior;
use crate::mixture::triangular::{at, packed_len};
use crate::nuts::metric::{Metric, Scratch};
use curvature::curvature_metric;
use kmeans::KMeans;
use mode::{Mode, find_mode};
use subsample::SUBSAMPLE_SIZE;

/// Spread of starting points around the mode, in standard deviations of the normal approximation. Wider than the posterior, so
/// that R-hat detects chains that still depend on their start.
const DISPERSION: f64 = 1.5;

/// Added to the variances of each cluster, in variances of the data, so that small clusters have a proper covariance.
const CLUSTER_RIDGE: f64 = 0.01;

/// The mode around which chains start, and their first metric.
#[derive(Debug, Clone)]
pub struct Start {
    /// The posterior mode.
    pub mode: Mode,
    /// The inverse curvature at the mode.
    pub metric: Metric,
}

/// Modes whose log densities differ by less than this, in nats, are the same mode, or differ only in their labels.
pub const SAME_HEIGHT: f64 = 1e-3;

/// The local modes reached from the candidates, highest first, each once. Modes for which `collapsed` is true are left out.
///
/// With ties in the data and a scale prior that is positive at zero, the density is unbounded near σ = 0. Candidates that are
/// regular mixtures, and a search in short steps, stay clear of that.
pub fn find_modes(
    posterior: &mut Posterior<'_>,
    candidates: &[Mixture],
    collapsed: impl Fn(&Mixture) -> bool,
) -> Vec<Mode> {
    let layout = posterior.layout();
    let mut modes: Vec<Mode> = candidates
        .iter()
        .map(|mixture| find_mode(posterior, &layout.unconstrain(mixture)))
        .filter(|mode| mode.log_density.is_finite() && !collapsed(&layout.constrain(&mode.position)))
        .collect();
    highest_first(&mut modes);
    modes
}

/// Sorts modes, the highest first, and keeps each once.
pub fn highest_first(modes: &mut Vec<Mode>) {
    modes.sort_by(|a, b| b.log_density.total_cmp(&a.log_density));
    modes.dedup_by(|lower, higher| higher.log_density - lower.log_density < SAME_HEIGHT);
}

impl Start {
    /// Starts around the highest mode of [`find_modes`]. `None` if there is none.
    pub fn find(
        posterior: &mut Posterior<'_>,
        candidates: &[Mixture],
        collapsed: impl Fn(&Mixture) -> bool,
    ) -> Option<Self> {
        let mode = find_modes(posterior, candidates, collapsed).into_iter().next()?;
        // Every coordinate costs two passes over the data: if there are many observations, a part of them stands for all.
        let metric = match posterior.likelihood().thinned(SUBSAMPLE_SIZE) {
            Some(thinned) => {
                let all = posterior.likelihood().n_observations() as f64;
                let power = posterior.power() * all / thinned.n_observations() as f64;
                curvature_metric(&mut posterior.with_likelihood(&thinned, power), &mode.position)
            }
            None => curvature_metric(posterior, &mode.position),
        };
        Some(Self { mode, metric })
    }

    /// A random starting point for one chain: the normal approximation at the mode, widened to be overdispersed.
    pub fn disperse(&self, density: &mut impl LogDensity, rng: &mut impl Rng) -> Vec<f64> {
        let n = self.mode.position.len();
        let mut gradient = vec![0.0; n];
        let mut scratch = Scratch::new(n);
        let mut dispersion = DISPERSION;
        // Far out the density may be beyond double precision. Nearer to the mode it is not.
        for _ in 0..20 {
            let z: Vec<f64> = (0..n).map(|_| StandardNormal.sample(rng)).collect();
            let mut position = self.mode.position.clone();
            self.metric.advance(&z, dispersion, &mut scratch, &mut position);
            if density.log_density_and_gradient(&position, &mut gradient).is_finite() {
                return position;
            }
            dispersion *= 0.5;
        }
        self.mode.position.clone()
    }
}

/// The mixture that corresponds to k-means clusters: their shares, centroids and covariances (with a small ridge).
///
/// # Errors
/// If a feature is constant.
pub fn mixture_from_clusters(data: &impl Observations, clusters: &KMeans) -> Result<Mixture, MixtureError> {
    let (n, d) = (data.n_observations(), data.n_features());
    let (labels, means) = (&clusters.labels, &clusters.centroids);
    let n_components = means.len() / d;
    let triangle = packed_len(d);
    let mut counts = vec![0.0f64; n_components];
    labels.iter().for_each(|&k| counts[k] += 1.0);
    let mut covariances = vec![0.0; n_components * triangle];
    for (observation, &k) in labels.iter().enumerate() {
        for i in 0..d {
            for j in 0..=i {
                let product = (data.value(i, observation) - means[k * d + i])
                    * (data.value(j, observation) - means[k * d + j]);
                covariances[k * triangle + at(i, j)] += product / counts[k].max(1.0);
            }
        }
    }
    for i in 0..d {
        let values = || (0..n).map(|observation| data.value(i, observation));
        let mean = values().sum::<f64>() / n as f64;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64;
        (0..n_components).for_each(|k| covariances[k * triangle + at(i, i)] += CLUSTER_RIDGE * variance);
    }
    // An empty cluster gets a small share, so that its logarithm is finite.
    let total: f64 = counts.iter().map(|count| count.max(0.5)).sum();
    let weights: Vec<f64> = counts.iter().map(|count| count.max(0.5) / total).collect();
    Mixture::from_covariances(d, &weights, means, &covariances)
}

/// Reorders the components so that their means lie nearest to the given centres (K × D), in whose order the prior expects them.
#[must_use]
pub fn match_to_centres(mixture: &Mixture, centres: &[f64]) -> Mixture {
    let (n, d) = (mixture.n_components(), mixture.n_features());
    let costs: Vec<f64> = centres
        .chunks_exact(d)
        .flat_map(|centre| {
            (0..n).map(move |k| mixture.mean(k).iter().zip(centre).map(|(a, b)| (a - b).powi(2)).sum::<f64>())
        })
        .collect();
    mixture.reordered(&minimum_cost_assignment(n, &costs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use approx::assert_relative_eq;

    #[test]
    fn clusters_give_their_shares_and_means() {
        let data = Data::from_columns(&[vec![0.0, 2.0, 10.0, 12.0, 14.0]]).unwrap();
        let clusters = KMeans { centroids: vec![1.0, 12.0], labels: vec![0, 0, 1, 1, 1], inertia: f64::NAN };
        let mixture = mixture_from_clusters(&data, &clusters).unwrap();
        assert_relative_eq!(mixture.weight(1), 0.6, epsilon = 1e-12);
        assert_relative_eq!(mixture.mean(1)[0], 12.0, epsilon = 1e-12);
        assert!(mixture.scales(0)[0] > 1.0);
    }

    #[test]
    fn components_are_matched_to_their_centres() {
        let mixture =
            Mixture::from_covariances(1, &[0.2, 0.3, 0.5], &[5.0, -1.0, 2.0], &[1.0, 2.0, 3.0]).unwrap();
        let matched = match_to_centres(&mixture, &[-1.1, 2.2, 4.0]);
        let means: Vec<f64> = (0..3).map(|k| matched.mean(k)[0]).collect();
        assert_eq!(means, [-1.0, 2.0, 5.0]);
        assert_relative_eq!(matched.weight(0), 0.3, epsilon = 1e-12);
    }
}
