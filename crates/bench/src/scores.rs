//! WAIC and PSIS-LOO of observations, relative efficiencies included, from draws of a normal model.

use std::hint::black_box;

use gmm_scoring::PointScores;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};

use crate::rounds::Work;

/// The usual number of chains and draws.
const CHAINS: usize = 4;
const DRAWS: usize = 1000;

/// Observations of a piece of work: their log-likelihoods, 2 MB, are beyond the first caches, as they are in a run.
const OBSERVATIONS: usize = 64;

/// Posterior standard deviation of the model's mean and of its log scale: those of some 400 observations.
const POSTERIOR_SD: f64 = 0.05;

/// Arbitrary; it stands still so that work does.
const SEED: u64 = 20_261_123;

/// Scores of some observations; its unit is an observation.
#[must_use]
pub fn work() -> Work<'static> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut normal = |sd: f64| -> f64 {
        let z: f64 = StandardNormal.sample(&mut rng);
        sd * z
    };
    let draws: Vec<[f64; 2]> =
        (0..CHAINS * DRAWS).map(|_| [normal(POSTERIOR_SD), normal(POSTERIOR_SD)]).collect();
    let columns: Vec<Vec<f64>> = (0..OBSERVATIONS)
        .map(|_| {
            let y = normal(1.0);
            draws
                .iter()
                .map(|[mean, log_scale]| -0.5 * ((y - mean) / log_scale.exp()).powi(2) - log_scale)
                .collect()
        })
        .collect();
    Box::new(move || {
        for column in &columns {
            black_box(PointScores::new(black_box(column), CHAINS));
        }
        OBSERVATIONS as u64
    })
}
