//! Log predictive densities of observations that a fit has not seen, and their Monte Carlo error.

use gmm_sampler::diagnostics::mcse_mean;

use crate::criterion::Criterion;
use crate::diagnostic::Diagnostic;
use crate::log_sum_exp::log_mean_exp;
use crate::score::Score;
use crate::terms::Terms;

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

/// The score that held-out log predictive densities sum to. Nothing is approximated but the posterior, so the only diagnostic is a
/// density that is not finite.
pub(crate) fn held_out_score(criterion: Criterion, elpd: Vec<f64>, terms: Terms) -> Score {
    let n_bad = elpd.iter().filter(|elpd| !elpd.is_finite()).count();
    Score::from_pointwise(criterion, elpd, f64::NAN, n_bad, |n_terms| Diagnostic::UndefinedDensity {
        n_bad,
        n_terms,
        terms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn the_error_of_a_held_out_sum_is_the_spread_of_its_estimates() {
        // Two observations that the same draws predict well: their errors add up instead of averaging out.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut estimate = || {
            let first: Vec<f64> = (0..400).map(|_| 1.5 * rng.random::<f64>() - 2.0).collect();
            let second: Vec<f64> = first.iter().map(|l| 0.5 * l + 0.1 * rng.random::<f64>()).collect();
            let columns = [first, second];
            (columns.iter().map(|column| held_out(column)).sum::<f64>(), held_out_mcse(&columns, 4))
        };
        let (sums, errors): (Vec<f64>, Vec<f64>) = (0..400).map(|_| estimate()).unzip();
        let ratio = gmm_sampler::diagnostics::mean(&errors) / gmm_sampler::diagnostics::sd(&sums);
        // The standard deviation of 400 estimates is known to 3.5 %.
        assert!((ratio - 1.0).abs() < 0.12, "{ratio}");
    }

    #[test]
    fn chains_that_disagree_have_a_large_error() {
        let column = |apart: f64| -> Vec<f64> {
            (0..400).map(|s| f64::from(s * 7 % 19) / 19.0 + if s < 200 { apart } else { 0.0 }).collect()
        };
        assert!(held_out_mcse(&[column(1.0)], 4) > 5.0 * held_out_mcse(&[column(0.0)], 4));
    }
}
