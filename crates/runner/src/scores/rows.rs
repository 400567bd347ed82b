//! Rows of the tables over all fits.

use gmm_sampler::diagnostics::Summary;
use gmm_scoring::Score;

use crate::scores::diagnostic::{Diagnostic, ScoreDiagnostic};
use crate::study::job::ModelKey;

/// One row of `scores.parquet`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    pub model: ModelKey,
    /// None for criteria of the maximised likelihood or the posterior's mode, which no seed of the sampler moves.
    pub seed: Option<u64>,
    /// Not reliable where a diagnostic, its own or one of these, makes it so.
    pub score: Score,
    /// What is to be said of it beside the criterion's own diagnostics.
    pub diagnostics: Vec<ScoreDiagnostic>,
}

impl ScoreRow {
    /// A score of which nothing else is to be said.
    #[must_use]
    pub fn new(model: ModelKey, seed: Option<u64>, score: Score) -> Self {
        Self { model, seed, score, diagnostics: Vec::new() }
    }

    /// Adds a diagnostic, which may make the score unreliable.
    pub fn push(&mut self, diagnostic: ScoreDiagnostic) {
        self.score.reliable &= !diagnostic.makes_unreliable();
        self.diagnostics.push(diagnostic);
    }

    /// Adds what is wrong with the fit behind the score.
    pub fn push_fit(&mut self, diagnostics: &[Diagnostic]) {
        diagnostics.iter().for_each(|diagnostic| self.push(ScoreDiagnostic::Fit(diagnostic.clone())));
    }
}

/// One row of `summary.parquet`.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryRow {
    pub model: ModelKey,
    pub seed: u64,
    pub parameter: String,
    pub summary: Summary,
}
