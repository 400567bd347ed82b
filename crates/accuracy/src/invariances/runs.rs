//! Whole runs on a problem and on the same problem in other coordinates, brought back: their posteriors agree.

use gmm_sampler::diagnostics::{mcse_mean, mcse_sd, mean, sd};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};

use super::change::Change;
use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::Part;
use crate::problem::{CHAINS, Problem, joined};
use crate::stream::{Purpose, stream};
use crate::z_scores::{Compared, compare, convergence};

const FEATURES: usize = 3;
const CENTRES: [f64; 6] = [-1.2, 0.0, 0.5, 1.2, 0.4, -0.5];

/// More than a tile of observations, and a rest.
const OBSERVATIONS: usize = 90;

/// One change.
pub(crate) struct Runs {
    change: Change,
    name: String,
    problem: Problem,
    changed: Problem,
    draws: usize,
}

impl Runs {
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
        let run = |change: Change| {
            let problem = Problem::new(data.clone(), prior.clone(), 2);
            let changed = change.problem(&problem);
            Self { change, name: format!("runs, {}", change.name()), problem, changed, draws }
        };
        Change::ALL.map(run).into()
    }
}

impl Case for Runs {
    fn part(&self) -> Part {
        Part::Invariances
    }

    fn name(&self) -> &str {
        &self.name
    }

    /// Chains on the problem as it is, then as many on the changed one.
    fn n_tasks(&self) -> usize {
        2 * CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, Failure> {
        if task < CHAINS {
            self.problem.chain_of(&self.name, task, self.draws, |mixture, _| mixture.values())
        } else {
            let back = |mixture: &Mixture, _| self.change.back(mixture).values();
            self.changed.chain_of(&self.name, task, self.draws, back)
        }
    }

    fn conclude(&self, mut results: Vec<Columns>) -> Outcome {
        let changed = joined(results.split_off(CHAINS));
        let original = joined(results);
        let names = Mixture::variables(2, FEATURES);
        let part = Part::Invariances;
        let mut outcome = Outcome::default();
        outcome.checks.push(convergence(part, &self.name, CHAINS, &original));
        outcome.checks.push(convergence(part, &self.name, CHAINS, &changed));
        outcome.checks[1].quantity = "chains agree, changed".to_owned();
        let pairs = || names.iter().zip(original.iter().zip(&changed));
        let means: Vec<Compared> = pairs()
            .map(|(name, (ours, theirs))| {
                let estimate = |column: &[f64]| (mean(column), mcse_mean(column, CHAINS));
                Compared::with_estimate(name, estimate(ours), estimate(theirs), ours.clone())
            })
            .collect();
        let spreads: Vec<Compared> = pairs()
            .map(|(name, (ours, theirs))| {
                let estimate = |column: &[f64]| (sd(column), mcse_sd(column, CHAINS));
                let centre = mean(ours);
                let squares = ours.iter().map(|value| (value - centre) * (value - centre)).collect();
                Compared::with_estimate(name, estimate(ours), estimate(theirs), squares)
            })
            .collect();
        outcome.extend(compare(part, &self.name, "means", CHAINS, &means));
        outcome.extend(compare(part, &self.name, "spreads", CHAINS, &spreads));
        outcome
    }
}
