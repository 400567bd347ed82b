//! A case whose truth is a list of exact expectations: chains, measured draw by draw, have to agree with each.

use gmm_sampler::mixture::params::Mixture;

use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::Part;
use crate::problem::{CHAINS, Problem, joined};
use crate::z_scores::{Compared, compare, convergence};

/// One number of a draw, and its exact expectation.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) name: String,
    pub(crate) exact: f64,
}

impl Expectation {
    pub(crate) fn new(name: impl Into<String>, exact: f64) -> Self {
        Self { name: name.into(), exact }
    }
}

/// Expectations that are judged together.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) expectations: Vec<Expectation>,
}

type Measure = Box<dyn Fn(&Problem, &Mixture) -> Vec<f64> + Send + Sync>;

/// A posterior whose expectations are known.
pub(crate) struct Expectations {
    pub(crate) part: Part,
    pub(crate) name: String,
    pub(crate) problem: Problem,
    /// Draws of each chain.
    pub(crate) draws: usize,
    pub(crate) groups: Vec<Group>,
    /// The numbers of all groups, one group after another.
    pub(crate) measure: Measure,
}

impl Case for Expectations {
    fn part(&self) -> Part {
        self.part
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn n_tasks(&self) -> usize {
        CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, Failure> {
        self.problem
            .chain_of(&self.name, task, self.draws, |mixture, _| (self.measure)(&self.problem, mixture))
    }

    fn conclude(&self, results: Vec<Columns>) -> Outcome {
        outcome(self.part, &self.name, &self.groups, joined(results))
    }
}

/// The checks of chain-major columns, group by group.
///
/// # Panics
/// If there are not as many columns as expectations.
pub(crate) fn outcome(part: Part, name: &str, groups: &[Group], columns: Columns) -> Outcome {
    let expected: usize = groups.iter().map(|group| group.expectations.len()).sum();
    assert_eq!(columns.len(), expected, "{name}: one column per expectation");
    let mut outcome =
        Outcome { checks: vec![convergence(part, name, CHAINS, &columns)], ..Outcome::default() };
    let mut columns = columns.into_iter();
    for group in groups {
        let compared: Vec<Compared> = group
            .expectations
            .iter()
            .zip(&mut columns)
            .map(|(expectation, column)| {
                Compared::with_exact(&expectation.name, column, CHAINS, expectation.exact)
            })
            .collect();
        outcome.extend(compare(part, name, group.name, CHAINS, &compared));
    }
    outcome
}
