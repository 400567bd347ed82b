//! The suite: which cases there are, how long they run, and the flat list of what has to be done.

use gmm_sampler::mixture::prior::ScalePrior;

use crate::calibration::Calibration;
use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::Part;
use crate::closed_forms::{Edge, correlations, mixture, one_component};
use crate::enumeration::Tiny;
use crate::evidence::{Galaxies, galaxies, of_labellings, of_one_component, of_other_programs};
use crate::invariances::{Density, Runs};
use crate::posteriors::{BLOBS, FAITHFUL, IRIS, LongRun};

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A minute or so: what every change is tried on.
    Quick,
    /// Several times the draws and replicates, and more cases.
    Long,
}

/// One piece of work. Tasks can be run in any order, on any thread; their results depend on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Which case it belongs to, counted from 0.
    pub case: usize,
    /// Which of the case's tasks it is.
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

    /// Every task of every case, the longest first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        let of_case = |case: usize| (0..self.cases[case].n_tasks()).map(move |index| Task { case, index });
        (0..self.cases.len()).flat_map(of_case).collect()
    }

    #[must_use]
    pub fn n_cases(&self) -> usize {
        self.cases.len()
    }

    #[must_use]
    pub fn part(&self, case: usize) -> Part {
        self.cases[case].part()
    }

    #[must_use]
    pub fn name(&self, case: usize) -> &str {
        self.cases[case].name()
    }

    /// Does one task.
    ///
    /// # Errors
    /// A chain that cannot begin.
    pub fn run(&self, task: Task) -> Result<Columns, Failure> {
        self.cases[task.case].run(task.index)
    }

    /// What a case's results say, given in the order of its tasks. A failed task is a failed check, not an error: it is the
    /// sampler that is on trial.
    #[must_use]
    pub fn conclude(&self, case: usize, results: Vec<Result<Columns, Failure>>) -> Outcome {
        let of = &self.cases[case];
        match results.into_iter().collect() {
            Ok(results) => of.conclude(results),
            Err(failure) => {
                let failure: Failure = failure;
                Outcome::broken(of.part(), of.name(), failure.to_string())
            }
        }
    }
}

fn posteriors(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 2_000 } else { 10_000 };
    for reference in [BLOBS, IRIS, FAITHFUL] {
        cases.push(Box::new(LongRun::new(reference, draws)));
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
        cases.push(Box::new(mixture(name, 1 + index % 3, concentration, scales, draws)));
    }
    for (n_features, lkj_shape) in [(2, 2.0), (3, 1.0), (4, 2.0)] {
        cases.push(Box::new(correlations(n_features, lkj_shape, draws)));
    }
    cases.push(Box::new(Edge { draws }));
}

fn enumeration(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 10_000 } else { 50_000 };
    for tiny in tiny(length) {
        cases.push(Box::new(tiny.case(draws)));
    }
}

/// Observations few enough to go through all their labels.
fn tiny(length: Length) -> Vec<Tiny> {
    let [_, _, _, _, log_normal, inverse_gamma, _] = SCALES.map(|(_, scales)| scales);
    let mut all = vec![
        Tiny {
            name: "N = 5, K = 2",
            observations: &[-1.4, -0.9, 0.2, 1.1, 1.3],
            concentration: 0.8,
            centres: &[-1.0, 1.0],
            mean_sd: 0.6,
            scales: inverse_gamma,
        },
        Tiny {
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
            Tiny {
                name: "N = 6, K = 3",
                observations: &[-2.2, -1.7, 0.0, 0.3, 1.6, 2.4],
                concentration: 0.5,
                centres: &[-2.0, 0.0, 2.0],
                mean_sd: 0.5,
                scales: inverse_gamma,
            },
            Tiny {
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
        cases.push(Box::new(of_one_component(name, scales, draws, particles)));
    }
    let [_, _, _, _, log_normal, inverse_gamma, _] = SCALES.map(|(_, scales)| scales);
    let alike = [
        Tiny {
            name: "N = 5, K = 2, all alike",
            observations: &[-1.9, -1.6, 0.4, 1.7, 2.2],
            concentration: 0.8,
            centres: &[0.3, 0.3],
            mean_sd: 1.5,
            scales: inverse_gamma,
        },
        Tiny {
            name: "N = 6, K = 3, all alike",
            observations: &[-3.1, -2.8, 0.1, 0.3, 2.6, 2.9],
            concentration: 1.5,
            centres: &[0.0, 0.0, 0.0],
            mean_sd: 2.0,
            scales: log_normal,
        },
    ];
    for tiny in tiny(length).iter().chain(&alike) {
        cases.push(Box::new(of_labellings(tiny, draws, particles)));
    }
    // Normal proposals of bridgesampling 1.1-2, with its coefficients of variation: tests/reference/posteriors.
    cases.push(Box::new(of_other_programs(FAITHFUL, (-415.829_162_05, 0.003_841_2), draws, particles)));
    let particles = if length == Length::Quick { 0 } else { particles };
    cases.push(Box::new(of_other_programs(BLOBS, (-2_336.524_712_27, 0.014_136_64), draws, particles)));
    if length == Length::Long {
        for n_components in [2, 4, 6] {
            cases.push(Box::new(galaxies(n_components, draws, particles)));
        }
        cases.push(Box::new(Galaxies::new(draws)));
    }
}

fn invariances(length: Length, cases: &mut Vec<Box<dyn Case>>) {
    let draws = if length == Length::Quick { 2_000 } else { 10_000 };
    for density in Density::ALL {
        cases.push(Box::new(density));
    }
    for run in Runs::all(draws) {
        cases.push(Box::new(run));
    }
}
