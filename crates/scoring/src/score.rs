//! One model's score by one criterion.

use crate::Criterion;

/// What one criterion says of one fit. NaN where a quantity is undefined.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub criterion: Criterion,
    /// On the criterion's own [`Scale`](crate::Scale).
    pub estimate: f64,
    /// Of predictions the standard error of `estimate` over observations, √(N var): how far another data set of this size might
    /// move it; it knows nothing of Monte Carlo error. Of log evidence the Monte Carlo standard error, and that alone.
    /// NaN for criteria of the maximised likelihood.
    pub se: f64,
    /// Effective number of parameters: the count p for AIC, BIC and ICL, what sBIC charges for, p_waic, p_loo; NaN for the
    /// others.
    pub p_eff: f64,
    /// Observations at which the estimate is doubtful, by the criterion's own diagnostic.
    pub n_bad: usize,
    /// Whether the criterion's own diagnostic finds nothing wrong, and the estimate is finite.
    pub reliable: bool,
    /// What is wrong, in words; empty if nothing is.
    pub note: String,
    /// The N terms that sum to `estimate` of predictions; empty for others.
    pub pointwise: Vec<f64>,
}

impl Score {
    /// The score that pointwise terms sum to. `doubt` explains `n_bad`, given the number of observations.
    pub(crate) fn from_pointwise(
        criterion: Criterion,
        pointwise: Vec<f64>,
        p_eff: f64,
        n_bad: usize,
        doubt: impl FnOnce(usize) -> String,
    ) -> Self {
        let estimate = pointwise.iter().sum::<f64>();
        let note = if n_bad > 0 { doubt(pointwise.len()) } else { String::new() };
        let reliable = n_bad == 0 && estimate.is_finite() && !pointwise.is_empty();
        Self { criterion, estimate, se: standard_error(&pointwise), p_eff, n_bad, reliable, note, pointwise }
    }
}

/// Standard error of a sum of N terms, √(N var) with denominator N − 1: Vehtari, Gelman & Gabry (2017), eq. 23.
///
/// NaN for fewer than two terms.
pub(crate) fn standard_error(terms: &[f64]) -> f64 {
    if terms.len() < 2 {
        return f64::NAN;
    }
    (terms.len() as f64).sqrt() * gmm_sampler::diagnostics::sd(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_term_makes_an_infinite_unreliable_score() {
        let score = Score::from_pointwise(Criterion::Loo, vec![-1.0, f64::NEG_INFINITY], f64::NAN, 0, |_| {
            String::new()
        });
        assert_eq!(score.estimate, f64::NEG_INFINITY);
        assert!(!score.reliable && score.se.is_nan());
    }
}
