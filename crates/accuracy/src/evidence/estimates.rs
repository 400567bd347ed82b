//! A model whose log evidence is estimated by two methods and compared with its known value.

use gmm_sampler::anneal::{AnnealSettings, anneal};
use gmm_scoring::{Canonical, log_evidence};
use libm::{exp, log};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::{Check, CheckResult, Part};
use crate::normal;
use crate::problem::{CHAINS, Problem};
use crate::stream::{Purpose, stream};

/// Runs of sequential Monte Carlo; their standard deviation gives the error.
const RUNS: usize = 17;

/// The known log evidence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Truth {
    Exact(f64),
    /// The estimate of another program and its Monte Carlo error.
    Estimate(f64, f64),
    /// Unknown: only the two estimates are compared.
    Unknown,
}

/// One model whose log evidence is estimated by both methods.
pub(crate) struct EvidenceCase {
    pub(crate) name: String,
    pub(crate) problem: Problem,
    pub(crate) truth: Truth,
    /// Draws of each chain.
    pub(crate) draws: usize,
    /// Particles of each run; 0 leaves the runs out, where they would take too long.
    pub(crate) particles: usize,
}

/// An estimate of log evidence with its error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    pub(super) value: f64,
    error: f64,
}

impl EvidenceCase {
    fn chain(&self, chain: usize) -> Result<Columns, CaseError> {
        chain_positions(&self.problem, &self.name, chain, self.draws)
    }

    fn smc_run(&self, run: usize) -> Result<Columns, CaseError> {
        let Problem { likelihood, prior, layout, .. } = &self.problem;
        let settings = AnnealSettings { particles: self.particles, ..AnnealSettings::default() };
        let mut rng = stream(&self.name, Purpose::Anneal, run);
        let annealed = anneal(likelihood, prior, layout.n_components, settings, &mut rng)?;
        Ok(vec![vec![annealed.log_evidence]])
    }

    fn check(&self, quantity: &str, result: CheckResult) -> Check {
        Check { part: Part::LogEvidence, case: self.name.clone(), quantity: quantity.to_owned(), result }
    }
}

/// The unconstrained positions of one chain of a case, one column per coordinate.
pub(super) fn chain_positions(
    problem: &Problem,
    case: &str,
    chain: usize,
    draws: usize,
) -> Result<Columns, CaseError> {
    problem.run_case_chain(case, chain, draws, |mixture, _| problem.layout.unconstrain(mixture))
}

/// Bridge sampling from the positions of several chains.
pub(super) fn bridge_sampling(
    problem: &Problem,
    case: &str,
    chains: &[Columns],
) -> Result<Estimate, CaseError> {
    let rows = |columns: &Columns| -> Vec<Vec<f64>> {
        (0..columns[0].len()).map(|s| columns.iter().map(|column| column[s]).collect()).collect()
    };
    let positions: Vec<Vec<f64>> = chains.iter().flat_map(rows).collect();
    let mut rng = stream(case, Purpose::Proposal, 0);
    let mut posterior = problem.posterior()?;
    let estimate = if problem.prior.is_exchangeable(problem.layout.n_components) {
        let reference = problem.layout.constrain(&positions[0]);
        let mut canonical = Canonical::new(posterior, reference);
        let positions: Vec<Vec<f64>> = positions.iter().map(|position| canonical.bring(position)).collect();
        log_evidence(&mut canonical, &positions, chains.len(), &mut rng)
    } else {
        log_evidence(&mut posterior, &positions, chains.len(), &mut rng)
    }?;
    Ok(Estimate { value: estimate.log_evidence, error: estimate.mcse })
}

/// Log of the mean of several estimates of the evidence, given their logs, and its standard error.
fn mean_evidence(logs: &[f64]) -> Estimate {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let relative: Vec<f64> = logs.iter().map(|value| exp(value - largest)).collect();
    let n = relative.len() as f64;
    let mean = relative.iter().sum::<f64>() / n;
    let variance = relative.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Estimate { value: largest + log(mean), error: (variance / n).sqrt() / mean }
}

/// The difference of two estimates divided by its standard error.
fn z_score(ours: Estimate, theirs: Estimate) -> f64 {
    (ours.value - theirs.value) / ours.error.hypot(theirs.error)
}

impl Case for EvidenceCase {
    fn part(&self) -> Part {
        Part::LogEvidence
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn n_tasks(&self) -> usize {
        CHAINS + if self.particles > 0 { RUNS } else { 0 }
    }

    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        if task < CHAINS { self.chain(task) } else { self.smc_run(task - CHAINS) }
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        let (chains, runs) = results.split_at(CHAINS);
        let bridge = match bridge_sampling(&self.problem, &self.name, chains) {
            Ok(estimate) => estimate,
            Err(error) => return CaseReport::from_error(Part::LogEvidence, &self.name, &error),
        };
        let smc = (!runs.is_empty())
            .then(|| mean_evidence(&runs.iter().map(|columns| columns[0][0]).collect::<Vec<_>>()));
        let truth = match self.truth {
            Truth::Exact(value) => Some(Estimate { value, error: 0.0 }),
            Truth::Estimate(value, error) => Some(Estimate { value, error }),
            Truth::Unknown => None,
        };
        let mut checks = Vec::new();
        let mut test = |quantity: &str, z: f64, tail: fn(f64) -> f64| {
            let p_value = 2.0 * tail(-z.abs());
            checks.push(self.check(quantity, CheckResult::Test { statistic: "z", value: z, p_value }));
        };
        // The standard error of a few runs is itself uncertain, hence Student's t.
        let student = |x: f64| {
            let t = StudentsT::new(0.0, 1.0, (RUNS - 1) as f64).expect("the degrees of freedom are positive");
            t.cdf(x)
        };
        if let Some(truth) = truth {
            test("bridge sampling", z_score(bridge, truth), normal::cdf);
        }
        match (smc, truth) {
            (Some(smc), Some(truth)) => test("sequential Monte Carlo", z_score(smc, truth), student),
            (Some(smc), None) => test("bridge sampling against SMC", z_score(bridge, smc), student),
            (None, _) => {}
        }
        CaseReport { checks, ..CaseReport::default() }
    }
}
