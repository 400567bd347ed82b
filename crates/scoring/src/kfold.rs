//! K-fold cross-validation: each observation scored by a fit that never saw it.

use crate::log_sum_exp::log_mean_exp;
use crate::{Criterion, Score};

/// Log predictive density of one held-out observation, in nats, from its log density under each draw of the fit without it.
///
/// Draws of several seeds or chains may be joined: the mean of densities is over all of them.
#[must_use]
pub fn held_out(log_densities: &[f64]) -> f64 {
    log_mean_exp(log_densities)
}

/// The sum of N held-out log predictive densities, one an observation in the order of the data. Higher is better.
///
/// Nothing is approximated but the posterior, so that there is no diagnostic beyond a density that is not finite. The estimate is a
/// little pessimistic, since each fit saw fewer observations than there are.
#[must_use]
pub fn kfold(pointwise: Vec<f64>) -> Score {
    let n_bad = pointwise.iter().filter(|elpd| !elpd.is_finite()).count();
    Score::from_pointwise(Criterion::Kfold, pointwise, f64::NAN, n_bad, |n| {
        format!("{n_bad} of {n} held-out observations have no finite log predictive density")
    })
}
