//! Runs every missing fit: one pool of threads takes chains of all K, seeds and parts, and each fit is on disk the moment its
//! last chain ends.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rayon::Scope;

use crate::experiment::Experiment;
use crate::findings::{Finding, Findings};
use crate::fit::{ChainEnd, Fit, Preparation, Reference};
use crate::jobs::{Job, Part, Task};
use crate::progress::{FitProgress, Progress};
use crate::report::Extent;
use crate::results::Failure;
use crate::score::HeldOut;
use crate::store::Store;

/// How one job ended.
#[derive(Debug)]
pub struct Outcome {
    pub job: Job,
    /// Time spent on it by all threads; its share of the preparation included.
    pub spent: Duration,
    pub result: Result<()>,
}

impl Outcome {
    /// The job and its reason, if it failed.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let error = self.result.as_ref().err()?;
        Some(Failure { what: self.job.to_string(), reason: format!("{error:#}") })
    }
}

/// Everything a running task needs to see.
struct Sampling<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    /// Of each K whose fits of parts of the rows begin where the fit of all does; None within where there is no such fit.
    references: BTreeMap<usize, OnceLock<Option<Box<Reference>>>>,
    extent: Extent,
    progress: &'a Progress,
    outcomes: Mutex<Vec<Outcome>>,
    findings: Mutex<Findings>,
}

/// The chains of one fit, as they come in.
struct Gathering<'a> {
    task: &'a Task,
    progress: FitProgress<'a>,
    arrived: Mutex<Arrived>,
}

struct Arrived {
    chains: Vec<Option<Result<ChainEnd>>>,
    spent: Duration,
}

/// Samples the tasks, stores their results and adds them to the findings; call it inside the pool whose threads it may use.
/// Never stops at a failure.
pub fn sample(
    experiment: &Experiment,
    store: &Store,
    tasks: &[Task],
    findings: Findings,
    extent: Extent,
    progress: &Progress,
) -> (Vec<Outcome>, Findings) {
    let (outcomes, findings) = (Mutex::new(Vec::new()), Mutex::new(findings));
    let of_parts = tasks.iter().filter(|task| task.job.part != Part::All);
    let references = of_parts.map(|task| (task.job.components, OnceLock::new())).collect();
    let sampling = Sampling { experiment, store, references, extent, progress, outcomes, findings };
    // Fits that share what does not depend on the seed stand together, since seeds vary fastest.
    let groups: Vec<&[Task]> = tasks.chunk_by(Task::shares_preparation_with).collect();
    // Every thread takes the next group when it is free, and the chains of others when no group is left: no more groups
    // are in memory than there are threads.
    let next = AtomicUsize::new(0);
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    rayon::scope(|scope| sampling.prepare(group, scope));
                }
            });
        }
    });
    progress.finish();
    let mut outcomes = sampling.outcomes.into_inner().expect("no holder of the lock panics");
    outcomes.sort_by_key(|outcome| outcome.job);
    (outcomes, sampling.findings.into_inner().expect("no holder of the lock panics"))
}

impl Sampling<'_> {
    /// Finds prior and start for fits that differ in their seeds alone, then lets the chains of all seeds loose.
    fn prepare<'scope>(&'scope self, group: &'scope [Task], scope: &Scope<'scope>) {
        let began = Instant::now();
        let prepared = caught(|| self.preparation(&group[0])).map(Arc::new);
        let share = began.elapsed() / group.len() as u32;
        let n_chains = self.experiment.spec.sampler.chains;
        for task in group {
            let preparation = match &prepared {
                Ok(preparation) => preparation.clone(),
                Err(error) => {
                    // The same reason for every seed; an error cannot be cloned, its words can.
                    let result = Err(anyhow!("{error:#}"));
                    self.end(Outcome { job: task.job, spent: share, result });
                    continue;
                }
            };
            let arrived = Arrived { chains: (0..n_chains).map(|_| None).collect(), spent: share };
            let gathering = Arc::new(Gathering {
                task,
                progress: self.progress.fit(task.job, preparation.iterations() * n_chains),
                arrived: Mutex::new(arrived),
            });
            for chain in 0..n_chains {
                let (preparation, gathering) = (preparation.clone(), gathering.clone());
                scope.spawn(move |_| self.run_chain(&preparation, &gathering, chain));
            }
        }
    }

    fn preparation(&self, task: &Task) -> Result<Preparation> {
        let Job { components, part, .. } = task.job;
        let reference = self.references.get(&components);
        if part == Part::All {
            let (preparation, found) = Preparation::of_all(self.experiment, components)?;
            // A part that came first has found the same one for itself.
            reference.map(|cell| cell.set(Some(Box::new(found))));
            return Ok(preparation);
        }
        // Nothing that runs here waits for rayon, so no thread can come to wait for itself.
        let find = || Some(Box::new(Preparation::of_all(self.experiment, components).ok()?.1));
        let reference = reference.and_then(|cell| cell.get_or_init(find).as_deref());
        Preparation::of_part(self.experiment, task, reference)
    }

    fn run_chain(&self, preparation: &Preparation, gathering: &Gathering<'_>, chain: usize) {
        let task = gathering.task;
        let began = Instant::now();
        let draws = {
            let progress = gathering.progress.chain();
            caught(|| preparation.run_chain(task.job.seed, chain, &progress))
        };
        let (chains, spent) = {
            let mut arrived = gathering.arrived.lock().expect("no holder of the lock panics");
            arrived.chains[chain] = Some(draws);
            arrived.spent += began.elapsed();
            if arrived.chains.iter().any(Option::is_none) {
                return;
            }
            (std::mem::take(&mut arrived.chains), arrived.spent)
        };
        gathering.progress.finish();
        let began = Instant::now();
        let result = caught(|| self.keep(task, chains.into_iter().flatten().collect()));
        self.end(Outcome { job: task.job, spent: spent + began.elapsed(), result });
    }

    /// Puts a finished fit on disk, its draws or what they say of the rows held out, and keeps what the report needs.
    fn keep(&self, task: &Task, chains: Vec<Result<ChainEnd>>) -> Result<()> {
        let job = task.job;
        let chains = chains.into_iter().collect::<Result<Vec<_>>>()?;
        let fit = Fit::of_chains(job, self.experiment.dataset.data.n_features(), chains)?;
        let finding = match job.part {
            Part::All | Part::Tempered => {
                self.store.write_fit(self.experiment, task, &fit)?;
                Finding::of_fit(self.experiment, job, &fit, self.extent)?
            }
            Part::Fold { .. } | Part::Group(_) | Part::Without(_) => {
                let held_out = HeldOut::of(self.experiment, task, &fit)?;
                self.store.write_held_out(self.experiment, task, &held_out)?;
                Finding::HeldOut(held_out)
            }
        };
        self.findings.lock().expect("no holder of the lock panics").add(job, finding);
        Ok(())
    }

    fn end(&self, outcome: Outcome) {
        self.outcomes.lock().expect("no holder of the lock panics").push(outcome);
    }
}

/// A panic in one job is that job's failure, not everybody's.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(anyhow!("a defect in gmm: {}", said.unwrap_or_else(|| "it panicked without words".to_owned())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_with_its_words() {
        let failed = caught::<()>(|| panic!("index {} out of range", 7));
        assert_eq!(failed.unwrap_err().to_string(), "a defect in gmm: index 7 out of range");
    }
}
