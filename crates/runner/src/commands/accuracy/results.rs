//! Runs the accuracy suite and collects its checks with their verdicts.

use gmm_accuracy::case::{CaseError, CaseReport, Columns};
use gmm_accuracy::check::{Check, FAMILY_WISE_ERROR_RATE, Part, Verdict, verdicts};
use gmm_accuracy::suite::{Suite, Task};
use rayon::prelude::*;

use crate::process::panics::{catch_panic, defect};

/// The results of the whole suite.
pub struct SuiteResults {
    /// All checks with their verdicts, in the suite's order.
    pub checks: Vec<(Check, Verdict)>,
    /// One report per case, in the suite's order.
    pub reports: Vec<CaseReport>,
}

/// The checks of one part of the suite, counted.
pub struct PartSummary {
    pub part: Part,
    pub n_checks: usize,
    pub n_failed: usize,
    /// The smallest p-value; none if the part has no tests.
    pub smallest_p_value: Option<f64>,
}

impl SuiteResults {
    /// Runs all tasks on the threads of the current pool; calls `task_done` after each.
    pub fn run(suite: &Suite, tasks: &[Task], task_done: &(dyn Fn() + Sync)) -> Self {
        let results: Vec<Result<Columns, CaseError>> = tasks
            .par_iter()
            // Tasks differ in length, so threads take one at a time.
            .with_max_len(1)
            .map(|&task| {
                let result = run_task(suite, task);
                task_done();
                result
            })
            .collect();
        let mut by_case = vec![Vec::new(); suite.n_cases()];
        for (task, result) in tasks.iter().zip(results) {
            by_case[task.case].push(result);
        }
        let reports: Vec<CaseReport> = by_case
            .into_par_iter()
            .with_max_len(1)
            .enumerate()
            .map(|(case, results)| suite.conclude(case, results))
            .collect();
        let checks: Vec<Check> = reports.iter().flat_map(|report| report.checks.clone()).collect();
        let verdicts = verdicts(&checks, FAMILY_WISE_ERROR_RATE);
        Self { checks: checks.into_iter().zip(verdicts).collect(), reports }
    }

    pub fn n_failed(&self) -> usize {
        self.checks.iter().filter(|(_, verdict)| *verdict == Verdict::Fail).count()
    }

    /// The checks of one part.
    pub fn checks_of(&self, part: Part) -> impl Iterator<Item = &(Check, Verdict)> {
        self.checks.iter().filter(move |(check, _)| check.part == part)
    }

    /// One summary per part, in the suite's order.
    pub fn parts(&self) -> Vec<PartSummary> {
        let summary = |part| PartSummary {
            part,
            n_checks: self.checks_of(part).count(),
            n_failed: self.checks_of(part).filter(|(_, verdict)| *verdict == Verdict::Fail).count(),
            smallest_p_value: self
                .checks_of(part)
                .filter_map(|(check, _)| check.result.p_value())
                .min_by(f64::total_cmp),
        };
        Part::ALL.into_iter().map(summary).collect()
    }

    /// One sentence on all checks.
    pub fn summary(&self) -> String {
        match (self.n_failed(), self.checks.len()) {
            (0, all) => format!("All {all} checks pass"),
            (failed, all) => format!("{failed} of {all} checks fail"),
        }
    }
}

/// Turns a panic into an error of the task, so that the other cases still run.
fn run_task(suite: &Suite, task: Task) -> Result<Columns, CaseError> {
    catch_panic(|| Ok(suite.run(task)), defect)
        .unwrap_or_else(|panic| Err(CaseError::Panic(panic.to_string())))
}
