//! Where chains start and what shape they expect: k-means centroids, EM's optimum, the posterior mode and its curvature.

pub mod curvature;
pub mod em;
pub mod kmeans;
pub mod mode;
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

/// Standard deviations of the normal approximation that chains start from the mode, in each direction: wider than the
/// posterior, so that R-hat can notice chains that have not forgotten their start.
const DISPERSION: f64 = 1.5;

/// Covariance, in squared standard deviations of the data, that is added to a cluster's own, so that small ones have one.
const CLUSTER_RIDGE: f64 = 0.01;

/// The mode that chains start around, and the metric they start with.
#[derive(Debug, Clone)]
pub struct Start {
    pub mode: Mode,
    pub metric: Metric,
}

/// Modes whose heights are within this many nats are one, or differ in their labels.
const SAME_HEIGHT: f64 = 1e-3;

/// The modes that the candidates lie below, the highest first, each once; those left out in which `collapsed` sees a component on
/// a spike.
///
/// Ties in the data make the posterior improper under a scale prior that is positive at zero: near σ = 0 the density
/// grows without bound. Starts in regular mixtures, and climbs in short steps, stay clear of that.
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
    modes.sort_by(|a, b| b.log_density.total_cmp(&a.log_density));
    modes.dedup_by(|lower, higher| higher.log_density - lower.log_density < SAME_HEIGHT);
    modes
}

impl Start {
    /// Around the highest of the [`find_modes`]; None where there are none.
    pub fn find(
        posterior: &mut Posterior<'_>,
        candidates: &[Mixture],
        collapsed: impl Fn(&Mixture) -> bool,
    ) -> Option<Self> {
        let mode = find_modes(posterior, candidates, collapsed).into_iter().next()?;
        // Every coordinate costs two passes; where there are many observations, some of them stand for all.
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

    /// A point around the mode from which one chain sets out.
    pub fn disperse(&self, density: &mut impl LogDensity, rng: &mut impl Rng) -> Vec<f64> {
        let n = self.mode.position.len();
        let mut gradient = vec![0.0; n];
        let mut scratch = Scratch::new(n);
        let mut dispersion = DISPERSION;
        // Far out the density may be beyond double precision; nearer to the mode it is not.
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

/// The mixture that k-means clusters imply: their shares, centroids and (slightly rounded) covariances.
///
/// # Errors
/// A constant feature, which leaves no covariance.
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
    // An empty cluster keeps a share, lest its logarithm be lost.
    let total: f64 = counts.iter().map(|count| count.max(0.5)).sum();
    let weights: Vec<f64> = counts.iter().map(|count| count.max(0.5) / total).collect();
    Mixture::from_covariances(d, &weights, means, &covariances)
}

/// The mixture with its components in the order in which their means lie nearest to the given centres (K × D), as the prior
/// that is centred on them expects.
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
