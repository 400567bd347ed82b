//! The random subsample that searches use when there are many observations.

use rand::Rng;
use rand::seq::index;

/// Observations among which restarts of k-means and of EM search, and of which the curvature at the mode is taken, where there
/// are more: enough that no component of any weight is missed.
pub(super) const SUBSAMPLE_SIZE: usize = 20_000;

/// As many rows of more, drawn at random without replacement, ascending.
pub(super) fn subsample(n_observations: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut rows = index::sample(rng, n_observations, SUBSAMPLE_SIZE).into_vec();
    rows.sort_unstable();
    rows
}
