//! Leave-one-group-out cross-validation: each group of observations scored by a fit that has seen none of it.

use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Fits, Scale, Source};
use crate::held_out::held_out_score;
use crate::score::Score;
use crate::terms::Terms;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "logo",
    title: "Group-out",
    scale: Scale::Prediction,
    source: Source::Draws(Fits::Groups),
    terms: Some(Terms::Groups),
    reference: "Roberts, D. R. et al. (2017). Cross-validation strategies for data with temporal, spatial, hierarchical, or \
                phylogenetic structure. Ecography 40, 913–929.",
    rationale: "is the smallest K whose score on held-out groups is indistinguishable from the best",
    // First: who names groups says that their rows are not independent, and only holding out whole groups allows for that.
    rank: Some(10),
    by_default: false,
};

/// The sum of the log predictive densities of G groups of observations, in nats, each held out whole by one fit; a group's term is
/// the sum over its observations. Higher is better. The standard error is over groups: observations within one are not independent.
#[must_use]
pub fn logo(groups: Vec<f64>) -> Score {
    held_out_score(Criterion::Logo, groups, Terms::Groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_groups_is_over_groups() {
        let score = logo(vec![-10.0, -12.0, -14.0]);
        assert_eq!((score.estimate, score.se), (-36.0, 12.0_f64.sqrt()));
    }
}
