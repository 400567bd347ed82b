//! What a criterion's own diagnostic finds wrong with a score.

use crate::terms::Terms;

/// Why a score is unreliable, or undefined, by the criterion's own diagnostic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Diagnostic {
    /// The log-likelihood that the score is computed from is not finite.
    NotFinite,
    /// WAIC: log-likelihoods of too large a posterior variance, or without a finite one.
    LargeVariance {
        /// Observations where it is so.
        n_bad: usize,
        /// All observations.
        n_terms: usize,
        /// The largest variance that is not too large.
        threshold: f64,
    },
    /// PSIS-LOO: importance ratios whose tail is too heavy, or could not be fitted.
    LargeParetoK {
        /// Observations where it is so.
        n_bad: usize,
        /// All observations.
        n_terms: usize,
        /// The largest Pareto k that is not too large.
        threshold: f64,
    },
    /// Cross-validation: held-out log predictive densities that are not finite.
    UndefinedDensity {
        /// Terms where it is so.
        n_bad: usize,
        /// All terms.
        n_terms: usize,
        /// What the terms are of.
        terms: Terms,
    },
}
