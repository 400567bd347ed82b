//! WAIC and PSIS-LOO of observations, including relative efficiencies, from draws of a normal model.

use std::hint::black_box;

use gmm_scoring::PointScores;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};

use crate::timing::Workload;

/// The usual number of chains and draws.
const CHAINS: usize = 4;
const DRAWS: usize = 1000;

/// Observations of one call. Their log-likelihoods take 2 MB, more than the first caches hold, as in a real run.
const OBSERVATIONS: usize = 64;

/// Posterior standard deviation of the model's mean and log scale: that of about 400 observations.
const POSTERIOR_SD: f64 = 0.05;

/// Arbitrary; fixed so that the work is.
const SEED: u64 = 20_261_123;

/// Scores of [`OBSERVATIONS`] observations; its unit is an observation.
#[must_use]
pub fn workload() -> Workload<'static> {
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
