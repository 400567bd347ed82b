//! The integrated completed likelihood.

use super::bic::bic;
use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Scale, Source};
use crate::maximum::Maximum;
use crate::score::Score;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "icl",
    title: "ICL",
    scale: Scale::Deviance,
    source: Source::Likelihood(|maxima| {
        let score = |Maximum { log_likelihood, n_parameters, entropy, .. }: &Maximum| {
            icl(*log_likelihood, *n_parameters, maxima.n_observations, *entropy)
        };
        maxima.of_each.iter().map(score).collect()
    }),
    terms: None,
    reference: "Biernacki, C., Celeux, G. & Govaert, G. (2000). Assessing a mixture model for clustering with the integrated \
                completed likelihood. IEEE Transactions on Pattern Analysis and Machine Intelligence 22, 719–725.",
    rationale: "minimises ICL, which counts well-separated clusters",
    rank: None,
    by_default: true,
};

/// BIC plus twice the entropy of the responsibilities at the maximum; lower is better. Biernacki, Celeux & Govaert (2000).
///
/// The entropy is zero where components are separated and grows as they overlap: ICL counts clusters where BIC counts components.
/// mclust prints the opposite sign, and takes each observation's largest responsibility alone.
#[must_use]
pub fn icl(log_likelihood: f64, n_parameters: usize, n_observations: usize, entropy: f64) -> Score {
    let bic = bic(log_likelihood, n_parameters, n_observations);
    Score::from_deviance(Criterion::Icl, bic.estimate + 2.0 * entropy, bic.p_eff)
}

/// `−Σ r ln r` over all responsibilities (N × K values in any order), in nats; a responsibility of zero adds nothing.
#[must_use]
pub fn entropy(responsibilities: &[f64]) -> f64 {
    -responsibilities.iter().map(|&r| if r == 0.0 { 0.0 } else { r * libm::log(r) }).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_galaxies_have_the_icl_that_mclust_gives_them_but_for_the_sign() {
        // Two normals of unequal variance on 82 velocities, the best of several hundred starts; printed to twelve digits.
        let (mclust_bic, mclust_icl) = (-462.149_542_176, -462.345_237_605);
        let entropy = (mclust_bic - mclust_icl) / 2.0;
        assert!((icl(-220.057_972_97, 5, 82, entropy).estimate + mclust_icl).abs() < 1e-8);
    }

    #[test]
    fn entropy_is_nothing_where_assignments_are_certain_and_ln_k_where_they_are_not() {
        assert_eq!(entropy(&[1.0, 0.0, 0.0, 1.0]), 0.0);
        assert!((entropy(&[0.5, 0.5, 0.25, 0.25, 0.25, 0.25]) - 3.0 * std::f64::consts::LN_2).abs() < 1e-15);
    }
}
