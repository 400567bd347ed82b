//! A case: one problem with a known answer, split into tasks that can run anywhere and in any order.

use gmm_sampler::mixture::params::MixtureError;
use gmm_sampler::mixture::prior::PriorError;
use gmm_sampler::nuts::chain::ChainError;
use gmm_scoring::EvidenceError;
use thiserror::Error;

use crate::check::{Check, CheckResult, Part};
use crate::ranks::RankUniformity;
use crate::z_scores::ZScores;

/// Why a task or a case has no result.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CaseError {
    #[error(transparent)]
    Prior(#[from] PriorError),
    #[error("no mixture can be made of the clusters: {0}")]
    Clusters(#[from] MixtureError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error("no start leads to a regular posterior mode")]
    NoStart,
    #[error("a chain takes more than {limit} leapfrog steps per iteration on average")]
    TooManySteps { limit: usize },
    /// For callers that catch panics: the message.
    #[error("{0}")]
    Panic(String),
}

/// What a task returns: one column of numbers per quantity.
pub type Columns = Vec<Vec<f64>>;

/// The checks of one case, and the numbers behind its figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CaseReport {
    pub checks: Vec<Check>,
    pub z_scores: Vec<ZScores>,
    pub ranks: Vec<RankUniformity>,
}

impl CaseReport {
    /// The report of a case that could not be completed: one failed check with the reason.
    pub(crate) fn from_error(part: Part, case: &str, error: &CaseError) -> Self {
        let result = CheckResult::Error { reason: error.to_string() };
        let check = Check { part, case: case.to_owned(), quantity: "everything".to_owned(), result };
        Self { checks: vec![check], ..Self::default() }
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.checks.extend(other.checks);
        self.z_scores.extend(other.z_scores);
        self.ranks.extend(other.ranks);
    }
}

/// A problem with a known answer. What a task returns depends on the case and the task alone.
pub(crate) trait Case: Send + Sync {
    fn part(&self) -> Part;

    /// Unique among all cases, and part of the key of the case's random numbers.
    fn name(&self) -> &str;

    fn n_tasks(&self) -> usize;

    /// Runs one of the tasks, counted from 0.
    fn run(&self, task: usize) -> Result<Columns, CaseError>;

    /// Compares the results of all tasks, given in their order, with the known answer.
    fn conclude(&self, results: Vec<Columns>) -> CaseReport;
}
