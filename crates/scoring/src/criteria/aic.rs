//! Akaike's information criterion.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Scale, Source};
use crate::maximum::Maximum;
use crate::score::Score;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "aic",
    title: "AIC",
    scale: Scale::Deviance,
    source: Source::Likelihood(|maxima| {
        let score = |maximum: &Maximum| aic(maximum.log_likelihood, maximum.n_parameters);
        maxima.of_each.iter().map(score).collect()
    }),
    terms: None,
    reference: "Akaike, H. (1973). Information theory and an extension of the maximum likelihood principle. In Petrov, B. N. & \
                Csáki, F. (eds), Second International Symposium on Information Theory, 267–281. Akadémiai Kiadó.",
    rationale: "minimises AIC, which tends to overestimate K",
    rank: None,
    by_default: true,
};

/// `−2 log L + 2 p` for a maximised log-likelihood (natural logarithm) and p free parameters; lower is better. Akaike (1973).
///
/// Mixtures are singular: where K is too large, Akaike's penalty has no justification (Drton & Plummer 2017).
#[must_use]
pub fn aic(log_likelihood: f64, n_parameters: usize) -> Score {
    let p = n_parameters as f64;
    Score::from_deviance(Criterion::Aic, -2.0 * log_likelihood + 2.0 * p, p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_galaxies_have_the_aic_that_scikit_learn_gives_them() {
        // Two normals of unequal variance on 82 velocities, the best of several hundred starts; printed to twelve digits.
        assert!((aic(-220.057_972_97, 5).estimate - 450.115_945_94).abs() < 1e-8);
    }
}
