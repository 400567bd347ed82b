//! Chains of one program on one posterior, diagnosed.

use gmm_sampler::diagnostics::{Summary, mcse_sd};
use gmm_sampler::mixture::transform::Layout;

use crate::case::Case;
use crate::program::{Cost, Program, Run, fork, stream};

/// How long chains are, how many there are, and their random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub chains: usize,
    pub warmup: usize,
    pub draws: usize,
    pub seed: u64,
}

/// What the chains of one program came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Of each of the case's variables.
    pub estimates: Vec<Estimate>,
    pub divergences: usize,
    /// Mean over chains and draws.
    pub step_size: f64,
    /// Gradients that the metric cost before any chain began: two a dimension for ours, from the mode that all starts lie
    /// around, and none for nuts-rs. The climb to the mode is not counted: the starts of both come from it.
    pub before: u64,
    /// Of all chains together.
    pub warmup: Cost,
    pub draws: Cost,
}

/// One variable, as the chains saw it.
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    pub summary: Summary,
    /// Monte Carlo standard error of `summary.sd`.
    pub mcse_sd: f64,
}

impl Outcome {
    /// The smallest bulk effective sample size of any variable.
    #[must_use]
    pub fn least_ess(&self) -> f64 {
        self.estimates.iter().map(|estimate| estimate.summary.ess_bulk).fold(f64::INFINITY, f64::min)
    }

    /// The largest R-hat of any variable.
    #[must_use]
    pub fn worst_rhat(&self) -> f64 {
        self.estimates.iter().map(|estimate| estimate.summary.rhat).fold(0.0, f64::max)
    }

    /// Least bulk effective sample size per gradient, warm-up left out.
    #[must_use]
    pub fn ess_per_gradient(&self) -> f64 {
        self.least_ess() / self.draws.gradients as f64
    }

    /// The same, with the gradients of the warm-up and, for ours, of the curvature that the metric begins with counted as well.
    #[must_use]
    pub fn ess_per_gradient_in_all(&self) -> f64 {
        self.least_ess() / (self.draws.gradients + self.warmup.gradients + self.before) as f64
    }
}

/// Runs the chains one after the other: chain i of every program starts at the same point for the same seed.
#[must_use]
pub fn contest(case: &Case, program: &Program, plan: Plan) -> Outcome {
    let runs: Vec<Run> = (0..plan.chains)
        .map(|chain| {
            let mut rng = stream(plan.seed, chain as u64);
            let mut posterior = case.posterior();
            let position = case.start.disperse(&mut posterior, &mut rng);
            program.run(posterior, &position, plan.warmup, plan.draws, fork(&mut rng))
        })
        .collect();
    let layout = case.posterior().layout();
    let before = if let Program::Ours(_) = program { 2 * layout.dimension() as u64 } else { 0 };
    outcome(layout, before, &runs)
}

fn outcome(layout: Layout, before: u64, runs: &[Run]) -> Outcome {
    let draws: Vec<Vec<f64>> = runs
        .iter()
        .flat_map(|run| run.positions.chunks_exact(layout.dimension()))
        .map(|position| layout.constrain(position).values())
        .collect();
    let estimates = (0..draws[0].len())
        .map(|variable| {
            let column: Vec<f64> = draws.iter().map(|draw| draw[variable]).collect();
            Estimate {
                summary: Summary::from_column(&column, runs.len()),
                mcse_sd: mcse_sd(&column, runs.len()),
            }
        })
        .collect();
    let sum = |part: fn(&Run) -> Cost| {
        let mut total = Cost::default();
        runs.iter().for_each(|run| total += part(run));
        total
    };
    Outcome {
        estimates,
        divergences: runs.iter().map(|run| run.divergences).sum(),
        step_size: runs.iter().map(|run| run.step_size).sum::<f64>() / runs.len() as f64,
        before,
        warmup: sum(|run| run.warmup),
        draws: sum(|run| run.draws),
    }
}
