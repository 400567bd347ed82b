//! Whole runs in original and in transformed coordinates, whose posteriors must agree after transforming back.

use gmm_sampler::diagnostics::{mcse_mean, mcse_sd, mean, sd};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};

use super::transformation::Transformation;
use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::Part;
use crate::comparison::{Difference, compare, convergence};
use crate::problem::{CHAINS, Problem, join_chains};
use crate::stream::{Purpose, stream};

const FEATURES: usize = 3;
const CENTRES: [f64; 6] = [-1.2, 0.0, 0.5, 1.2, 0.4, -0.5];

/// More observations than the kernel handles at once, with a remainder.
const OBSERVATIONS: usize = 90;

/// One transformation.
pub(crate) struct PosteriorInvariance {
    transformation: Transformation,
    name: String,
    problem: Problem,
    transformed: Problem,
    draws: usize,
}

impl PosteriorInvariance {
    pub(crate) fn all(draws: usize) -> Vec<Self> {
        let truth = Mixture::from_covariances(
            FEATURES,
            &[0.4, 0.6],
            &CENTRES,
            &[0.5, 0.2, 0.8, -0.1, 0.0, 0.4, 0.3, -0.1, 0.5, 0.2, 0.1, 0.9],
        )
        .expect("both covariances are positive definite");
        let (data, _) = truth.simulate(OBSERVATIONS, &mut stream("runs", Purpose::Data, 0));
        let prior = Prior {
            concentration: 1.0,
            centres: CENTRES.to_vec(),
            mean_sd: 0.3,
            scales: ScalePrior::HalfCauchy { scale: 1.0 },
            lkj_shape: 2.0,
        };
        let run = |transformation: Transformation| {
            let problem = Problem::new(data.clone(), prior.clone(), 2);
            let transformed = transformation.problem(&problem);
            let name = format!("runs, {}", transformation.name());
            Self { transformation, name, problem, transformed, draws }
        };
        Transformation::ALL.map(run).into()
    }
}

impl Case for PosteriorInvariance {
    fn part(&self) -> Part {
        Part::Invariances
    }

    fn name(&self) -> &str {
        &self.name
    }

    /// Chains in the original coordinates, then as many in the transformed ones.
    fn n_tasks(&self) -> usize {
        2 * CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        if task < CHAINS {
            self.problem.run_case_chain(&self.name, task, self.draws, |mixture, _| mixture.values())
        } else {
            let measure = |mixture: &Mixture, _| self.transformation.invert(mixture).values();
            self.transformed.run_case_chain(&self.name, task, self.draws, measure)
        }
    }

    fn conclude(&self, mut results: Vec<Columns>) -> CaseReport {
        let transformed = join_chains(results.split_off(CHAINS));
        let original = join_chains(results);
        let names = Mixture::variables(2, FEATURES);
        let part = Part::Invariances;
        let mut report = CaseReport::default();
        report.checks.push(convergence(part, &self.name, CHAINS, &original));
        report.checks.push(convergence(part, &self.name, CHAINS, &transformed));
        report.checks[1].quantity = "convergence, transformed".to_owned();
        let pairs = || names.iter().zip(original.iter().zip(&transformed));
        let means: Vec<Difference> = pairs()
            .map(|(name, (ours, theirs))| {
                let estimate = |column: &[f64]| (mean(column), mcse_mean(column, CHAINS));
                Difference::from_estimates(name, estimate(ours), estimate(theirs), ours.clone())
            })
            .collect();
        let spreads: Vec<Difference> = pairs()
            .map(|(name, (ours, theirs))| {
                let estimate = |column: &[f64]| (sd(column), mcse_sd(column, CHAINS));
                let centre = mean(ours);
                let squares = ours.iter().map(|value| (value - centre) * (value - centre)).collect();
                Difference::from_estimates(name, estimate(ours), estimate(theirs), squares)
            })
            .collect();
        report.extend(compare(part, &self.name, "means", CHAINS, &means));
        report.extend(compare(part, &self.name, "spreads", CHAINS, &spreads));
        report
    }
}
