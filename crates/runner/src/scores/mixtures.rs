//! Mixtures drawn from the posterior, K among what is drawn.

use std::collections::BTreeMap;

use gmm_sampler::mixture::params::Mixture;

use super::local_mode::LocalMode;
use super::plot_draws::PlotDraws;
use super::probabilities::{Probabilities, normalised};
use crate::study::job::ModelKey;
use crate::study::streams::Stream;

/// As many are drawn. A K or a mode has its share of them, to the nearest draw.
const DRAWS: usize = 200;

/// Equally probable mixtures on the data's own scale, ordered by K. Labels of different draws have nothing to do with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct PosteriorMixtures {
    pub draws: Vec<Mixture>,
}

impl PosteriorMixtures {
    /// Of every K with its posterior probability, from the normal distributions about its local modes; `None` if there is no such mode.
    #[must_use]
    pub fn from_modes(
        probabilities: &Probabilities,
        local_modes: &BTreeMap<ModelKey, Vec<LocalMode>>,
    ) -> Option<Self> {
        let mut cells = Vec::new();
        for entry in &probabilities.of_each {
            let modes = local_modes.get(&entry.model).map_or(&[][..], Vec::as_slice);
            let shares = normalised(&modes.iter().map(|mode| mode.log_evidence).collect::<Vec<_>>());
            let of_mode = |(mode, share)| (entry.probability * share, entry.model, mode);
            cells.extend(modes.iter().zip(shares).map(of_mode));
        }
        let counts = apportion(DRAWS, &cells.iter().map(|cell| cell.0).collect::<Vec<_>>())?;
        let mut draws = Vec::with_capacity(DRAWS);
        for ((_, model, mode), count) in cells.iter().zip(counts) {
            // Modes of one K draw from parts of its stream that have nothing in common.
            let mut rng = Stream::Mixtures { model: *model }.rng();
            rng.set_stream(draws.len() as u64);
            draws.extend((0..count).map(|_| mode.draw(&mut rng)));
        }
        Some(Self { draws })
    }

    /// The stored draws of one fit that figures show.
    #[must_use]
    pub fn from_fit(fit: &PlotDraws) -> Self {
        Self { draws: fit.draws.clone() }
    }
}

/// Whole numbers that sum to `total` and are in proportion to the shares: those with the largest remainders are rounded up (Hamilton's
/// method). `None` without a positive share.
fn apportion(total: usize, shares: &[f64]) -> Option<Vec<usize>> {
    let sum: f64 = shares.iter().sum();
    if sum.is_nan() || sum <= 0.0 {
        return None;
    }
    let exact: Vec<f64> = shares.iter().map(|share| total as f64 * share / sum).collect();
    let mut counts: Vec<usize> = exact.iter().map(|quota| *quota as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let missing = total.saturating_sub(counts.iter().sum());
    order.into_iter().take(missing).for_each(|cell| counts[cell] += 1);
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_shared_out_in_proportion() {
        assert_eq!(apportion(10, &[0.5, 0.25, 0.25]), Some(vec![5, 3, 2]));
        assert_eq!(apportion(200, &[0.75, 0.2499, 0.0001]), Some(vec![150, 50, 0]));
        assert_eq!(apportion(3, &[0.0, 2.0]), Some(vec![0, 3]));
        assert_eq!(apportion(3, &[]), None);
        assert_eq!(apportion(3, &[0.0]), None);
    }
}
