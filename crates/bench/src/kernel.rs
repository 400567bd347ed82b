//! The kernel: one pass of the likelihood over the data, which gives log-likelihood and moments at one mixture.

use std::hint::black_box;

use gmm_sampler::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};

use crate::case::Case;
use crate::timing::Workload;

/// One pass at the case's mixture; its unit is a pass.
#[must_use]
pub fn workload(case: &Case) -> Workload<'static> {
    pass(Likelihood::new(&case.data), WhitenedComponents::from_mixture(&case.mixture))
}

fn pass(likelihood: Likelihood, components: WhitenedComponents) -> Workload<'static> {
    let (k, d) = (components.n_components(), likelihood.n_features());
    let (mut workspace, mut moments) = (Workspace::new(k, d), Moments::new(k, d));
    Box::new(move || {
        let components = black_box(&components);
        black_box(likelihood.log_likelihood_and_moments(components, &mut workspace, &mut moments));
        1
    })
}
