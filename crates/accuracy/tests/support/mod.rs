//! Runs a suite on all cores, prints its table, and says which checks failed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gmm_accuracy::case::{Columns, Failure};
use gmm_accuracy::check::{Check, FAMILY_WISE, Verdict, judge};
use gmm_accuracy::suite::{Length, Suite, Task};

/// The items' results in their order, from as many threads as there are cores.
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

/// A panic in a task is that task's failure: what a broken sampler does to the others is to be seen as well.
fn caught(suite: &Suite, task: Task) -> Result<Columns, Failure> {
    let broken = |_| Err(Failure::Broken("the task panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(|| suite.run(task))).unwrap_or_else(broken)
}

/// Prints one row per check; the failed ones.
pub fn failures(length: Length) -> Vec<Check> {
    let suite = Suite::new(length);
    let tasks = suite.tasks();
    let mut results = vec![Vec::new(); suite.n_cases()];
    for (task, result) in tasks.iter().zip(on_all_cores(&tasks, |task| caught(&suite, task))) {
        results[task.case].push(result);
    }
    let cases: Vec<usize> = (0..suite.n_cases()).collect();
    let outcomes = on_all_cores(&cases, |case| suite.conclude(case, results[case].clone()));
    let checks: Vec<Check> = outcomes.into_iter().flat_map(|outcome| outcome.checks).collect();
    let verdicts = judge(&checks, FAMILY_WISE);
    for (check, verdict) in checks.iter().zip(&verdicts) {
        println!("{} {check}", verdict.name());
    }
    let failed = checks.into_iter().zip(verdicts).filter(|(_, verdict)| *verdict == Verdict::Fail);
    failed.map(|(check, _)| check).collect()
}
