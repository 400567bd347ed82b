//! Whether draws can be trusted, and how precisely they pin down an expectation: R-hat, effective sample size, Monte Carlo error.
//!
//! Every function takes one chain-major column (all draws of chain 0, then of chain 1, …) and the number of chains, which are
//! equally long. Chains are cut in half before anything else, so that a drift within a chain counts as disagreement between
//! chains; of an odd number of draws the middle one is left out of the halves. Where a quantity is undefined (a constant or
//! non-finite column, too few draws) the answer is NaN.
//!
//! Source throughout: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16(2), "VGSCB" below; conventions
//! that the paper leaves open (the truncation of the autocorrelations, what is undefined) follow R's `posterior`.

mod autocovariance;
mod ess;
mod fourier;
mod moments;
mod quantile;
mod ranks;
mod special;
mod split;
mod summary;

pub use ess::ess_unsplit;
pub use moments::{mean, sd, sum_by};
pub use quantile::{quantile, sorted_quantile};
pub use summary::Summary;

use moments::{centred, mean_variance};
use ranks::Ordered;
use split::Halves;

/// Rank-normalised split R-hat, the larger of those for location and for spread; 1 at convergence, and a
/// value above 1.01 says that the chains have not mixed. Finite for draws with infinite moments.
///
/// A column that takes just two values, equally often, is constant once folded about its median, so its R-hat is NaN.
#[must_use]
pub fn rhat(column: &[f64], n_chains: usize) -> f64 {
    Ordered::new(column, n_chains).map_or(f64::NAN, |ordered| ordered.rhat())
}

/// Split R-hat of the draws as they are: for quantities with a finite variance, as Gelman et al. (2013) define it.
#[must_use]
pub fn rhat_basic(column: &[f64], n_chains: usize) -> f64 {
    Halves::new(column, n_chains).rhat()
}

/// Effective sample size for the bulk of the distribution: that of the mean of the rank-normalised draws, VGSCB eq. 14.
#[must_use]
pub fn ess_bulk(column: &[f64], n_chains: usize) -> f64 {
    Ordered::new(column, n_chains).map_or(f64::NAN, |ordered| ordered.normal_scores().ess())
}

/// Effective sample size in the tails: the smaller of those of the 5 % and the 95 % quantile, VGSCB section 4.
#[must_use]
pub fn ess_tail(column: &[f64], n_chains: usize) -> f64 {
    worse(ess_quantile(column, n_chains, LOWER_TAIL), ess_quantile(column, n_chains, UPPER_TAIL))
}

/// Effective sample size of the mean.
#[must_use]
pub fn ess_mean(column: &[f64], n_chains: usize) -> f64 {
    Halves::new(column, n_chains).ess()
}

/// Effective sample size of the standard deviation: that of the mean absolute deviation from the mean.
#[must_use]
pub fn ess_sd(column: &[f64], n_chains: usize) -> f64 {
    Halves::map(column, n_chains, centred(column, f64::abs)).ess()
}

/// Effective sample size of a quantile: that of the share of draws at or below it, VGSCB section 4.
#[must_use]
pub fn ess_quantile(column: &[f64], n_chains: usize, probability: f64) -> f64 {
    if column.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    ess_below(column, n_chains, quantile(column, probability))
}

/// Monte Carlo standard error of the mean, on the scale of the draws.
#[must_use]
pub fn mcse_mean(column: &[f64], n_chains: usize) -> f64 {
    sd(column) / ess_mean(column, n_chains).sqrt()
}

/// Monte Carlo standard error of the standard deviation, on the scale of the draws. Needs a fourth moment, not normality.
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

/// Monte Carlo standard error of a quantile, on the scale of the draws: half the width of a 68 % interval for it.
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

/// The tails of `ess_tail`, and the interval that a summary prints. VGSCB's choice; 90 % is arbitrary but estimable.
const LOWER_TAIL: f64 = 0.05;
const UPPER_TAIL: f64 = 0.95;

/// Normal probabilities of one standard deviation below and above the mean, to the digits that `posterior` uses.
const ONE_SIGMA_TAILS: (f64, f64) = (0.158_655_3, 0.841_344_7);

/// Effective sample size of the share of draws at or below a threshold.
fn ess_below(column: &[f64], n_chains: usize, threshold: f64) -> f64 {
    Halves::map(column, n_chains, |&value| f64::from(u8::from(value <= threshold))).ess()
}

/// The smaller of two effective sample sizes, NaN if either is: `f64::min` would drop the undefined one.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

#[cfg(test)]
mod tests;
