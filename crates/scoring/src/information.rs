//! Criteria of a maximised likelihood: fit minus a price per parameter, on the deviance scale (lower is better).
//!
//! The likelihood must be the maximised one: an EM optimum from many starts, never the best posterior draw. Mixtures are singular,
//! so that neither Akaike's nor Schwarz's penalty has its textbook justification when K is too large (Drton & Plummer 2017).

use crate::{Criterion, Score};

/// `−2 log L + 2 p` for a maximised log-likelihood (natural logarithm) and p free parameters: Akaike (1973).
#[must_use]
pub fn aic(log_likelihood: f64, n_parameters: usize) -> Score {
    let p = n_parameters as f64;
    deviance_score(Criterion::Aic, -2.0 * log_likelihood + 2.0 * p, p)
}

/// `−2 log L + p ln N`: Schwarz (1978). The negative of what mclust prints.
#[must_use]
pub fn bic(log_likelihood: f64, n_parameters: usize, n_observations: usize) -> Score {
    let p = n_parameters as f64;
    deviance_score(Criterion::Bic, -2.0 * log_likelihood + p * libm::log(n_observations as f64), p)
}

/// BIC plus twice the entropy of the responsibilities at the maximum: Biernacki, Celeux & Govaert (2000).
///
/// The entropy is zero when components are separated and grows as they overlap, so that ICL counts clusters where BIC counts
/// components. mclust prints the opposite sign, and takes each observation's largest responsibility alone.
#[must_use]
pub fn icl(log_likelihood: f64, n_parameters: usize, n_observations: usize, entropy: f64) -> Score {
    let bic = bic(log_likelihood, n_parameters, n_observations);
    deviance_score(Criterion::Icl, bic.estimate + 2.0 * entropy, bic.p_eff)
}

/// `−Σ r ln r` over all responsibilities (N × K values in any order), in nats; a responsibility of zero adds nothing.
#[must_use]
pub fn entropy(responsibilities: &[f64]) -> f64 {
    -responsibilities.iter().map(|&r| if r == 0.0 { 0.0 } else { r * libm::log(r) }).sum::<f64>()
}

/// A score on the deviance scale, not reliable unless it is a number.
pub(crate) fn deviance_score(criterion: Criterion, estimate: f64, p_eff: f64) -> Score {
    // An infinite likelihood is a degenerate fit, not an infinitely good one.
    let estimate = if estimate.is_finite() { estimate } else { f64::NAN };
    let reliable = estimate.is_finite();
    let note = if reliable { String::new() } else { "the maximised log-likelihood is not finite".to_owned() };
    Score { criterion, estimate, se: f64::NAN, p_eff, n_bad: 0, reliable, note, pointwise: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values are printed to twelve digits.
    const PRINTED: f64 = 1e-8;

    #[test]
    fn criteria_of_the_galaxies_agree_with_mclust_but_for_the_sign() {
        // Two normals of unequal variance on 82 velocities, the best of several hundred starts.
        let (log_likelihood, n_parameters, n_observations) = (-220.057_972_97, 5, 82);
        let (mclust_bic, entropy_icl, scikit_aic) = (-462.149_542_176, -462.345_237_605, 450.115_945_94);
        assert!((aic(log_likelihood, n_parameters).estimate - scikit_aic).abs() < PRINTED);
        assert!((bic(log_likelihood, n_parameters, n_observations).estimate + mclust_bic).abs() < PRINTED);
        let entropy = (mclust_bic - entropy_icl) / 2.0;
        assert!(
            (icl(log_likelihood, n_parameters, n_observations, entropy).estimate + entropy_icl).abs()
                < PRINTED
        );
    }

    #[test]
    fn entropy_is_nothing_where_assignments_are_certain_and_ln_k_where_they_are_not() {
        assert_eq!(entropy(&[1.0, 0.0, 0.0, 1.0]), 0.0);
        assert!((entropy(&[0.5, 0.5, 0.25, 0.25, 0.25, 0.25]) - 3.0 * std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn an_unbounded_likelihood_is_not_a_reliable_score() {
        let score = bic(f64::INFINITY, 5, 100);
        assert!(!score.reliable && !score.note.is_empty() && score.se.is_nan());
    }
}
