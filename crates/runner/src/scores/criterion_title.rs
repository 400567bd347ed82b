//! What tables and figures call a criterion.

use gmm_scoring::Criterion;

use crate::study::spec::ScoringSpec;

/// The heading of a criterion's column; that of K-fold says how many folds there are.
#[must_use]
pub fn title(criterion: Criterion, scoring: &ScoringSpec) -> String {
    match criterion {
        Criterion::Kfold if scoring.repeats > 1 => format!("{} × {}-fold", scoring.repeats, scoring.folds),
        Criterion::Kfold => format!("{}-fold", scoring.folds),
        other => other.title().to_owned(),
    }
}
