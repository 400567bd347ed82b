//! The random subsample that searches use when there are many observations.

use rand::Rng;
use rand::seq::index;

/// If there are more observations than this, restarts of k-means and EM search on a random subsample of this size, and the
/// curvature at the mode is computed from a part of the observations. It is large enough to contain every component of relevant
/// weight.
pub(super) const SUBSAMPLE_SIZE: usize = 20_000;

/// Row numbers of a random subsample without replacement, ascending.
pub(super) fn subsample(n_observations: usize, size: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut rows = index::sample(rng, n_observations, size).into_vec();
    rows.sort_unstable();
    rows
}
