//! What is measured on: data, a mixture to be at, and the prior of a fit.

use gmm_sampler::data::Data;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::em;
use gmm_sampler::start::kmeans::{DEFAULT_RESTARTS, kmeans};
use gmm_sampler::start::match_to_centres;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::data_set::DataSet;

/// All random numbers come from this seed. Its value is arbitrary; it stands still so that work does.
const SEED: u64 = 20_261_123;

/// Starts of EM: on these data the optimum of 20 is that of 200 (tests/reference/em.json).
const EM_STARTS: usize = 20;

/// Covariance between any two features of a simulated component, whose variances are 1.
const COVARIANCE: f64 = 0.2;

/// How far apart the components of simulated data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Half a standard deviation: every component is within reach of every observation, and nothing can be left out.
    Overlapping,
    /// Eight standard deviations: neighbours are within reach at most.
    Separated,
}

impl Spacing {
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

/// What a case is called, and its N, D and K.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub name: String,
    pub n: usize,
    pub d: usize,
    pub k: usize,
}

/// Data on the sampler's scale, and where they are measured.
#[derive(Debug, Clone)]
pub struct Case {
    pub shape: Shape,
    pub data: Data,
    /// EM's optimum of real data, the truth of simulated ones.
    pub mixture: Mixture,
    /// K × D, the prior's: centroids of real data, the means of simulated ones.
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
    pub fn real(set: DataSet, k: usize) -> Self {
        let data = set.on_sampler_scale();
        let centres = kmeans(&data, k, DEFAULT_RESTARTS, &mut stream(1)).centroids;
        let optimum = em(&data, k, EM_STARTS, &mut stream(2)).expect("no column is a combination of others");
        let best = optimum.best.expect("some start of twenty does not degenerate");
        Self::new(set.name, data, match_to_centres(&best.mixture, &centres), centres)
    }

    /// `n` observations of K components in D dimensions that stand on a square grid, all features taking turns as its two sides.
    #[must_use]
    pub fn on_grid(n: usize, d: usize, k: usize, spacing: Spacing) -> Self {
        let side = (1..).find(|side| side * side >= k).expect("some square is as large as K");
        let place = |component: usize, feature: usize| match feature % 2 {
            0 => component % side,
            _ => component / side,
        };
        // One dimension has no grid: there components stand in a row.
        let place = |component, feature| if d == 1 { component } else { place(component, feature) };
        let means: Vec<f64> = (0..k)
            .flat_map(|component| {
                (0..d).map(move |feature| spacing.distance() * place(component, feature) as f64)
            })
            .collect();
        Self::simulated(spacing.name(), n, d, means)
    }

    /// `n` observations of K components in D dimensions whose means are uniform within ±3 in every feature.
    #[must_use]
    pub fn scattered(n: usize, d: usize, k: usize) -> Self {
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

    /// The random numbers of the case's chain.
    #[must_use]
    pub fn stream_of_chain(&self) -> ChaCha8Rng {
        stream(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_on_a_grid_are_as_far_apart_as_their_spacing_says() {
        for (spacing, least) in [(Spacing::Overlapping, 0.5), (Spacing::Separated, 8.0)] {
            for (d, k) in [(1, 3), (2, 32), (5, 3)] {
                let case = Case::on_grid(100, d, k, spacing);
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
