//! Diagnostics of a fit, and the thresholds that its chains must meet.

use gmm_sampler::diagnostics::Summary;
use gmm_sampler::nuts::GRADIENTS_PER_STEP;
use gmm_sampler::nuts::trajectory::Ending;

use super::diagnostic::{Diagnostic, DrawsKey, Remark};
use crate::storage::fits::Fit;

/// What the chains of a reliable fit meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvergenceThresholds {
    /// Chains with a larger R-hat have not mixed.
    pub max_rhat: f64,
    /// Effective draws per chain.
    pub min_ess: f64,
    /// The key of the spec that gives more draws.
    draws_key: DrawsKey,
}

impl ConvergenceThresholds {
    /// Of draws that are kept: Vehtari et al. (2021, sections 4 and 4.1), who say of fewer effective draws that R-hat and MCSE
    /// are themselves too noisy.
    pub const DRAWS: Self = Self { max_rhat: 1.01, min_ess: 100.0, draws_key: DrawsKey::Draws };

    /// Of draws that are only averaged over, in chains a few hundred long, whose error is measured and judged besides. R-hat of
    /// as few independent draws is above 1.01 as often as not, and far above 1.05 where chains sit in different modes.
    pub const HELD_OUT: Self = Self { max_rhat: 1.05, min_ess: 25.0, draws_key: DrawsKey::FoldDraws };
}

/// Betancourt (2016, "Diagnosing suboptimal cotangent disintegrations"): below this, energies are explored too slowly.
const MIN_BFMI: f64 = 0.3;

/// Share of trajectories cut off by the largest tree depth from which the lost efficiency is reported.
const MANY_CUT_OFF: f64 = 0.01;

/// One fit's diagnostics. R-hat and ESS are the worst over quantities that no relabelling changes (log density,
/// log-likelihood): those of `mu[0,0]` say nothing once labels switch.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    pub n_draws: usize,
    pub divergences: usize,
    /// Draws whose trajectory reached the largest tree depth before it turned.
    pub cut_off: usize,
    pub max_rhat: f64,
    pub min_ess_bulk: f64,
    pub min_ess_tail: f64,
    /// Smallest energy Bayesian fraction of missing information over chains.
    pub min_bfmi: f64,
    /// Chains, from 0, that fell into the spike of tied observations and are not among the draws.
    pub fallen: Vec<usize>,
    /// Of the chains that are, counted from 0, those that dwell there.
    pub spiked: Vec<usize>,
    /// Share of draws whose components had changed places.
    pub switched: f64,
    /// Mean log density of each chain: chains in different modes differ.
    pub chain_lp: Vec<f64>,
    /// Mean gradient evaluations per draw.
    pub mean_gradients: f64,
    thresholds: ConvergenceThresholds,
}

impl Health {
    /// `invariant` describes the quantities that no relabelling changes.
    #[must_use]
    pub fn new(
        fit: &Fit,
        invariant: &[Summary],
        spiked: Vec<usize>,
        switched: f64,
        thresholds: ConvergenceThresholds,
    ) -> Self {
        let n_draws = fit.draws.n_draws();
        let chains = || fit.stats.chunks_exact(n_draws.max(1));
        Self {
            n_draws: fit.draws.len(),
            divergences: fit.stats.iter().filter(|draw| draw.transition.diverging()).count(),
            cut_off: fit.stats.iter().filter(|draw| draw.transition.ending == Ending::CutOff).count(),
            max_rhat: invariant.iter().map(|summary| summary.rhat).fold(f64::NEG_INFINITY, worst),
            min_ess_bulk: invariant.iter().map(|summary| summary.ess_bulk).fold(f64::INFINITY, least),
            min_ess_tail: invariant.iter().map(|summary| summary.ess_tail).fold(f64::INFINITY, least),
            min_bfmi: chains()
                .map(|chain| bfmi(chain.iter().map(|draw| draw.transition.energy)))
                .fold(f64::INFINITY, least),
            fallen: fit.fallen.clone(),
            spiked,
            switched,
            chain_lp: chains()
                .map(|chain| chain.iter().map(|draw| draw.lp).sum::<f64>() / n_draws as f64)
                .collect(),
            mean_gradients: f64::from(GRADIENTS_PER_STEP)
                * fit.stats.iter().map(|draw| f64::from(draw.transition.n_steps)).sum::<f64>()
                / fit.stats.len() as f64,
            thresholds,
        }
    }

    /// Reasons why the fit is unreliable; none for a healthy one.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let ConvergenceThresholds { max_rhat, min_ess, draws_key: key } = self.thresholds;
        let mut found = Vec::new();
        if !self.fallen.is_empty() {
            found.push(Diagnostic::ChainsLeftOut { chains: self.fallen.clone() });
        }
        if !self.spiked.is_empty() {
            found.push(Diagnostic::ChainsOnSpike { chains: self.spiked.clone() });
        }
        // An undefined R-hat or ESS is neither good nor enough.
        let ess = least(self.min_ess_bulk, self.min_ess_tail);
        if self.max_rhat.is_nan() {
            found.push(Diagnostic::UndefinedRhat);
        } else if self.max_rhat > max_rhat {
            let lowest = self.chain_lp.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = self.chain_lp.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            found.push(Diagnostic::LargeRhat { rhat: self.max_rhat, span: highest - lowest });
        } else if ess.is_nan() || ess < min_ess * self.chain_lp.len() as f64 {
            // The one that is defined, if only one is.
            let ess = Some(self.min_ess_bulk.min(self.min_ess_tail)).filter(|ess| !ess.is_nan());
            found.push(Diagnostic::SmallEss { ess, key });
        }
        if self.divergences > 0 {
            found.push(Diagnostic::Divergences { divergences: self.divergences, n_draws: self.n_draws });
        }
        if self.min_bfmi < MIN_BFMI {
            found.push(Diagnostic::SmallBfmi { bfmi: self.min_bfmi, key });
        }
        found
    }

    /// What slows the fit, or may surprise, without making it wrong.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        if self.cut_off as f64 > MANY_CUT_OFF * self.n_draws as f64 {
            remarks.push(Remark::CutOffTrajectories { cut_off: self.cut_off, n_draws: self.n_draws });
        }
        if self.switched > 0.0 {
            remarks.push(Remark::LabelsSwitched { share: self.switched });
        }
        remarks
    }
}

/// The larger of two numbers; NaN, an undefined diagnostic, is not lost in it as in `f64::max`.
#[must_use]
pub fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The smaller of two numbers, NaN if either is.
#[must_use]
pub fn least(a: f64, b: f64) -> f64 {
    -worst(-a, -b)
}

/// Energy Bayesian fraction of missing information (Betancourt 2016): Σ (E_s − E_{s−1})² / Σ (E_s − Ē)².
fn bfmi(energy: impl Iterator<Item = f64>) -> f64 {
    let energy: Vec<f64> = energy.collect();
    let mean = energy.iter().sum::<f64>() / energy.len() as f64;
    let changes: f64 = energy.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    changes / energy.iter().map(|energy| (energy - mean).powi(2)).sum::<f64>()
}
