//! What went wrong with one job: it has no result, or an unreliable one.

use crate::engine::scheduler::EndedFit;
use crate::scores::diagnostic::Diagnostic;
use crate::storage::store::Unavailable;
use crate::study::job::Job;

/// A fit whose diagnostics find it unreliable.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreliableFit {
    pub job: Job,
    /// What is wrong; not empty.
    pub diagnostics: Vec<Diagnostic>,
}

/// A fit, or an optimum, that is missing, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The job, or what else is missing, as messages name it.
    pub subject: String,
    pub reason: String,
}

impl Failure {
    /// Of a job without a current result.
    #[must_use]
    pub fn from_unavailable((job, unavailable): (&Job, &Unavailable)) -> Self {
        Self { subject: job.to_string(), reason: unavailable.to_string() }
    }

    /// Of a fit that failed; none if it did not.
    #[must_use]
    pub fn from_ended(ended: &EndedFit) -> Option<Self> {
        let error = ended.result.as_ref().err()?;
        Some(Self { subject: ended.job.to_string(), reason: error.to_string() })
    }
}
