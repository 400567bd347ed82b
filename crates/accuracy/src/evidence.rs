//! Log evidence: by bridge sampling from chains, by sequential Monte Carlo from the prior, and as it is known to be.
//!
//! The two have nothing in common but the likelihood: one goes by the posterior's density, constants included, the other by
//! draws of the prior. A constant that is wrong, or a draw that does not fit its density, sets them apart.

mod galaxies;
mod truth;

use gmm_sampler::anneal::{AnnealSettings, anneal};
use gmm_scoring::{Canonical, log_evidence};
use libm::{exp, log};

use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::{Check, Evidence, Part};
use crate::problem::{CHAINS, Problem};
use crate::special::{normal_cdf, student_t_cdf};
use crate::stream::{Purpose, stream};

pub(crate) use galaxies::{Galaxies, galaxies};
pub(crate) use truth::{of_labellings, of_one_component, of_other_programs};

/// Runs of sequential Monte Carlo, whose spread is their error. Odd, as [`student_t_cdf`] wants it.
const RUNS: usize = 17;

/// What the log evidence should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Truth {
    Exact(f64),
    /// What another program found, and its Monte Carlo error.
    Estimate(f64, f64),
    /// Only that both estimates agree.
    Unknown,
}

/// One model whose evidence is estimated twice.
pub(crate) struct TwoWays {
    pub(crate) name: String,
    pub(crate) problem: Problem,
    pub(crate) truth: Truth,
    /// Of each chain.
    pub(crate) draws: usize,
    /// Of each run; 0 for no runs, where they would take too long.
    pub(crate) particles: usize,
}

/// An estimate of log evidence with its error.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    value: f64,
    error: f64,
}

impl TwoWays {
    fn chain(&self, chain: usize) -> Result<Columns, Failure> {
        positions_of_chain(&self.problem, &self.name, chain, self.draws)
    }

    fn annealed(&self, run: usize) -> Result<Columns, Failure> {
        let Problem { likelihood, prior, layout, .. } = &self.problem;
        let settings = AnnealSettings { particles: self.particles, ..AnnealSettings::default() };
        let mut rng = stream(&self.name, Purpose::Anneal, run);
        let annealed = anneal(likelihood, prior, layout.n_components, settings, &mut rng)?;
        Ok(vec![vec![annealed.log_evidence]])
    }

    fn check(&self, quantity: &str, evidence: Evidence) -> Check {
        Check { part: Part::LogEvidence, case: self.name.clone(), quantity: quantity.to_owned(), evidence }
    }
}

/// Positions of one chain of a case, a column a coordinate.
fn positions_of_chain(problem: &Problem, case: &str, chain: usize, draws: usize) -> Result<Columns, Failure> {
    problem.chain_of(case, chain, draws, |mixture, _| problem.layout.unconstrain(mixture))
}

/// Bridge sampling from chains, columns of coordinates each.
fn bridged(problem: &Problem, case: &str, chains: &[Columns]) -> Result<Estimate, Failure> {
    let rows = |columns: &Columns| -> Vec<Vec<f64>> {
        (0..columns[0].len()).map(|s| columns.iter().map(|column| column[s]).collect()).collect()
    };
    let positions: Vec<Vec<f64>> = chains.iter().flat_map(rows).collect();
    let mut rng = stream(case, Purpose::Proposal, 0);
    let mut posterior = problem.posterior()?;
    let found = if problem.prior.is_exchangeable(problem.layout.n_components) {
        let reference = problem.layout.constrain(&positions[0]);
        let mut canonical = Canonical::new(posterior, reference);
        let positions: Vec<Vec<f64>> = positions.iter().map(|position| canonical.bring(position)).collect();
        log_evidence(&mut canonical, &positions, chains.len(), &mut rng)
    } else {
        log_evidence(&mut posterior, &positions, chains.len(), &mut rng)
    };
    let found = found.map_err(|error| Failure::Broken(error.to_string()))?;
    Ok(Estimate { value: found.log_evidence, error: found.mcse })
}

/// Log of the mean of evidences, and the error that their spread gives it.
fn mean_evidence(logs: &[f64]) -> Estimate {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let relative: Vec<f64> = logs.iter().map(|value| exp(value - largest)).collect();
    let n = relative.len() as f64;
    let mean = relative.iter().sum::<f64>() / n;
    let variance = relative.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Estimate { value: largest + log(mean), error: (variance / n).sqrt() / mean }
}

/// The difference of two estimates in units of its error.
fn z_score(ours: Estimate, theirs: Estimate) -> f64 {
    (ours.value - theirs.value) / ours.error.hypot(theirs.error)
}

impl Case for TwoWays {
    fn part(&self) -> Part {
        Part::LogEvidence
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn n_tasks(&self) -> usize {
        CHAINS + if self.particles > 0 { RUNS } else { 0 }
    }

    fn run(&self, task: usize) -> Result<Columns, Failure> {
        if task < CHAINS { self.chain(task) } else { self.annealed(task - CHAINS) }
    }

    fn conclude(&self, results: Vec<Columns>) -> Outcome {
        let (chains, runs) = results.split_at(CHAINS);
        let bridged = match bridged(&self.problem, &self.name, chains) {
            Ok(estimate) => estimate,
            Err(failure) => return Outcome::broken(Part::LogEvidence, &self.name, failure.to_string()),
        };
        let annealed = (!runs.is_empty())
            .then(|| mean_evidence(&runs.iter().map(|columns| columns[0][0]).collect::<Vec<_>>()));
        let truth = match self.truth {
            Truth::Exact(value) => Some(Estimate { value, error: 0.0 }),
            Truth::Estimate(value, error) => Some(Estimate { value, error }),
            Truth::Unknown => None,
        };
        let mut checks = Vec::new();
        let mut test = |quantity: &str, z: f64, tail: fn(f64) -> f64| {
            let p_value = 2.0 * tail(-z.abs());
            checks.push(self.check(quantity, Evidence::Test { statistic: "z", value: z, p_value }));
        };
        // The error of a few runs is itself rough: Student's t.
        let of_runs = |x: f64| student_t_cdf(x, RUNS - 1);
        if let Some(truth) = truth {
            test("bridge sampling", z_score(bridged, truth), normal_cdf);
        }
        match (annealed, truth) {
            (Some(annealed), Some(truth)) => {
                test("sequential Monte Carlo", z_score(annealed, truth), of_runs)
            }
            (Some(annealed), None) => test("one against the other", z_score(bridged, annealed), of_runs),
            (None, _) => {}
        }
        Outcome { checks, ..Outcome::default() }
    }
}
