//! Effective sample sizes of means, standard deviations, quantiles, and of the bulk and tails of a distribution.

use super::moments::centred;
use super::quantile::quantile;
use super::ranks::Ordered;
use super::split::Halves;

/// The quantiles of `ess_tail` and of a summary's interval. VGSCB's choice; arbitrary, but a 90 % interval can be estimated
/// well.
pub(super) const LOWER_TAIL: f64 = 0.05;
pub(super) const UPPER_TAIL: f64 = 0.95;

/// Effective sample size of the bulk: that of the mean of the rank-normalised draws (VGSCB eq. 14).
#[must_use]
pub fn ess_bulk(column: &[f64], n_chains: usize) -> f64 {
    Ordered::new(column, n_chains).map_or(f64::NAN, |ordered| ordered.normal_scores().ess())
}

/// Effective sample size of the tails: the smaller of those of the 5 % and the 95 % quantile (VGSCB section 4).
#[must_use]
pub fn ess_tail(column: &[f64], n_chains: usize) -> f64 {
    smaller_or_nan(ess_quantile(column, n_chains, LOWER_TAIL), ess_quantile(column, n_chains, UPPER_TAIL))
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

/// Effective sample size of a quantile: that of the share of draws at or below it (VGSCB section 4). `probability` is in [0,
/// 1].
#[must_use]
pub fn ess_quantile(column: &[f64], n_chains: usize, probability: f64) -> f64 {
    if column.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    ess_below(column, n_chains, quantile(column, probability))
}

/// Effective sample size of the share of draws at or below a threshold.
pub(super) fn ess_below(column: &[f64], n_chains: usize, threshold: f64) -> f64 {
    Halves::map(column, n_chains, |&value| f64::from(u8::from(value <= threshold))).ess()
}

/// The smaller of two effective sample sizes, NaN if either is: `f64::min` would drop the undefined one.
pub(super) fn smaller_or_nan(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}
