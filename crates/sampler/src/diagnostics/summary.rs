//! Summary of one variable: moments, quantiles and their diagnostics.

use super::effective_size::{LOWER_TAIL, UPPER_TAIL, ess_below, smaller_or_nan};
use super::moments::mean_variance;
use super::quantile::{quantile, sorted_quantile};
use super::ranks::Ordered;
use super::split::Halves;

/// Moments and quantiles in the units of the draws, with their diagnostics. Undefined fields are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Mean of all draws.
    pub mean: f64,
    /// Standard deviation, denominator S − 1.
    pub sd: f64,
    /// 5 % quantile, interpolated as by R's default (type 7).
    pub q5: f64,
    /// 50 % quantile.
    pub median: f64,
    /// 95 % quantile.
    pub q95: f64,
    /// Monte Carlo standard error of `mean`.
    pub mcse_mean: f64,
    /// Effective sample size of the bulk. With at least 100 per chain, it and R-hat are reliable.
    pub ess_bulk: f64,
    /// Effective sample size of the tails: the smaller of those of `q5` and `q95`.
    pub ess_tail: f64,
    /// Rank-normalised split R-hat: 1 at convergence; above 1.01 the chains have not mixed.
    pub rhat: f64,
}

impl Summary {
    /// Summarises a chain-major column. The fields equal the single functions, with one sort instead of six.
    #[must_use]
    pub fn from_column(column: &[f64], n_chains: usize) -> Self {
        let halves = Halves::new(column, n_chains);
        let (mean, variance) = mean_variance(column);
        let sd = variance.sqrt();
        let mcse_mean = sd / halves.ess().sqrt();
        let Some(ordered) = Ordered::new(column, n_chains) else {
            let undefined = f64::NAN;
            let [q5, median, q95] = [LOWER_TAIL, 0.5, UPPER_TAIL].map(|p| quantile(column, p));
            return Self {
                mean,
                sd,
                q5,
                median,
                q95,
                mcse_mean,
                ess_bulk: undefined,
                ess_tail: undefined,
                rhat: undefined,
            };
        };
        let [q5, median, q95] = [LOWER_TAIL, 0.5, UPPER_TAIL].map(|p| sorted_quantile(&ordered.sorted, p));
        let normal_scores = ordered.normal_scores();
        let finite = ordered.sorted.iter().all(|v| v.is_finite());
        let tail = |q| if finite { ess_below(column, n_chains, q) } else { f64::NAN };
        Self {
            mean,
            sd,
            q5,
            median,
            q95,
            mcse_mean,
            ess_bulk: normal_scores.ess(),
            ess_tail: smaller_or_nan(tail(q5), tail(q95)),
            rhat: ordered.rhat_given(&normal_scores),
        }
    }
}
