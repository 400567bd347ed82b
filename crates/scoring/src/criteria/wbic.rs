//! The widely applicable Bayesian information criterion.
//!
//! Source: Watanabe (2013), "A widely applicable Bayesian information criterion", JMLR 14.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Fits, Scale, Source};
use crate::score::Score;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "wbic",
    title: "WBIC",
    scale: Scale::Deviance,
    source: Source::Draws(Fits::Tempered),
    terms: None,
    reference: "Watanabe, S. (2013). A widely applicable Bayesian information criterion. Journal of Machine Learning Research 14, \
                867–897.",
    rationale: "minimises WBIC, which approximates −2 log evidence",
    rank: None,
    by_default: false,
};

/// WBIC on the deviance scale (lower is better): twice the mean of −log L under the posterior whose likelihood is raised to the
/// power 1 / ln N (eq. 16). It approximates −2 times the log evidence.
///
/// `log_likelihood` holds S log-likelihoods of all N observations, in nats, under draws of that posterior; `mcse` is the Monte Carlo
/// standard error of their mean. NaN without draws.
#[must_use]
pub fn wbic(log_likelihood: &[f64], mcse: f64) -> Score {
    let mean = gmm_sampler::diagnostics::mean(log_likelihood);
    Score { mcse: 2.0 * mcse, ..Score::from_deviance(Criterion::Wbic, -2.0 * mean, f64::NAN) }
}

/// The power that [`wbic`] wants the likelihood raised to.
#[must_use]
pub fn wbic_power(n_observations: usize) -> f64 {
    1.0 / libm::log(n_observations as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wbic_is_twice_the_mean_deviance() {
        let score = wbic(&[-10.0, -12.0, -14.0], 0.5);
        assert_eq!((score.estimate, score.mcse), (24.0, 1.0));
        assert!(score.se.is_nan());
        assert!((wbic_power(100) - 0.217_147_240_951_625_8).abs() < 1e-15);
    }
}
