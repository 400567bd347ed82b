//! Warnings in words: what was seen, what it means for the answer, what to do.

use super::list::{counted, list};
use crate::scores::warnings::{TiedColumn, Warning};

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
                "equal values in {}: under this scale prior the exact posterior is improper, because the likelihood of a component on \
                 equal values has no bound. Scores are of the regular modes, and chains that leave them are named. The scale priors \
                 inverse_gamma and log_normal avoid it",
                list(columns.iter().map(column), "and")
            )
        }
        Warning::OptimisticPredictions => {
            "the means' prior is centred on k-means centroids of all rows. WAIC and PSIS-LOO are optimistic: the row that they leave out \
             has moved the prior. Use K-fold, whose folds have centroids of their own"
                .to_owned()
        }
        Warning::UnscaledData { column, sd, mean_sd } => format!(
            "{column} has a standard deviation of {sd:.0} and is not standardised. The prior's scales (means within {mean_sd:.2} of their \
             centres, σ of order 1) are in the data's own units. Set `data.scale`, or a prior in these units"
        ),
        Warning::ManyGroups { n_groups } => format!(
            "{n_groups} groups: each is held out by a fit of its own, for every K and seed. The answer does not suffer, the run takes long; \
             larger groups, or K-fold, cost less"
        ),
        Warning::ShortChains { chains, draws } => format!(
            "{} of {}: too few for R-hat. Scores are unreliable; 4 chains of 1000 draws are usual",
            counted(*chains, "chain"),
            counted(*draws, "draw")
        ),
    }
}
