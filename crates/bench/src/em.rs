//! Iterations of EM, from the truth of simulated data on.

use std::hint::black_box;

use gmm_sampler::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
use gmm_sampler::start::em::run::{EmRun, EmState};

use crate::case::Case;
use crate::rounds::Work;

/// Iterations of a piece of work. No run converges before its third: from there on the last has an E-step and no M-step.
const ITERATIONS: usize = 2;

/// A few iterations from the case's mixture; its unit is an iteration.
#[must_use]
pub fn work(case: &Case) -> Work<'static> {
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
    fn every_piece_of_work_is_as_many_iterations() {
        for spacing in [Spacing::Overlapping, Spacing::Separated] {
            let mut work = work(&Case::on_grid(1000, 2, 4, spacing));
            assert_eq!([work(), work()], [ITERATIONS as u64; 2]);
        }
    }
}
