//! Cross-validation without draws: each observation scored by the mode of the posterior given the other folds.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Scale, Source};
use crate::held_out::held_out_score;
use crate::score::Score;
use crate::terms::Terms;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cv",
    title: "Cross-validation",
    scale: Scale::Prediction,
    source: Source::Mode,
    terms: Some(Terms::Observations),
    reference: "Smyth, P. (2000). Model selection for probabilistic clustering using cross-validated likelihood. Statistics and \
                Computing 10, 63–72.",
    rationale: "is the smallest K whose held-out score is indistinguishable from the best",
    // Prediction is a question of its own, which spare components hardly harm.
    rank: None,
    by_default: false,
};

/// The sum of N held-out log densities, in nats, one for each observation in the order of the data; higher is better (Smyth 2000,
/// Statistics and Computing 10).
///
/// A mode's density takes no account of the parameters' uncertainty, so that the estimate is lower than that of
/// [`kfold`](crate::kfold) for as many rows, the more so the more parameters there are for each.
#[must_use]
pub fn cv(pointwise: Vec<f64>) -> Score {
    held_out_score(Criterion::Cv, pointwise, Terms::Observations)
}
