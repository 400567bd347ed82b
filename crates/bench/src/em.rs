//! Iterations of EM, starting at the true mixture of simulated data.

use std::hint::black_box;

use gmm_sampler::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
use gmm_sampler::start::em::run::{EmRun, EmState};

use crate::case::Case;
use crate::timing::Workload;

/// Iterations of one call. A run does not converge before the third iteration; the iteration that converges has no M-step.
const ITERATIONS: usize = 2;

/// A few iterations from the case's mixture; its unit is an iteration.
#[must_use]
pub fn workload(case: &Case) -> Workload<'static> {
    let likelihood = Likelihood::new(&case.data);
    let (k, d) = (case.shape.k, case.shape.d);
    let mixture = &case.mixture;
    let start = EmState {
        log_weights: (0..k).map(|component| mixture.weight(component).ln()).collect(),
        means: (0..k).flat_map(|component| mixture.mean(component).to_vec()).collect(),
        factors: (0..k).flat_map(|component| mixture.scale_factor(component)).collect(),
    };
    let (mut workspace, mut moments) = (Workspace::new(k, d), Moments::new(k, d));
    Box::new(move || {
        let mut run = EmRun {
            likelihood: &likelihood,
            state: black_box(&start).clone(),
            components: WhitenedComponents::new(k, d),
            workspace: &mut workspace,
            moments: &mut moments,
        };
        let progress = run.iterate(ITERATIONS);
        black_box(progress.log_likelihood);
        progress.iterations as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Spacing;

    #[test]
    fn every_call_does_the_same_number_of_iterations() {
        for spacing in [Spacing::Overlapping, Spacing::Separated] {
            let mut workload = workload(&Case::from_grid(1000, 2, 4, spacing));
            assert_eq!([workload(), workload()], [ITERATIONS as u64; 2]);
        }
    }
}
