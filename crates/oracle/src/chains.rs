//! Chains of one program on one posterior, diagnosed.

use gmm_sampler::diagnostics::{Summary, mcse_sd};
use gmm_sampler::mixture::transform::Layout;

use crate::case::Case;
use crate::program::{ChainRun, Cost, Program, fork, stream};

/// Number and length of chains, and the seed of their random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Number of chains.
    pub chains: usize,
    /// Warm-up iterations of each chain.
    pub warmup: usize,
    /// Draws of each chain after the warm-up.
    pub draws: usize,
    /// Seed; each chain has a stream of its own.
    pub seed: u64,
}

/// Estimates and costs of the chains of one program.
#[derive(Debug, Clone)]
pub struct ProgramSummary {
    /// One estimate per variable of the case.
    pub estimates: Vec<Estimate>,
    /// Number of divergent draws.
    pub divergences: usize,
    /// Mean over chains and draws.
    pub step_size: f64,
    /// Gradients that the first metric cost: two per dimension for ours, from the mode around which all chains start; none for
    /// nuts-rs. The search for the mode is not counted, since both programs start from it.
    pub metric_gradients: u64,
    /// Cost of the warm-up of all chains.
    pub warmup: Cost,
    /// Cost of the draws of all chains.
    pub draws: Cost,
}

/// The estimates of one variable.
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    /// Moments, quantiles and diagnostics.
    pub summary: Summary,
    /// Monte Carlo standard error of `summary.sd`.
    pub mcse_sd: f64,
}

impl ProgramSummary {
    /// The smallest bulk effective sample size of any variable.
    #[must_use]
    pub fn min_ess(&self) -> f64 {
        self.estimates.iter().map(|estimate| estimate.summary.ess_bulk).fold(f64::INFINITY, f64::min)
    }

    /// The largest R-hat of any variable.
    #[must_use]
    pub fn max_rhat(&self) -> f64 {
        self.estimates.iter().map(|estimate| estimate.summary.rhat).fold(0.0, f64::max)
    }

    /// Smallest bulk effective sample size per gradient, without the warm-up.
    #[must_use]
    pub fn ess_per_gradient(&self) -> f64 {
        self.min_ess() / self.draws.gradients as f64
    }

    /// As [`Self::ess_per_gradient`], with the gradients of the warm-up and of our first metric.
    #[must_use]
    pub fn ess_per_gradient_with_warmup(&self) -> f64 {
        self.min_ess() / (self.draws.gradients + self.warmup.gradients + self.metric_gradients) as f64
    }
}

/// Runs the chains one after the other: chain i of every program starts at the same point for the same seed.
#[must_use]
pub fn run_chains(case: &Case, program: &Program, plan: Plan) -> ProgramSummary {
    let runs: Vec<ChainRun> = (0..plan.chains)
        .map(|chain| {
            let mut rng = stream(plan.seed, chain as u64);
            let mut posterior = case.posterior();
            let position = case.start.disperse(&mut posterior, &mut rng);
            program.run(posterior, &position, plan.warmup, plan.draws, fork(&mut rng))
        })
        .collect();
    let layout = case.posterior().layout();
    let metric_gradients = if let Program::Ours(_) = program { 2 * layout.dimension() as u64 } else { 0 };
    summary(layout, metric_gradients, &runs)
}

fn summary(layout: Layout, metric_gradients: u64, runs: &[ChainRun]) -> ProgramSummary {
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
    let sum = |part: fn(&ChainRun) -> Cost| {
        let mut total = Cost::default();
        runs.iter().for_each(|run| total += part(run));
        total
    };
    ProgramSummary {
        estimates,
        divergences: runs.iter().map(|run| run.divergences).sum(),
        step_size: runs.iter().map(|run| run.step_size).sum::<f64>() / runs.len() as f64,
        metric_gradients,
        warmup: sum(|run| run.warmup),
        draws: sum(|run| run.draws),
    }
}
