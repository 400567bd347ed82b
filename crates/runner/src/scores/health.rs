//! Whether a fit's chains can be believed: what was seen, what it means for the ranking, what to try next.

use gmm_sampler::diagnostics::Summary;
use gmm_sampler::nuts::GRADIENTS_PER_STEP;
use gmm_sampler::nuts::trajectory::Ending;
use gmm_scoring::Score;

use super::digest::append;
use crate::engine::errors::REMEDY;
use crate::storage::fits::Fit;

/// What chains must show to be believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demands {
    /// Chains with a larger R-hat have not mixed.
    pub max_rhat: f64,
    /// Effective draws per chain.
    pub min_ess: f64,
    /// The key of the spec that gives more draws.
    draws_key: &'static str,
}

impl Demands {
    /// Of draws that are kept: Vehtari et al. (2021, sections 4 and 4.1), who say of fewer effective draws that R-hat and MCSE
    /// are themselves too noisy.
    pub const DRAWS: Self = Self { max_rhat: 1.01, min_ess: 100.0, draws_key: "draws" };

    /// Of draws that are only averaged over, in chains a few hundred long, whose error is measured and judged besides. R-hat of
    /// as few independent draws is above 1.01 as often as not, and far above 1.05 where chains sit in different modes.
    pub const HELD_OUT: Self = Self { max_rhat: 1.05, min_ess: 25.0, draws_key: "fold_draws" };
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
    demands: Demands,
}

impl Health {
    /// `invariant` describes the quantities that no relabelling changes.
    #[must_use]
    pub fn of(fit: &Fit, invariant: &[Summary], spiked: Vec<usize>, switched: f64, demands: Demands) -> Self {
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
            demands,
        }
    }

    /// Reasons not to believe the fit, each with what to do about it; none for a healthy one.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if !self.fallen.is_empty() {
            doubts.push(format!(
                "{} seen to fall into the spike of tied observations (a σ far below the column's resolution) and left out: under this prior the exact posterior is improper; {REMEDY}",
                numbered(&self.fallen)
            ));
        }
        if !self.spiked.is_empty() {
            doubts.push(format!(
                "{} found describing tied observations (a σ far below the column's resolution): a mode made by rounding; a scale prior that keeps farther from 0 avoids it",
                numbered(&self.spiked)
            ));
        }
        // An undefined R-hat or ESS is neither good nor enough.
        let mixed = self.max_rhat <= self.demands.max_rhat;
        let enough =
            least(self.min_ess_bulk, self.min_ess_tail) >= self.demands.min_ess * self.chain_lp.len() as f64;
        if self.max_rhat.is_nan() {
            doubts.push("R-hat is undefined: too few draws, or draws that do not move".to_owned());
        } else if !mixed {
            let lowest = self.chain_lp.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = self.chain_lp.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            doubts.push(format!(
                "R-hat {:.4}: chains disagree (their mean log densities span {:.1} nats); more draws help if they mix slowly, not if they sit in different modes",
                self.max_rhat,
                highest - lowest
            ));
        } else if !enough {
            doubts.push(format!(
                "effective sample size {:.0}: too few draws for the tails; raise `{}` or `chains`",
                self.min_ess_bulk.min(self.min_ess_tail),
                self.demands.draws_key
            ));
        }
        if self.divergences > 0 {
            doubts.push(format!(
                "{} of {} draws diverged: part of the posterior may be missing; raise `target_accept`",
                self.divergences, self.n_draws
            ));
        }
        if self.min_bfmi < MIN_BFMI {
            doubts.push(format!(
                "E-BFMI {:.2}: energies are explored slowly; raise `{}`",
                self.min_bfmi, self.demands.draws_key
            ));
        }
        doubts
    }

    /// What slows the fit without making it wrong.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.cut_off as f64 > MANY_CUT_OFF * self.n_draws as f64 {
            remarks.push(format!(
                "{} of {} trajectories were cut off by `max_tree_depth`: draws cost more than they need",
                self.cut_off, self.n_draws
            ));
        }
        if self.switched > 0.0 {
            remarks.push(format!(
                "labels switched in {:.1} % of draws; summaries are of relabelled draws",
                100.0 * self.switched
            ));
        }
        remarks
    }

    /// A score of this fit, marked unreliable if the fit is.
    #[must_use]
    pub fn doubt(&self, mut score: Score) -> Score {
        for doubt in self.doubts() {
            append(&mut score.note, &doubt);
            score.reliable = false;
        }
        score
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

/// "Chain 2 was", "chains 2 and 4 were"; counted from 1, as people do.
fn numbered(chains: &[usize]) -> String {
    let numbers: Vec<String> = chains.iter().map(|chain| (chain + 1).to_string()).collect();
    match numbers.as_slice() {
        [only] => format!("chain {only} was"),
        _ => format!("chains {} were", numbers.join(", ")),
    }
}

/// Energy Bayesian fraction of missing information (Betancourt 2016): Σ (E_s − E_{s−1})² / Σ (E_s − Ē)².
fn bfmi(energy: impl Iterator<Item = f64>) -> f64 {
    let energy: Vec<f64> = energy.collect();
    let mean = energy.iter().sum::<f64>() / energy.len() as f64;
    let changes: f64 = energy.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    changes / energy.iter().map(|energy| (energy - mean).powi(2)).sum::<f64>()
}
