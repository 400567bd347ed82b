//! Why a fit has no result.

use gmm_sampler::mixture::prior::PriorError;
use gmm_sampler::nuts::chain::ChainError;

use crate::storage::atomic::DiskError;

/// What helps against the spike of tied observations.
pub const REMEDY: &str = "a scale prior that vanishes at 0, such as log_normal or inverse_gamma, removes it";

/// Why a fit has no result.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Rows that no model can be fitted to.
    #[error("{0:#}")]
    Rows(anyhow::Error),
    #[error(transparent)]
    Prior(#[from] PriorError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(
        "no regular posterior mode was found: every start led to the spike of tied observations; {REMEDY}"
    )]
    NoRegularMode,
    #[error(
        "every chain fell into the spike of tied observations, which has no bound under this prior; {REMEDY}"
    )]
    EveryChainOnSpike,
    /// A refit for LOO has the prior of the fit of all rows.
    #[error("the fit of all rows has no start, and this fit shares its prior")]
    NoStartOfAllRows,
    #[error("a chain was stopped")]
    Halted,
    #[error("a defect in gmm: {0}")]
    Panicked(String),
    /// The fit is stored; what is computed from its draws failed.
    #[error("the draws cannot be scored: {0:#}")]
    Unscorable(anyhow::Error),
    /// The same for every seed that shares what precedes sampling.
    #[error("{0}")]
    Preparation(String),
    /// A disk that takes no results is no failure of the fit.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl From<anyhow::Error> for FitError {
    fn from(error: anyhow::Error) -> Self {
        Self::Rows(error)
    }
}
