//! The draws of one fit that figures show, kept once the others are on disk.

use anyhow::Result;
use gmm_sampler::draws::Draws;
use gmm_sampler::mixture::params::Mixture;

use crate::storage::fits::Fit;
use crate::study::job::ModelKey;

/// Number of evenly spaced draws over which figures average predictive densities and responsibilities: their curves
/// look smooth, and more draws change nothing that can be seen.
const DRAWS: usize = 100;

/// The draws of one fit that its figures show.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotDraws {
    pub model: ModelKey,
    pub seed: u64,
    /// At most [`DRAWS`] mixtures with a common labelling, on the scale of the data.
    pub draws: Vec<Mixture>,
    /// Names and values of label-invariant quantities at every draw, chain by chain.
    pub traces: Vec<(&'static str, Vec<f64>)>,
    /// Number of draws per chain.
    pub n_draws: usize,
}

impl PlotDraws {
    /// Thins the relabelled draws of a fit and computes its label-invariant quantities.
    ///
    /// # Errors
    /// When a draw is not a valid mixture.
    pub fn from_fit(
        fit: &Fit,
        model: ModelKey,
        seed: u64,
        n_features: usize,
        relabelled: &Draws,
    ) -> Result<Self> {
        let components = model.components;
        let every = relabelled.len().div_ceil(DRAWS).max(1);
        let draws = (0..relabelled.len())
            .step_by(every)
            .map(|s| Mixture::from_values(components, n_features, &relabelled.draw(s)))
            .collect::<Result<_, _>>()?;
        let mut traces = vec![("log density", fit.stats.iter().map(|stats| stats.lp).collect())];
        if components > 1 {
            // The largest and the smallest weight of a draw do not depend on its labels.
            let weights = |pick: fn(f64, f64) -> f64| -> Vec<f64> {
                let weight = |s: usize| (0..components).map(move |k| fit.draws.column(k)[s]);
                (0..fit.draws.len()).map(|s| weight(s).reduce(pick).unwrap_or(f64::NAN)).collect()
            };
            traces.push(("largest weight", weights(f64::max)));
            traces.push(("smallest weight", weights(f64::min)));
        }
        Ok(Self { model, seed, draws, traces, n_draws: fit.draws.n_draws() })
    }
}
