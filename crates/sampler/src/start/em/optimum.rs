//! What a search by EM finds, and why it cannot begin.

use thiserror::Error;

use super::regularity::Regularity;
use crate::mixture::params::Mixture;

/// Optima below the best that are kept.
pub const MAX_OTHERS: usize = 7;

/// Why EM cannot begin.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EmError {
    #[error(
        "feature {feature} is a linear combination of the features before it: the covariance is singular"
    )]
    Collinear { feature: usize },
    #[error("{n_components} components need more than {n_observations} observations")]
    TooFewObservations { n_components: usize, n_observations: usize },
}

/// A local maximum of the likelihood, or where the iterations ran out on the way to one.
#[derive(Debug, Clone, PartialEq)]
pub struct EmFit {
    /// On the data's own scale.
    pub mixture: Mixture,
    /// Σ_i log p(y_i), natural logarithm, on the data's own scale.
    pub log_likelihood: f64,
    pub regularity: Regularity,
    /// Smallest eigenvalue of any component's covariance after whitening by the covariance of all data.
    pub min_eigenvalue: f64,
    /// Smallest expected number of observations of a component.
    pub min_count: f64,
    pub iterations: usize,
}

/// What the restarts found.
#[derive(Debug, Clone, PartialEq)]
pub struct EmOptimum {
    /// The highest likelihood among regular fits; among spurious ones where no start ended regular.
    /// None where every start degenerated.
    pub best: Option<EmFit>,
    /// Other regular optima that were met, the highest first, at most [`MAX_OTHERS`]: on the data's own scale.
    pub others: Vec<Mixture>,
    /// A spurious fit with a higher likelihood than the best, in nats above it: how much the refusal cost.
    pub refused_gain: Option<f64>,
    pub n_starts: usize,
    pub n_degenerate: usize,
    /// Independent starts, of those that were run to the end, that ended at the best fit; 0 if only a relocation found it.
    pub n_reached: usize,
}
