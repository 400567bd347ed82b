//! The suite: all cases of the quick and the long version, and the list of their tasks.

use gmm_sampler::mixture::prior::ScalePrior;

use crate::calibration::Calibration;
use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::Part;
use crate::closed_forms::{TruncatedNormal, correlation_prior, mixture_prior, one_component};
use crate::enumeration::SmallSample;
use crate::evidence::{
    GalaxiesPosterior, chib_case, enumeration_case, galaxies_case, one_component_case, reference_case,
};
use crate::invariances::{DensityInvariance, PosteriorInvariance};
use crate::posteriors::{BLOBS, FAITHFUL, IRIS, ReferencePosterior};

/// Which version of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// About a minute; run for every change.
    Quick,
    /// More cases, and several times the draws and replicates.
    Long,
}

/// One unit of work. Tasks can run in any order and on any thread without changing their results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Index of the case, from 0.
    pub case: usize,
    /// Index among the tasks of the case, from 0.
    pub index: usize,
}

/// All cases of one length.
pub struct Suite {
    cases: Vec<Box<dyn Case>>,
}

const SCALES: [(&str, ScalePrior); 7] = [
    ("half-Cauchy", ScalePrior::HalfCauchy { scale: 1.0 }),
    ("half-normal", ScalePrior::HalfNormal { scale: 1.5 }),
    ("half-t", ScalePrior::HalfStudentT { nu: 4.0, scale: 0.8 }),
    ("exponential", ScalePrior::Exponential { rate: 1.5 }),
    ("log-normal", ScalePrior::LogNormal { mu: -0.3, sigma: 0.6 }),
    ("inverse gamma", ScalePrior::InverseGamma { shape: 3.0, scale: 2.0 }),
    ("hierarchical", ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 1.5, hyper_rate: 2.0 }),
];

impl Suite {
    /// All cases of one version.
    #[must_use]
    pub fn new(length: Length) -> Self {
        let mut cases: Vec<Box<dyn Case>> = Vec::new();
        posteriors(length, &mut cases);
        calibration(length, &mut cases);
        closed_forms(length, &mut cases);
        enumeration(length, &mut cases);
        log_evidence(length, &mut cases);
        invariances(length, &mut cases);
        Self { cases }
    }

    /// The tasks of all cases, those of the longest cases first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        let tasks = |case: usize| (0..self.cases[case].n_tasks()).map(move |index| Task { case, index });
        (0..self.cases.len()).flat_map(tasks).collect()
    }

    /// The number of cases.
    #[must_use]
    pub fn n_cases(&self) -> usize {
        self.cases.len()
    }

    /// The part of the suite that a case belongs to.
    #[must_use]
    pub fn part(&self, case: usize) -> Part {
        self.cases[case].part()
    }

    /// The name of a case, unique in the suite.
    #[must_use]
    pub fn name(&self, case: usize) -> &str {
        self.cases[case].name()
    }

    /// Runs one task.
    ///
    /// # Errors
    /// If no chain can start, or a chain takes too many steps.
    pub fn run(&self, task: Task) -> Result<Columns, CaseError> {
        self.cases[task.case].run(task.index)
    }

    /// The report of a case from the results of its tasks, given in their order. A failed task becomes a failed check and not an
    /// error, because the sampler is under test.
    #[must_use]
    pub fn conclude(&self, case: usize, results: Vec<Result<Columns, CaseError>>) -> CaseReport {
        let case = &self.cases[case];
        match results.into_iter().collect::<Result<Vec<Columns>, CaseError>>() {
            Ok(results) => case.conclude(results),
            Err(error) => CaseReport::from_error(case.part(), case.name(), &error),
        }
    }
}

fn posteriors(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 2_000 } else { 10_000 };
    for tables in [BLOBS, IRIS, FAITHFUL] {
        cases.push(Box::new(ReferencePosterior::new(tables, draws)));
    }
}

fn calibration(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let replicates = if length == Length::Quick { 150 } else { 1_000 };
    let case = |name, n_observations, n_features, concentration, centres, scales, lkj_shape| Calibration {
        name,
        n_observations,
        n_features,
        concentration,
        centres,
        mean_sd: 0.5,
        scales,
        lkj_shape,
        replicates,
    };
    let [cauchy, normal, student, exponential, log_normal, inverse_gamma, hierarchical] =
        SCALES.map(|(_, scales)| scales);
    let mut all = vec![
        case("K = 2, D = 2, inverse gamma", 8, 2, 1.5, &[-1.5, 0.0, 1.5, 0.5], inverse_gamma, 2.0),
        case("K = 2, D = 1, log-normal", 6, 1, 1.0, &[-2.0, 2.0], log_normal, 1.0),
        case("K = 1, D = 3, half-t", 70, 3, 1.0, &[0.5, 0.0, -0.5], student, 1.0),
        case("K = 1, D = 2, half-normal", 4, 2, 1.0, &[0.0, 1.0], normal, 3.0),
        case("K = 1, D = 1, half-Cauchy", 3, 1, 1.0, &[0.3], cauchy, 1.0),
        case("K = 2, D = 1, hierarchical", 8, 1, 1.0, &[-2.0, 2.0], hierarchical, 1.0),
    ];
    if length == Length::Long {
        all.extend([
            case("K = 3, D = 2, log-normal", 40, 2, 2.0, &[-3.0, 0.0, 0.0, 2.0, 3.0, 0.0], log_normal, 4.0),
            case("K = 3, D = 1, inverse gamma", 40, 1, 0.5, &[-4.0, 0.0, 4.0], inverse_gamma, 1.0),
            case(
                "K = 2, D = 3, inverse gamma",
                80,
                3,
                0.5,
                &[-2.0, 0.0, 1.0, 2.0, 0.0, -1.0],
                inverse_gamma,
                1.5,
            ),
            case("K = 1, D = 2, exponential", 8, 2, 1.0, &[0.0, -1.0], exponential, 0.8),
        ]);
    }
    cases.extend(all.into_iter().map(|case| Box::new(case) as Box<dyn Case>));
}

fn closed_forms(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 10_000 } else { 50_000 };
    for (name, scales) in SCALES {
        cases.push(Box::new(one_component(name, scales, draws)));
    }
    for (index, (name, scales)) in SCALES.into_iter().enumerate() {
        let concentration = [0.5, 1.0, 2.5][index % 3];
        cases.push(Box::new(mixture_prior(name, 1 + index % 3, concentration, scales, draws)));
    }
    for (n_features, lkj_shape) in [(2, 2.0), (3, 1.0), (4, 2.0)] {
        cases.push(Box::new(correlation_prior(n_features, lkj_shape, draws)));
    }
    cases.push(Box::new(TruncatedNormal { draws }));
}

fn enumeration(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 10_000 } else { 50_000 };
    for sample in small_samples(length) {
        cases.push(Box::new(sample.case(draws)));
    }
}

/// Data sets small enough to enumerate all labels.
fn small_samples(length: Length) -> Vec<SmallSample> {
    let [_, _, _, _, log_normal, inverse_gamma, _] = SCALES.map(|(_, scales)| scales);
    let mut all = vec![
        SmallSample {
            name: "N = 5, K = 2",
            observations: &[-1.4, -0.9, 0.2, 1.1, 1.3],
            concentration: 0.8,
            centres: &[-1.0, 1.0],
            mean_sd: 0.6,
            scales: inverse_gamma,
        },
        SmallSample {
            name: "N = 4, K = 3",
            observations: &[-2.1, 0.1, 0.4, 1.9],
            concentration: 1.5,
            centres: &[-2.0, 0.0, 2.0],
            mean_sd: 0.5,
            scales: log_normal,
        },
    ];
    if length == Length::Long {
        all.extend([
            SmallSample {
                name: "N = 6, K = 3",
                observations: &[-2.2, -1.7, 0.0, 0.3, 1.6, 2.4],
                concentration: 0.5,
                centres: &[-2.0, 0.0, 2.0],
                mean_sd: 0.5,
                scales: inverse_gamma,
            },
            SmallSample {
                name: "N = 3, K = 2",
                observations: &[-0.8, 0.1, 1.2],
                concentration: 1.0,
                centres: &[-0.5, 0.5],
                mean_sd: 1.0,
                scales: log_normal,
            },
        ]);
    }
    all
}

fn log_evidence(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let (draws, particles) = if length == Length::Quick { (2_000, 200) } else { (10_000, 1_000) };
    for (name, scales) in SCALES {
        cases.push(Box::new(one_component_case(name, scales, draws, particles)));
    }
    let [_, _, _, _, log_normal, inverse_gamma, _] = SCALES.map(|(_, scales)| scales);
    let exchangeable = [
        SmallSample {
            name: "N = 5, K = 2, all alike",
            observations: &[-1.9, -1.6, 0.4, 1.7, 2.2],
            concentration: 0.8,
            centres: &[0.3, 0.3],
            mean_sd: 1.5,
            scales: inverse_gamma,
        },
        SmallSample {
            name: "N = 6, K = 3, all alike",
            observations: &[-3.1, -2.8, 0.1, 0.3, 2.6, 2.9],
            concentration: 1.5,
            centres: &[0.0, 0.0, 0.0],
            mean_sd: 2.0,
            scales: log_normal,
        },
    ];
    for sample in small_samples(length).iter().chain(&exchangeable) {
        cases.push(Box::new(enumeration_case(sample, draws, particles)));
    }
    // By R's bridgesampling 1.1-2 with a normal proposal, and its coefficient of variation: tests/reference/posteriors.
    cases.push(Box::new(reference_case(FAITHFUL, (-415.829_162_05, 0.003_841_2), draws, particles)));
    let particles = if length == Length::Quick { 0 } else { particles };
    cases.push(Box::new(reference_case(BLOBS, (-2_336.524_712_27, 0.014_136_64), draws, particles)));
    cases.push(Box::new(chib_case(draws)));
    if length == Length::Long {
        for n_components in [2, 4, 6] {
            cases.push(Box::new(galaxies_case(n_components, draws, particles)));
        }
        cases.push(Box::new(GalaxiesPosterior::new(draws)));
    }
}

fn invariances(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 2_000 } else { 10_000 };
    for case in DensityInvariance::ALL {
        cases.push(Box::new(case));
    }
    for case in PosteriorInvariance::all(draws) {
        cases.push(Box::new(case));
    }
}
