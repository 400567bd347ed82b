//! Cross-validation: each observation scored by a fit that never saw it.

use gmm_sampler::diagnostics::mcse_mean;

use crate::log_sum_exp::log_mean_exp;
use crate::{Criterion, Score};

/// Log predictive density of one held-out observation, in nats, from its log density under each draw of the fit without it.
///
/// Draws of several seeds or chains may be joined: the mean of densities is over all of them.
#[must_use]
pub fn held_out(log_densities: &[f64]) -> f64 {
    log_mean_exp(log_densities)
}

/// Monte Carlo standard error, in nats, of the sum of [`held_out`] over observations that one fit is scored on, each with its
/// column of S log densities, chain-major.
///
/// To first order (the delta method) a log of a mean moves by the mean's relative change, so the error is that of the mean over
/// draws of Σ_i p_is / p̄_i: errors of observations that one draw predicts well, or badly, together add up, and chains that
/// disagree make it large. NaN where a density or the effective number of draws is undefined.
#[must_use]
pub fn held_out_mcse(columns: &[Vec<f64>], n_chains: usize) -> f64 {
    let mut relative = vec![0.0; columns.first().map_or(0, Vec::len)];
    for column in columns {
        let elpd = held_out(column);
        relative.iter_mut().zip(column).for_each(|(sum, l)| *sum += libm::exp(l - elpd));
    }
    if relative.is_empty() { f64::NAN } else { mcse_mean(&relative, n_chains) }
}

/// The sum of N held-out log predictive densities, one an observation in the order of the data. Higher is better.
///
/// Nothing is approximated but the posterior, so that there is no diagnostic beyond a density that is not finite. The estimate is a
/// little pessimistic, since each fit saw fewer observations than there are.
#[must_use]
pub fn kfold(pointwise: Vec<f64>) -> Score {
    let n_bad = pointwise.iter().filter(|elpd| !elpd.is_finite()).count();
    Score::from_pointwise(Criterion::Kfold, pointwise, f64::NAN, n_bad, |n| {
        format!("{n_bad} of {n} held-out observations have no finite log predictive density")
    })
}
