//! The galaxies under the priors of Richardson & Green (1997): a published posterior over K.
//!
//! Postman, Huchra & Geller's velocities of 82 galaxies have been the touchstone of mixtures since Roeder (1990). Components
//! are all alike there, chains switch labels and sit in more than one mode, and for K beyond 6 most posteriors are wide.

use gmm_sampler::data::{Data, Scaling};
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use libm::exp;

use super::{Truth, TwoWays, bridged, positions_of_chain};
use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::{Check, Evidence, Part};
use crate::problem::{CHAINS, Problem};

/// Standardised, which does not matter: the priors are in units of the range.
const DATA: &str = include_str!("../../../../tests/reference/log_density/galaxies_k4_data.csv");

/// p(K | y) for K = 3 … 10 under a uniform prior of K up to 30, from reversible jumps: Richardson & Green (1997), table 1.
const PUBLISHED: [f64; 8] = [0.061, 0.128, 0.182, 0.199, 0.160, 0.109, 0.071, 0.040];
const FEWEST: usize = 3;

/// Both are Monte Carlo estimates, of two data sets that differ in one misprinted velocity.
const BOUND: f64 = 0.02;

/// Chains of ten components, most of which are to spare, take a hundred steps an iteration.
const MOST_STEPS: usize = 1000;

/// w ~ Dirichlet(1), μ ~ N(midrange, R²), 1/σ² ~ Gamma(2, β), β ~ Gamma(0.2, 10/R²), R the range: sections 2.3 and 5.1.
fn problem(n_components: usize) -> Problem {
    let velocities = DATA.lines().skip(1).map(|line| line.parse().expect("the embedded data are numbers"));
    let data = Data::from_columns(&[velocities.collect()]).expect("the embedded data are finite");
    let scaling = Scaling::to_unit_range(&data).expect("the galaxies differ");
    let prior = Prior {
        concentration: 1.0,
        centres: vec![0.0; n_components],
        mean_sd: 1.0,
        scales: ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.2, hyper_rate: 10.0 },
        lkj_shape: 1.0,
    };
    Problem { most_steps: MOST_STEPS, ..Problem::new(scaling.apply(&data), prior, n_components) }
}

/// One K, by both ways.
pub(crate) fn galaxies(n_components: usize, draws: usize, particles: usize) -> TwoWays {
    TwoWays {
        name: format!("log evidence, galaxies, K = {n_components}"),
        problem: problem(n_components),
        truth: Truth::Unknown,
        draws,
        particles,
    }
}

/// The posterior over K by bridge sampling.
pub(crate) struct Galaxies {
    problems: Vec<Problem>,
    draws: usize,
}

impl Galaxies {
    pub(crate) fn new(draws: usize) -> Self {
        Self { problems: (0..PUBLISHED.len()).map(|index| problem(FEWEST + index)).collect(), draws }
    }

    fn stream_name(index: usize) -> String {
        format!("galaxies, K = {}", FEWEST + index)
    }
}

impl Case for Galaxies {
    fn part(&self) -> Part {
        Part::LogEvidence
    }

    fn name(&self) -> &str {
        "galaxies, K = 3 to 10"
    }

    fn n_tasks(&self) -> usize {
        CHAINS * self.problems.len()
    }

    fn run(&self, task: usize) -> Result<Columns, Failure> {
        let (index, chain) = (task / CHAINS, task % CHAINS);
        positions_of_chain(&self.problems[index], &Self::stream_name(index), chain, self.draws)
    }

    fn conclude(&self, results: Vec<Columns>) -> Outcome {
        let log_evidences: Result<Vec<f64>, Failure> = self
            .problems
            .iter()
            .zip(results.chunks_exact(CHAINS))
            .enumerate()
            .map(|(index, (problem, chains))| Ok(bridged(problem, &Self::stream_name(index), chains)?.value))
            .collect();
        let log_evidences = match log_evidences {
            Ok(log_evidences) => log_evidences,
            Err(failure) => return Outcome::broken(self.part(), self.name(), failure.to_string()),
        };
        let largest = log_evidences.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let relative: Vec<f64> = log_evidences.iter().map(|value| exp(value - largest)).collect();
        // Of the K that are compared, the share that they have in the publication.
        let unit = PUBLISHED.iter().sum::<f64>() / relative.iter().sum::<f64>();
        let differences = relative.iter().zip(PUBLISHED).map(|(ours, theirs)| (ours * unit - theirs).abs());
        // NaN stays, and fails.
        let value = differences.fold(0.0, |a: f64, b| if a > b { a } else { b });
        let evidence = Evidence::Bound { measure: "largest |p − published|", value, bound: BOUND };
        let check = Check {
            part: self.part(),
            case: self.name().to_owned(),
            quantity: "p(K | y)".to_owned(),
            evidence,
        };
        Outcome { checks: vec![check], ..Outcome::default() }
    }
}
