//! A case: one problem whose truth is known, cut into tasks that can run anywhere, in any order.

use gmm_sampler::mixture::prior::PriorError;
use gmm_sampler::nuts::chain::ChainError;
use thiserror::Error;

use crate::check::{Check, Evidence, Part};
use crate::ranks::RankUniformity;
use crate::z_scores::ZScores;

/// Why a task has no result.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Failure {
    #[error("{0}")]
    Prior(#[from] PriorError),
    #[error("{0}")]
    Chain(#[from] ChainError),
    #[error("no start leads to a regular posterior mode")]
    NoStart,
    #[error("a chain needs more than {most} steps an iteration, on average")]
    Endless { most: usize },
    #[error("{0}")]
    Broken(String),
}

/// What a task brings home: one column of numbers per quantity.
pub type Columns = Vec<Vec<f64>>;

/// What the checks of one case are, and what its figures show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    pub checks: Vec<Check>,
    pub z_scores: Vec<ZScores>,
    pub ranks: Vec<RankUniformity>,
}

impl Outcome {
    /// The outcome of a case of which a task failed.
    pub(crate) fn broken(part: Part, case: &str, reason: String) -> Self {
        let evidence = Evidence::Broken { reason };
        let check = Check { part, case: case.to_owned(), quantity: "everything".to_owned(), evidence };
        Self { checks: vec![check], ..Self::default() }
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.checks.extend(other.checks);
        self.z_scores.extend(other.z_scores);
        self.ranks.extend(other.ranks);
    }
}

/// A problem whose truth is known. What a task returns depends on the case and the task alone.
pub(crate) trait Case: Send + Sync {
    fn part(&self) -> Part;

    /// Unique among all cases: the case's random numbers are keyed by it.
    fn name(&self) -> &str;

    fn n_tasks(&self) -> usize;

    /// Does one of the tasks, counted from 0.
    fn run(&self, task: usize) -> Result<Columns, Failure>;

    /// Checks what all tasks, in their order, have returned.
    fn conclude(&self, results: Vec<Columns>) -> Outcome;
}
