//! One model's score by one criterion.

use crate::criterion::Criterion;
use crate::diagnostic::Diagnostic;
use crate::fingerprint::Fingerprint;

/// What one criterion says of one fit. NaN where a quantity is undefined.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The criterion.
    pub criterion: Criterion,
    /// On the criterion's own [`Scale`](crate::Scale).
    pub estimate: f64,
    /// Standard error of `estimate` over its terms (observations or groups), √(N var): how far another data set of this size might
    /// move it. It does not contain Monte Carlo error. NaN for criteria that are not sums over terms.
    pub se: f64,
    /// Standard error of `estimate` from how it is computed. Where draws enter, of Monte Carlo: how far it may be from what endless
    /// chains would give. For Laplace's method the size of its [`correction`](crate::Laplace::correction), an error that all models
    /// share. NaN for the others, and where it is not known.
    pub mcse: f64,
    /// Effective number of parameters: the count p for AIC, BIC and ICL, what sBIC charges for, p_waic, p_loo; NaN for the others.
    pub p_eff: f64,
    /// Terms at which the estimate is unreliable, by the criterion's own diagnostic.
    pub n_bad: usize,
    /// Whether the criterion's own diagnostic finds nothing wrong, and the estimate is finite.
    pub reliable: bool,
    /// What the criterion's own diagnostic finds wrong; empty if nothing is.
    pub diagnostics: Vec<Diagnostic>,
    /// The terms that sum to `estimate`, in the order of the data; empty for criteria that are not sums over terms.
    pub pointwise: Vec<f64>,
    /// The data that were scored, where the caller said. [`Comparison::new`](crate::Comparison::new) refuses scores of different data.
    pub data: Option<Fingerprint>,
}

impl Score {
    /// An estimate that is no sum over terms. It is reliable if it is finite; errors and p_eff are undefined.
    #[must_use]
    pub fn new(criterion: Criterion, estimate: f64) -> Self {
        Self {
            criterion,
            estimate,
            se: f64::NAN,
            mcse: f64::NAN,
            p_eff: f64::NAN,
            n_bad: 0,
            reliable: estimate.is_finite(),
            diagnostics: Vec::new(),
            pointwise: Vec::new(),
            data: None,
        }
    }

    /// The same score with the data that it is of.
    #[must_use]
    pub fn with_data(self, data: Fingerprint) -> Self {
        Self { data: Some(data), ..self }
    }

    /// A score on the deviance scale, unreliable unless it is finite.
    pub(crate) fn from_deviance(criterion: Criterion, deviance: f64, p_eff: f64) -> Self {
        // An infinite likelihood is a degenerate fit, not an infinitely good one.
        let score = Self::new(criterion, if deviance.is_finite() { deviance } else { f64::NAN });
        let diagnostics = if score.reliable { Vec::new() } else { vec![Diagnostic::NotFinite] };
        Self { p_eff, diagnostics, ..score }
    }

    /// The score that pointwise terms sum to. `diagnose` explains `n_bad`, given the number of terms.
    pub(crate) fn from_pointwise(
        criterion: Criterion,
        pointwise: Vec<f64>,
        p_eff: f64,
        n_bad: usize,
        diagnose: impl FnOnce(usize) -> Diagnostic,
    ) -> Self {
        let score = Self::new(criterion, pointwise.iter().sum::<f64>());
        let diagnostics = if n_bad > 0 { vec![diagnose(pointwise.len())] } else { Vec::new() };
        let reliable = n_bad == 0 && score.reliable && !pointwise.is_empty();
        Self { se: standard_error(&pointwise), p_eff, n_bad, reliable, diagnostics, pointwise, ..score }
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
            Diagnostic::NotFinite
        });
        assert_eq!(score.estimate, f64::NEG_INFINITY);
        assert!(!score.reliable && score.se.is_nan());
    }
}
