//! Runs a suite on all cores, prints its table and returns the failed checks.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gmm_accuracy::case::{CaseError, Columns};
use gmm_accuracy::check::{Check, FAMILY_WISE_ERROR_RATE, Verdict, verdicts};
use gmm_accuracy::suite::{Length, Suite, Task};

/// The results of the items, in their order, with one thread per core.
fn on_all_cores<T: Copy + Sync, R: Send>(items: &[T], work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(&item) = items.get(index)
                {
                    let result = work(item);
                    done.lock().unwrap().insert(index, result);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

/// Turns a panic of a task into an error, so that the other tasks still run with a faulty sampler.
fn run_task(suite: &Suite, task: Task) -> Result<Columns, CaseError> {
    let panic = |_| Err(CaseError::Panic("the task panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(|| suite.run(task))).unwrap_or_else(panic)
}

/// Prints one row per check and returns the failed ones.
pub fn failures(length: Length) -> Vec<Check> {
    let suite = Suite::new(length);
    let tasks = suite.tasks();
    let mut results = vec![Vec::new(); suite.n_cases()];
    for (task, result) in tasks.iter().zip(on_all_cores(&tasks, |task| run_task(&suite, task))) {
        results[task.case].push(result);
    }
    let cases: Vec<usize> = (0..suite.n_cases()).collect();
    let reports = on_all_cores(&cases, |case| suite.conclude(case, results[case].clone()));
    let checks: Vec<Check> = reports.into_iter().flat_map(|report| report.checks).collect();
    let verdicts = verdicts(&checks, FAMILY_WISE_ERROR_RATE);
    for (check, verdict) in checks.iter().zip(&verdicts) {
        println!("{} {check}", verdict.name());
    }
    let failed = checks.into_iter().zip(verdicts).filter(|(_, verdict)| *verdict == Verdict::Fail);
    failed.map(|(check, _)| check).collect()
}
