//! WAIC: the fit of the posterior, less the variance that each observation's log-likelihood has under it.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Fits, Scale, Source};
use crate::diagnostic::Diagnostic;
use crate::log_sum_exp::log_mean_exp;
use crate::score::Score;
use crate::terms::Terms;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "waic",
    title: "WAIC",
    scale: Scale::Prediction,
    source: Source::Draws(Fits::AllRows),
    terms: Some(Terms::Observations),
    reference: "Watanabe, S. (2010). Asymptotic equivalence of Bayes cross validation and widely applicable information criterion \
                in singular learning theory. Journal of Machine Learning Research 11, 3571–3594.",
    rationale: "is the smallest K whose predictive score is indistinguishable from the best",
    rank: Some(60),
    by_default: true,
};

/// Above this posterior variance of a log-likelihood, WAIC's approximation starts to fail: R's `loo` warns from
/// the same number on.
const GREATEST_VARIANCE: f64 = 0.4;

/// One observation's share of WAIC, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaicPoint {
    /// `lpd − p`: −∞ if a draw gives the observation no density.
    pub elpd: f64,
    /// Posterior variance of the log-likelihood, denominator S − 1.
    pub p: f64,
}

impl WaicPoint {
    /// From the S log-likelihoods of one observation, in any order.
    #[must_use]
    pub fn new(log_likelihood: &[f64]) -> Self {
        let p = if log_likelihood.contains(&f64::NEG_INFINITY) {
            f64::INFINITY
        } else {
            let sd = gmm_sampler::diagnostics::sd(log_likelihood);
            sd * sd
        };
        Self::from_variance(log_mean_exp(log_likelihood), p)
    }

    /// From the log of the mean likelihood and the variance of its logarithm: Watanabe (2010); Vehtari, Gelman & Gabry (2017).
    pub(crate) fn from_variance(lpd: f64, variance: f64) -> Self {
        Self { elpd: lpd - variance, p: variance }
    }

    fn is_bad(&self) -> bool {
        // Written so that NaN is bad.
        !(self.p <= GREATEST_VARIANCE && self.elpd.is_finite())
    }
}

/// WAIC of a data set, as an expected log predictive density (higher is better; the deviance scale is −2 times this).
#[must_use]
pub fn waic(points: &[WaicPoint]) -> Score {
    let pointwise = points.iter().map(|point| point.elpd).collect();
    let p_eff = points.iter().map(|point| point.p).sum();
    let n_bad = points.iter().filter(|point| point.is_bad()).count();
    Score::from_pointwise(Criterion::Waic, pointwise, p_eff, n_bad, |n_terms| Diagnostic::LargeVariance {
        n_bad,
        n_terms,
        threshold: GREATEST_VARIANCE,
    })
}
