//! K-fold cross-validation: each observation scored by a fit that has not seen it.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Fits, Scale, Source};
use crate::held_out::held_out_score;
use crate::score::Score;
use crate::terms::Terms;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "kfold",
    title: "K-fold",
    scale: Scale::Prediction,
    source: Source::Draws(Fits::Folds),
    terms: Some(Terms::Observations),
    reference: "Geisser, S. (1975). The predictive sample reuse method with applications. Journal of the American Statistical \
                Association 70, 320–328.",
    rationale: "is the smallest K whose held-out score is indistinguishable from the best",
    // Before PSIS-LOO and WAIC: its fits have not seen the rows they are scored on, not even through a prior that is centred on
    // k-means centroids.
    rank: Some(40),
    by_default: true,
};

/// The sum of N held-out log predictive densities, in nats, one for each observation in the order of the data; higher is better.
///
/// The estimate is a little pessimistic: each fit saw fewer observations than there are.
#[must_use]
pub fn kfold(pointwise: Vec<f64>) -> Score {
    held_out_score(Criterion::Kfold, pointwise, Terms::Observations)
}
