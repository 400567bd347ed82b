//! Warnings in words: what was seen, what it means for the answer, what to do.

use super::list::{counted, list};
use crate::engine::experiment::Experiment;
use crate::scores::warnings::{self, TiedColumn, Warning};

/// The warnings that the spec and the data give before anything runs.
#[must_use]
pub fn beforehand(experiment: &Experiment) -> Vec<String> {
    warnings::beforehand(experiment).iter().map(warning).collect()
}

/// One warning, without a full stop at its end.
#[must_use]
pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::DroppedRows { dropped, remaining } => {
            let rows = counted(*dropped, "row");
            let (were, have) = if *dropped == 1 { ("was", "has") } else { ("were", "have") };
            format!(
                "{rows} with missing cells {were} dropped; {remaining} remain. The answer describes these alone; check why the others {have} gaps"
            )
        }
        Warning::FewObservations { n_observations, n_features } => format!(
            "{n_observations} observations of {n_features} features: the likelihood has no maximum, and the prior determines the covariances. \
             Criteria of the maximised likelihood fail; use fewer features or more observations"
        ),
        Warning::TiedValues { columns } => {
            let column = |TiedColumn { name, times, value }: &TiedColumn| format!("{name} ({times} times {value})");
            format!(
                "equal values in {}: the exact posterior is improper under this scale prior. A component on equal values has unbounded \
                 likelihood. Scores describe the regular modes, and chains that leave them are reported. To avoid this, use the scale \
                 prior inverse_gamma or log_normal",
                list(columns.iter().map(column), "and")
            )
        }
        Warning::OptimisticPredictions => {
            "the prior means are k-means centroids of all rows, so the prior depends on the row that WAIC and PSIS-LOO leave out. Both are \
             optimistic. Use K-fold, which computes centroids from the training rows of each fold"
                .to_owned()
        }
        Warning::UnscaledData { column, sd, mean_sd } => format!(
            "{column} has a standard deviation of {sd:.0} and is not standardised. The prior's scales (means within {mean_sd:.2} of their \
             centres, σ of order 1) are in the data's own units. Set `data.scale`, or a prior in these units"
        ),
        Warning::ManyGroups { n_groups } => format!(
            "{n_groups} groups: each needs a separate fit for every K and seed. The answer is unaffected, but the run takes long. \
             Larger groups or K-fold cost less"
        ),
        Warning::ShortChains { chains, draws } => format!(
            "{} of {}: too few for R-hat. Scores are unreliable; 4 chains of 1000 draws are usual",
            counted(*chains, "chain"),
            counted(*draws, "draw")
        ),
    }
}
