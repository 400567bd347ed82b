//! The galaxies data under the priors of Richardson & Green (1997), against their published posterior of K.
//!
//! The velocities of 82 galaxies (Postman, Huchra & Geller 1986) are a standard test of mixtures since Roeder (1990). The prior is
//! exchangeable, chains switch labels and visit several modes, and for K > 6 the posterior is wide.

use gmm_sampler::data::{Data, Scaling};
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use libm::exp;

use super::estimates::{EvidenceCase, Truth, bridge_sampling, chain_positions};
use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::{Check, CheckResult, Part};
use crate::problem::{CHAINS, Problem};

/// Standardised. That changes nothing, because the priors are in units of the range.
const DATA: &str = include_str!("../../../../tests/reference/log_density/galaxies_k4_data.csv");

/// p(K | y) for K = 3 … 10 under a uniform prior of K up to 30, by reversible jump MCMC: Richardson & Green (1997), table 1.
const PUBLISHED: [f64; 8] = [0.061, 0.128, 0.182, 0.199, 0.160, 0.109, 0.071, 0.040];
const SMALLEST_K: usize = 3;

/// Largest difference allowed. Both are Monte Carlo estimates, and their data differ in one misprinted velocity.
const BOUND: f64 = 0.02;

/// Chains of ten components, most of them superfluous, take a hundred steps per iteration.
const MAX_MEAN_STEPS: usize = 1000;

/// The numbers below the header of an embedded file.
fn column(text: &str) -> Data {
    let numbers = text.lines().skip(1).map(|line| line.parse().expect("the embedded data are numbers"));
    Data::from_columns(&[numbers.collect()]).expect("the embedded data are finite")
}

/// w ~ Dirichlet(1), μ ~ N(midrange, R²), 1/σ² ~ Gamma(2, β), β ~ Gamma(0.2, 10/R²), R the range: sections 2.3 and 5.1.
fn problem(n_components: usize) -> Problem {
    let data = column(DATA);
    let scaling = Scaling::to_unit_range(&data).expect("the galaxies differ");
    let prior = Prior {
        concentration: 1.0,
        centres: vec![0.0; n_components],
        mean_sd: 1.0,
        scales: ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.2, hyper_rate: 10.0 },
        lkj_shape: 1.0,
    };
    Problem { max_mean_steps: MAX_MEAN_STEPS, ..Problem::new(scaling.apply(&data), prior, n_components) }
}

/// One K: the log evidence by both methods.
pub(crate) fn galaxies_case(n_components: usize, draws: usize, particles: usize) -> EvidenceCase {
    EvidenceCase {
        name: format!("log evidence, galaxies, K = {n_components}"),
        problem: problem(n_components),
        truth: Truth::Unknown,
        draws,
        particles,
    }
}

/// Three components under the prior of Chib (1995), w ~ Dirichlet(1), μ ~ N(20, 100), σ² ~ IG(3, 20), velocities in 1000 km/s: the
/// absolute log evidence, as Neal (1999, "Erroneous results in 'Marginal likelihood from the Gibbs output'") found it by averaging the
/// likelihood over 10⁸ draws from the prior.
pub(crate) fn chib_case(draws: usize) -> EvidenceCase {
    let prior = Prior {
        concentration: 1.0,
        centres: vec![20.0; 3],
        mean_sd: 10.0,
        // A β known to four digits: 1/σ² ~ Gamma(3, 20).
        scales: ScalePrior::Hierarchical { shape: 3.0, hyper_shape: 1e8, hyper_rate: 5e6 },
        lkj_shape: 1.0,
    };
    EvidenceCase {
        name: "log evidence, galaxies, Chib's prior".to_owned(),
        problem: Problem::new(column(VELOCITIES), prior, 3),
        truth: Truth::Estimate(CHIB_LOG_EVIDENCE, PRINTED),
        draws,
        particles: 0,
    }
}

/// Neal's estimate, and its error: it is printed with two digits.
const CHIB_LOG_EVIDENCE: f64 = -226.80;
const PRINTED: f64 = 0.01;

/// The velocities themselves.
const VELOCITIES: &str = include_str!("../../../../experiments/data/galaxies.csv");

/// The posterior of K by bridge sampling.
pub(crate) struct GalaxiesPosterior {
    problems: Vec<Problem>,
    draws: usize,
}

impl GalaxiesPosterior {
    pub(crate) fn new(draws: usize) -> Self {
        Self { problems: (0..PUBLISHED.len()).map(|index| problem(SMALLEST_K + index)).collect(), draws }
    }

    fn stream_name(index: usize) -> String {
        format!("galaxies, K = {}", SMALLEST_K + index)
    }
}

impl Case for GalaxiesPosterior {
    fn part(&self) -> Part {
        Part::LogEvidence
    }

    fn name(&self) -> &str {
        "galaxies, K = 3 to 10"
    }

    fn n_tasks(&self) -> usize {
        CHAINS * self.problems.len()
    }

    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        let (index, chain) = (task / CHAINS, task % CHAINS);
        chain_positions(&self.problems[index], &Self::stream_name(index), chain, self.draws)
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        let log_evidences: Result<Vec<f64>, CaseError> = self
            .problems
            .iter()
            .zip(results.chunks_exact(CHAINS))
            .enumerate()
            .map(|(index, (problem, chains))| {
                Ok(bridge_sampling(problem, &Self::stream_name(index), chains)?.value)
            })
            .collect();
        let log_evidences = match log_evidences {
            Ok(log_evidences) => log_evidences,
            Err(error) => return CaseReport::from_error(self.part(), self.name(), &error),
        };
        let largest = log_evidences.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let relative: Vec<f64> = log_evidences.iter().map(|value| exp(value - largest)).collect();
        // Scale to the total that the compared K have in the publication.
        let unit = PUBLISHED.iter().sum::<f64>() / relative.iter().sum::<f64>();
        let differences = relative.iter().zip(PUBLISHED).map(|(ours, theirs)| (ours * unit - theirs).abs());
        // Keeps NaN, which fails.
        let value = differences.fold(0.0, |a: f64, b| if a > b { a } else { b });
        let result = CheckResult::Bound { measure: "largest |p − published|", value, bound: BOUND };
        let check = Check {
            part: self.part(),
            case: self.name().to_owned(),
            quantity: "p(K | y)".to_owned(),
            result,
        };
        CaseReport { checks: vec![check], ..CaseReport::default() }
    }
}
