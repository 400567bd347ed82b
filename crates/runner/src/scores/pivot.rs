//! The draw to whose labels the others are brought.

use anyhow::Result;
use gmm_sampler::mixture::params::Mixture;

use crate::storage::fits::Fit;

/// The draw of highest density.
///
/// # Errors
/// Draws that are no mixtures.
pub fn pivot(fit: &Fit, components: usize, n_features: usize) -> Result<Mixture> {
    let lp = |s: usize| fit.stats[s].lp;
    let best = (0..fit.draws.len()).max_by(|&a, &b| lp(a).total_cmp(&lp(b))).unwrap_or(0);
    Ok(Mixture::from_values(components, n_features, &fit.draws.draw(best))?)
}
