//! What figures show of one fit: all that is kept of its draws once they are on disk.

use anyhow::Result;
use gmm_sampler::draws::Draws;
use gmm_sampler::mixture::params::Mixture;

use crate::engine::fit::Fit;

/// Draws that predictive densities and responsibilities are averaged over, evenly spaced: their lines are then smooth to the
/// eye, and more change nothing that can be seen.
const DRAWS: usize = 100;

/// A fit as its figures need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sketch {
    pub components: usize,
    pub seed: u64,
    /// Mixtures of one labelling, on the data's own scale.
    pub draws: Vec<Mixture>,
    /// Columns that no relabelling changes, chain-major, each with its name.
    pub traces: Vec<(&'static str, Vec<f64>)>,
    /// Draws in each chain.
    pub n_draws: usize,
}

impl Sketch {
    /// Of a fit and its draws brought to one labelling.
    ///
    /// # Errors
    /// Draws that are no mixtures.
    pub fn of(
        fit: &Fit,
        components: usize,
        seed: u64,
        n_features: usize,
        relabelled: &Draws,
    ) -> Result<Self> {
        let every = relabelled.len().div_ceil(DRAWS).max(1);
        let draws = (0..relabelled.len())
            .step_by(every)
            .map(|s| Mixture::from_values(components, n_features, &relabelled.draw(s)))
            .collect::<Result<_, _>>()?;
        let mut traces = vec![("log density", fit.stats.iter().map(|stats| stats.lp).collect())];
        if components > 1 {
            // Sorted within each draw: no relabelling changes the largest and the smallest weight.
            let weights = |pick: fn(f64, f64) -> f64| -> Vec<f64> {
                let weight = |s: usize| (0..components).map(move |k| fit.draws.column(k)[s]);
                (0..fit.draws.len()).map(|s| weight(s).reduce(pick).unwrap_or(f64::NAN)).collect()
            };
            traces.push(("largest weight", weights(f64::max)));
            traces.push(("smallest weight", weights(f64::min)));
        }
        Ok(Self { components, seed, draws, traces, n_draws: fit.draws.n_draws() })
    }
}
