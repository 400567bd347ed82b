//! Schwarz's Bayesian information criterion.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Scale, Source};
use crate::maximum::Maximum;
use crate::score::Score;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "bic",
    title: "BIC",
    scale: Scale::Deviance,
    source: Source::Likelihood(|maxima| {
        let score =
            |maximum: &Maximum| bic(maximum.log_likelihood, maximum.n_parameters, maxima.n_observations);
        maxima.of_each.iter().map(score).collect()
    }),
    terms: None,
    reference: "Schwarz, G. (1978). Estimating the dimension of a model. Annals of Statistics 6, 461–464.",
    rationale: "minimises BIC, which penalises every parameter in full",
    // Under regularity conditions BIC is consistent for K (Keribin 2000); AIC is not.
    rank: Some(70),
    by_default: true,
};

/// `−2 log L + p ln N` for a maximised log-likelihood (natural logarithm) and p free parameters; lower is better. Schwarz (1978).
///
/// It is the negative of what mclust prints. Mixtures are singular: where K is too large, Schwarz's penalty has no justification
/// (Drton & Plummer 2017).
#[must_use]
pub fn bic(log_likelihood: f64, n_parameters: usize, n_observations: usize) -> Score {
    let p = n_parameters as f64;
    Score::from_deviance(Criterion::Bic, -2.0 * log_likelihood + p * libm::log(n_observations as f64), p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_galaxies_have_the_bic_that_mclust_gives_them_but_for_the_sign() {
        // Two normals of unequal variance on 82 velocities, the best of several hundred starts; printed to twelve digits.
        assert!((bic(-220.057_972_97, 5, 82).estimate - 462.149_542_176).abs() < 1e-8);
    }

    #[test]
    fn an_unbounded_likelihood_is_not_a_reliable_score() {
        let score = bic(f64::INFINITY, 5, 100);
        assert!(!score.reliable && !score.diagnostics.is_empty() && score.se.is_nan());
    }
}
