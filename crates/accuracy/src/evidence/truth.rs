//! Models whose evidence is known from elsewhere.

use gmm_sampler::mixture::prior::ScalePrior;

use super::{Truth, TwoWays};
use crate::closed_forms::one_component_problem;
use crate::enumeration::Tiny;
use crate::posteriors::Reference;

/// One component in one dimension, by quadrature.
pub(crate) fn of_one_component(name: &str, scales: ScalePrior, draws: usize, particles: usize) -> TwoWays {
    let (problem, exact) = one_component_problem(scales);
    TwoWays {
        name: format!("log evidence, K = 1, D = 1, {name}"),
        problem,
        truth: Truth::Exact(exact.log_evidence),
        draws,
        particles,
    }
}

/// A few observations, by the sum over all labels.
pub(crate) fn of_labellings(tiny: &Tiny, draws: usize, particles: usize) -> TwoWays {
    TwoWays {
        name: format!("log evidence, {}", tiny.name),
        problem: tiny.problem(),
        truth: Truth::Exact(tiny.log_evidence()),
        draws,
        particles,
    }
}

/// A reference posterior, against bridge sampling by another program.
pub(crate) fn of_other_programs(
    reference: Reference,
    (log_evidence, error): (f64, f64),
    draws: usize,
    particles: usize,
) -> TwoWays {
    TwoWays {
        name: format!("log evidence, {}", reference.name),
        problem: reference.problem(),
        truth: Truth::Estimate(log_evidence, error),
        draws,
        particles,
    }
}
