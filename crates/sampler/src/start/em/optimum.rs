//! What a search by EM finds, and why it cannot begin.

use thiserror::Error;

use super::regularity::Regularity;
use crate::mixture::params::Mixture;

/// Largest number of other optima kept beside the best.
pub const MAX_OTHERS: usize = 7;

/// Why EM cannot start.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EmError {
    /// The data's covariance is singular.
    #[error(
        "feature {feature} is a linear combination of the features before it: the covariance is singular"
    )]
    Collinear {
        /// Counted from 0.
        feature: usize,
    },
    /// N ≤ K, or K = 0.
    #[error("{n_components} components need more than {n_observations} observations")]
    TooFewObservations {
        /// K.
        n_components: usize,
        /// N.
        n_observations: usize,
    },
}

/// A local maximum of the likelihood, or the state after the largest number of iterations.
#[derive(Debug, Clone, PartialEq)]
pub struct EmFit {
    /// On the data's own scale.
    pub mixture: Mixture,
    /// Σ_i log p(y_i), natural logarithm, on the data's own scale.
    pub log_likelihood: f64,
    /// Whether the optimum is regular.
    pub regularity: Regularity,
    /// Smallest eigenvalue of any component's covariance after whitening by the covariance of all data.
    pub min_eigenvalue: f64,
    /// Smallest expected number of observations of a component.
    pub min_count: f64,
    /// Number of iterations of EM.
    pub iterations: usize,
}

/// The result of a search with restarts.
#[derive(Debug, Clone, PartialEq)]
pub struct EmOptimum {
    /// The fit of highest likelihood among regular fits, or among spurious ones if there is no regular fit. `None` if every
    /// start degenerated.
    pub best: Option<EmFit>,
    /// Other regular optima, highest first, at most [`MAX_OTHERS`], on the data's own scale.
    pub others: Vec<Mixture>,
    /// Log-likelihood of the best rejected spurious fit minus that of `best`, in nats. `None` if it is not higher.
    pub refused_gain: Option<f64>,
    /// Number of starts, relocations included.
    pub n_starts: usize,
    /// Number of starts that degenerated.
    pub n_degenerate: usize,
    /// Number of independent starts, of those run to the end, that reached `best`; 0 if only a relocation found it.
    pub n_reached: usize,
}
