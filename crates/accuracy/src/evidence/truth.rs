//! Models with a known log evidence.

use gmm_sampler::mixture::prior::ScalePrior;

use super::estimates::{EvidenceCase, Truth};
use crate::closed_forms::one_component_problem;
use crate::enumeration::SmallSample;
use crate::posteriors::ReferenceTables;

/// One component in one dimension; the truth by quadrature.
pub(crate) fn one_component_case(
    name: &str,
    scales: ScalePrior,
    draws: usize,
    particles: usize,
) -> EvidenceCase {
    let (problem, exact) = one_component_problem(scales);
    EvidenceCase {
        name: format!("log evidence, K = 1, D = 1, {name}"),
        problem,
        truth: Truth::Exact(exact.log_evidence),
        draws,
        particles,
    }
}

/// A few observations; the truth by enumeration of all labels.
pub(crate) fn enumeration_case(sample: &SmallSample, draws: usize, particles: usize) -> EvidenceCase {
    EvidenceCase {
        name: format!("log evidence, {}", sample.name),
        problem: sample.problem(),
        truth: Truth::Exact(sample.log_evidence()),
        draws,
        particles,
    }
}

/// A reference posterior; the truth by another program's bridge sampling, with its error.
pub(crate) fn reference_case(
    reference: ReferenceTables,
    (log_evidence, error): (f64, f64),
    draws: usize,
    particles: usize,
) -> EvidenceCase {
    EvidenceCase {
        name: format!("log evidence, {}", reference.name),
        problem: reference.problem(),
        truth: Truth::Estimate(log_evidence, error),
        draws,
        particles,
    }
}
