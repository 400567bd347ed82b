//! A case whose known answers are posterior expectations, compared with the means over draws.

use gmm_sampler::mixture::params::Mixture;

use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::Part;
use crate::comparison::{Difference, compare, convergence};
use crate::problem::{CHAINS, Problem, join_chains};

/// The exact expectation of one number that is computed from each draw.
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

/// Expectations whose z-scores are tested together.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) expectations: Vec<Expectation>,
}

type Measure = Box<dyn Fn(&Problem, &Mixture) -> Vec<f64> + Send + Sync>;

/// A posterior with known expectations.
pub(crate) struct ExpectationCase {
    pub(crate) part: Part,
    pub(crate) name: String,
    pub(crate) problem: Problem,
    /// Draws of each chain.
    pub(crate) draws: usize,
    pub(crate) groups: Vec<Group>,
    /// The numbers of a draw, in the order of the groups' expectations.
    pub(crate) measure: Measure,
}

impl Case for ExpectationCase {
    fn part(&self) -> Part {
        self.part
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn n_tasks(&self) -> usize {
        CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        self.problem
            .run_case_chain(&self.name, task, self.draws, |mixture, _| (self.measure)(&self.problem, mixture))
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        report(self.part, &self.name, &self.groups, join_chains(results))
    }
}

/// The checks of chain-major columns, group by group.
///
/// # Panics
/// If there are not as many columns as expectations.
pub(crate) fn report(part: Part, name: &str, groups: &[Group], columns: Columns) -> CaseReport {
    let expected: usize = groups.iter().map(|group| group.expectations.len()).sum();
    assert_eq!(columns.len(), expected, "{name}: one column per expectation");
    let mut report =
        CaseReport { checks: vec![convergence(part, name, CHAINS, &columns)], ..CaseReport::default() };
    let mut columns = columns.into_iter();
    for group in groups {
        let differences: Vec<Difference> = group
            .expectations
            .iter()
            .zip(&mut columns)
            .map(|(expectation, column)| {
                Difference::from_exact(&expectation.name, column, CHAINS, expectation.exact)
            })
            .collect();
        report.extend(compare(part, name, group.name, CHAINS, &differences));
    }
    report
}
