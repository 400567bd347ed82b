//! R-hat: whether chains agree.

use super::ranks::Ordered;
use super::split::Halves;

/// Rank-normalised split R-hat, the larger of those for location and for scale. It is 1 at convergence; above 1.01 the chains
/// have not mixed. Finite also for draws with infinite moments.
///
/// NaN for a column with just two values, equally often: folded about its median, it is constant.
#[must_use]
pub fn rhat(column: &[f64], n_chains: usize) -> f64 {
    Ordered::new(column, n_chains).map_or(f64::NAN, |ordered| ordered.rhat())
}

/// Split R-hat without rank normalisation (Gelman et al. 2013), for quantities with a finite variance.
#[must_use]
pub fn rhat_basic(column: &[f64], n_chains: usize) -> f64 {
    Halves::new(column, n_chains).rhat()
}
