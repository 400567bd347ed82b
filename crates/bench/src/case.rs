//! A case: data, a mixture to evaluate the likelihood at, and the prior of a fit.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::em;
use gmm_sampler::start::kmeans::{DEFAULT_RESTARTS, kmeans};
use gmm_sampler::start::match_to_centres;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::data_set::DataSet;

/// The seed of all random numbers. Its value is arbitrary; it is fixed so that the work is.
const SEED: u64 = 20_261_123;

/// Starts of EM. On these data, 20 starts find the optimum of 200 (tests/reference/em.json).
const EM_STARTS: usize = 20;

/// Covariance of any two features of a simulated component; variances are 1.
const COVARIANCE: f64 = 0.2;

/// The distance between neighbouring components of simulated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Half a standard deviation: no responsibility is negligible, so the kernel cannot skip components.
    Overlapping,
    /// Eight standard deviations: only neighbours have responsibilities that are not negligible.
    Separated,
}

impl Spacing {
    /// The name in tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overlapping => "overlapping",
            Self::Separated => "separated",
        }
    }

    fn distance(self) -> f64 {
        match self {
            Self::Overlapping => 0.5,
            Self::Separated => 8.0,
        }
    }
}

/// The name of a case and its numbers of observations (N), features (D) and components (K).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub name: String,
    pub n: usize,
    pub d: usize,
    pub k: usize,
}

/// Data on the sampler's scale, and the mixture at which they are evaluated.
#[derive(Debug, Clone)]
pub struct Case {
    pub shape: Shape,
    pub data: Data,
    /// EM's optimum for real data, the true mixture for simulated data.
    pub mixture: Mixture,
    /// The prior's centres, K × D: k-means centroids for real data, true means for simulated data.
    centres: Vec<f64>,
}

fn stream(purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    rng.set_stream(purpose);
    rng
}

impl Case {
    /// A real data set at EM's optimum.
    #[must_use]
    pub fn from_data_set(set: DataSet, k: usize) -> Self {
        let data = set.preprocessed();
        let centres = kmeans(&data, k, DEFAULT_RESTARTS, &mut stream(1)).centroids;
        let optimum =
            em(&data, k, EM_STARTS, &mut stream(2)).expect("no column is a linear combination of others");
        let best = optimum.best.expect("at least one of twenty starts does not degenerate");
        Self::new(set.name, data, match_to_centres(&best.mixture, &centres), centres)
    }

    /// `n` observations of K components whose means lie on a square grid; features alternate between its two coordinates.
    #[must_use]
    pub fn from_grid(n: usize, d: usize, k: usize, spacing: Spacing) -> Self {
        let side = (1..).find(|side| side * side >= k).expect("some square is as large as K");
        let place = |component: usize, feature: usize| match feature % 2 {
            0 => component % side,
            _ => component / side,
        };
        // In one dimension the means lie on a line.
        let place = |component, feature| if d == 1 { component } else { place(component, feature) };
        let means: Vec<f64> = (0..k)
            .flat_map(|component| {
                (0..d).map(move |feature| spacing.distance() * place(component, feature) as f64)
            })
            .collect();
        Self::simulated(spacing.name(), n, d, means)
    }

    /// `n` observations of K components whose means are uniform in ±3 in every feature.
    #[must_use]
    pub fn with_random_means(n: usize, d: usize, k: usize) -> Self {
        let mut rng = stream(3);
        let means = (0..k * d).map(|_| rng.random_range(-3.0..3.0)).collect();
        Self::simulated("simulated", n, d, means)
    }

    fn simulated(name: &str, n: usize, d: usize, means: Vec<f64>) -> Self {
        let k = means.len() / d;
        let covariance: Vec<f64> =
            (0..d).flat_map(|i| (0..=i).map(move |j| if i == j { 1.0 } else { COVARIANCE })).collect();
        let weights = vec![1.0 / k as f64; k];
        let mixture = Mixture::from_covariances(d, &weights, &means, &covariance.repeat(k))
            .expect("equal correlations of 0.2 are positive definite");
        let (data, _) = mixture.simulate(n, &mut stream(4));
        Self::new(name, data, mixture, means)
    }

    fn new(name: &str, data: Data, mixture: Mixture, centres: Vec<f64>) -> Self {
        let (n, d, k) = (data.n_observations(), data.n_features(), mixture.n_components());
        Self { shape: Shape { name: name.to_owned(), n, d, k }, data, mixture, centres }
    }

    /// The default prior.
    #[must_use]
    pub fn prior(&self) -> Prior {
        Prior::published(self.centres.clone())
    }

    /// The random number generator of the case's chain.
    #[must_use]
    pub fn chain_stream(&self) -> ChaCha8Rng {
        stream(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_on_a_grid_have_the_distance_of_their_spacing() {
        for (spacing, least) in [(Spacing::Overlapping, 0.5), (Spacing::Separated, 8.0)] {
            for (d, k) in [(1, 3), (2, 32), (5, 3)] {
                let case = Case::from_grid(100, d, k, spacing);
                assert_eq!(case.shape, Shape { name: spacing.name().to_owned(), n: 100, d, k });
                let distance = |a: usize, b: usize| {
                    let pairs = case.mixture.mean(a).iter().zip(case.mixture.mean(b));
                    pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
                };
                let distances = (0..k).flat_map(|a| (0..a).map(move |b| (a, b)));
                let nearest = distances.map(|(a, b)| distance(a, b)).fold(f64::INFINITY, f64::min);
                assert!(
                    nearest >= least && nearest < 2.0 * least,
                    "{spacing:?}, D = {d}, K = {k}: {nearest}"
                );
            }
        }
    }
}
