//! Monte Carlo standard errors of means, standard deviations and quantiles.

use super::effective_size::{ess_mean, ess_quantile};
use super::moments::{centred, mean, sd};
use super::special;
use super::split::Halves;

/// Normal probabilities one standard deviation below and above the mean, with the digits of `posterior`.
const ONE_SIGMA_TAILS: (f64, f64) = (0.158_655_3, 0.841_344_7);

/// Monte Carlo standard error of the mean, in the units of the draws.
#[must_use]
pub fn mcse_mean(column: &[f64], n_chains: usize) -> f64 {
    sd(column) / ess_mean(column, n_chains).sqrt()
}

/// Monte Carlo standard error of the standard deviation, in the units of the draws. Assumes a finite fourth moment, not
/// normality.
#[must_use]
pub fn mcse_sd(column: &[f64], n_chains: usize) -> f64 {
    let square = |deviation: f64| deviation * deviation;
    let squares: Vec<f64> = column.iter().map(centred(column, square)).collect();
    let ess = Halves::new(&squares, n_chains).ess();
    let variance = mean(&squares);
    // Kenney & Keeping (1951), p. 141: the variance of a sample variance, carried to its root by the delta method.
    let fourth = mean(&squares.iter().map(|s| s * s).collect::<Vec<_>>());
    ((fourth - variance * variance) / ess / variance / 4.0).sqrt()
}

/// Monte Carlo standard error of a quantile, in the units of the draws: half the width of its 68 % interval.
#[must_use]
pub fn mcse_quantile(column: &[f64], n_chains: usize, probability: f64) -> f64 {
    let ess = ess_quantile(column, n_chains, probability);
    if ess.is_nan() {
        return f64::NAN;
    }
    let mut sorted = column.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let draws = sorted.len() as f64;
    // VGSCB section 4: the share of draws below the quantile is Beta(S p + 1, S (1 - p) + 1), with S the effective size.
    let order =
        |tail| special::beta_quantile(tail, ess * probability + 1.0, ess * (1.0 - probability) + 1.0) * draws;
    let lower = order(ONE_SIGMA_TAILS.0).floor().max(1.0) as usize;
    let upper = order(ONE_SIGMA_TAILS.1).ceil().min(draws) as usize;
    (sorted[upper - 1] - sorted[lower - 1]) / 2.0
}
