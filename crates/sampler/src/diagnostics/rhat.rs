//! R-hat: whether chains agree.

use super::ranks::Ordered;
use super::split::Halves;

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
