//! Runs every missing fit: one pool of threads takes chains of all K, seeds and parts, and each fit is on disk the moment its
//! last chain ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use gmm_bench::clock::thread_time;
use rayon::Scope;

use crate::engine::experiment::Experiment;
use crate::engine::fit::{ChainEnd, Fit, Preparation, Reference};
use crate::engine::progress::{FitProgress, Progress};
use crate::engine::task::{Job, Part, Task};
use crate::present::report::Extent;
use crate::process::panics::caught;
use crate::scores::findings::{Finding, Findings, Unscorable};
use crate::scores::held_out::HeldOut;
use crate::scores::results::Failure;
use crate::storage::atomic::DiskFault;
use crate::storage::lock::RunLock;
use crate::storage::store::Store;

/// How one job ended.
#[derive(Debug)]
pub struct Outcome {
    pub job: Job,
    /// From its first moment to its last, others between.
    pub wall: Duration,
    /// CPU time of its chains and of what precedes and follows them; its share of what it has in common with other seeds.
    pub cpu: Duration,
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

/// What jobs are run with, whatever they are.
pub struct Workshop<'a> {
    pub experiment: &'a Experiment,
    pub store: &'a Store,
    pub extent: Extent,
    /// Told of every job that begins and ends.
    pub lock: Option<&'a RunLock>,
    /// Told of every outcome, as it comes.
    pub on_end: Option<&'a (dyn Fn(&Outcome) + Sync)>,
    /// Whether the first failure is the end.
    pub fail_fast: bool,
}

impl<'a> Workshop<'a> {
    /// Where nobody else works or is told.
    #[must_use]
    pub fn new(experiment: &'a Experiment, store: &'a Store, extent: Extent) -> Self {
        Self { experiment, store, extent, lock: None, on_end: None, fail_fast: false }
    }
}

/// Everything a running task needs to see.
struct Sampling<'a> {
    workshop: &'a Workshop<'a>,
    /// Of each K whose fits of parts of the rows begin where the fit of all does; None within where there is no such fit.
    references: BTreeMap<usize, OnceLock<Option<Box<Reference>>>>,
    progress: &'a Progress,
    outcomes: Mutex<Vec<Outcome>>,
    findings: Mutex<Findings>,
    /// Set once nothing more is to be begun, and what runs is to end.
    halt: AtomicBool,
    /// The disk takes no results.
    fault: Mutex<Option<Error>>,
}

/// The chains of one fit, as they come in.
struct Gathering<'a> {
    task: &'a Task,
    began: Instant,
    progress: FitProgress<'a>,
    arrived: Mutex<Arrived>,
}

struct Arrived {
    chains: Vec<Option<Result<ChainEnd>>>,
    cpu: Duration,
}

/// Samples the tasks, stores their results and adds them to the findings; call it inside the pool whose threads it may use.
/// A failure stops nothing, unless it was asked to: then outcomes of what was still to come are missing.
///
/// # Errors
/// The disk takes no results: no other would be stored either, so that nothing more is run.
pub fn sample(
    workshop: &Workshop<'_>,
    tasks: &[Task],
    findings: Findings,
    progress: &Progress,
) -> Result<(Vec<Outcome>, Findings)> {
    let of_parts = tasks.iter().filter(|task| task.job.part != Part::All);
    let references = of_parts.map(|task| (task.job.components, OnceLock::new())).collect();
    let sampling = Sampling {
        workshop,
        references,
        progress,
        outcomes: Mutex::default(),
        findings: Mutex::new(findings),
        halt: AtomicBool::new(false),
        fault: Mutex::default(),
    };
    // Fits that share what does not depend on the seed stand together, since seeds vary fastest.
    let groups: Vec<&[Task]> = tasks.chunk_by(Task::shares_preparation_with).collect();
    // Every thread takes the next group when it is free, and the chains of others when no group is left: no more groups
    // are in memory than there are threads.
    let next = AtomicUsize::new(0);
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed))
                    && !sampling.is_halted()
                {
                    rayon::scope(|scope| sampling.prepare(group, scope));
                }
            });
        }
    });
    progress.finish();
    if let Some(fault) = sampling.fault.into_inner().expect("no holder of the lock panics") {
        return Err(fault);
    }
    let mut outcomes = sampling.outcomes.into_inner().expect("no holder of the lock panics");
    outcomes.sort_by_key(|outcome| outcome.job);
    Ok((outcomes, sampling.findings.into_inner().expect("no holder of the lock panics")))
}

impl Sampling<'_> {
    fn is_halted(&self) -> bool {
        self.halt.load(Ordering::Relaxed)
    }

    /// Finds prior and start for fits that differ in their seeds alone, then lets the chains of all seeds loose.
    fn prepare<'scope>(&'scope self, group: &'scope [Task], scope: &Scope<'scope>) {
        let (began, cpu_before) = (Instant::now(), thread_time());
        group.iter().for_each(|task| self.begin(task));
        let prepared = caught(|| self.preparation(&group[0])).map(Arc::new);
        let share = (thread_time() - cpu_before) / group.len() as u32;
        let n_chains = self.workshop.experiment.spec.sampler.chains;
        for task in group {
            let preparation = match &prepared {
                Ok(preparation) => preparation.clone(),
                Err(error) => {
                    // The same reason for every seed; an error cannot be cloned, its words can.
                    let result = Err(anyhow!("{error:#}"));
                    let log = vec!["no chain was begun".to_owned()];
                    self.end(task, Outcome { job: task.job, wall: began.elapsed(), cpu: share, result }, log);
                    continue;
                }
            };
            let arrived = Arrived { chains: (0..n_chains).map(|_| None).collect(), cpu: share };
            let gathering = Arc::new(Gathering {
                task,
                began,
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
        let experiment = self.workshop.experiment;
        let reference = self.references.get(&components);
        if part == Part::All {
            let (preparation, found) = Preparation::of_all(experiment, components)?;
            // A part that came first has found the same one for itself.
            reference.map(|cell| cell.set(Some(Box::new(found))));
            return Ok(preparation);
        }
        // Nothing that runs here waits for rayon, so no thread can come to wait for itself.
        let find = || Some(Box::new(Preparation::of_all(experiment, components).ok()?.1));
        let reference = reference.and_then(|cell| cell.get_or_init(find).as_deref());
        Preparation::of_part(experiment, task, reference)
    }

    fn run_chain(&self, preparation: &Preparation, gathering: &Gathering<'_>, chain: usize) {
        let task = gathering.task;
        let cpu_before = thread_time();
        let end = {
            let progress = gathering.progress.chain();
            caught(|| preparation.run_chain(task.job.seed, chain, &progress, &self.halt))
        };
        let (chains, cpu) = {
            let mut arrived = gathering.arrived.lock().expect("no holder of the lock panics");
            arrived.chains[chain] = Some(end);
            arrived.cpu += thread_time() - cpu_before;
            if arrived.chains.iter().any(Option::is_none) {
                return;
            }
            (std::mem::take(&mut arrived.chains), arrived.cpu)
        };
        gathering.progress.finish();
        if self.is_halted() {
            return;
        }
        let cpu_before = thread_time();
        let chains: Vec<Result<ChainEnd>> = chains.into_iter().flatten().collect();
        let log = chains.iter().enumerate().map(|(chain, end)| match end {
            Ok(end) => format!("chain {chain}: {end}"),
            Err(error) => format!("chain {chain}: {error:#}"),
        });
        let log = log.collect();
        let result = caught(|| self.keep(task, chains));
        let cpu = cpu + (thread_time() - cpu_before);
        self.end(task, Outcome { job: task.job, wall: gathering.began.elapsed(), cpu, result }, log);
    }

    /// Puts a finished fit on disk, its draws or what they say of the rows held out, and keeps what the report needs.
    fn keep(&self, task: &Task, chains: Vec<Result<ChainEnd>>) -> Result<()> {
        let &Workshop { experiment, store, extent, .. } = self.workshop;
        let job = task.job;
        let chains = chains.into_iter().collect::<Result<Vec<_>>>()?;
        let fit = Fit::of_chains(job, experiment.dataset.data.n_features(), chains)?;
        // First, so that no kill between leaves both a failure and a result.
        store.forget_failure(job)?;
        let finding = match job.part {
            Part::All | Part::Tempered => {
                store.write_fit(experiment, task, &fit)?;
                Finding::of_fit(experiment, job, &fit, extent)?
            }
            Part::Fold { .. } | Part::Group(_) | Part::Without(_) => {
                let held_out = HeldOut::of(experiment, task, &fit)?;
                store.write_held_out(experiment, task, &held_out)?;
                Finding::HeldOut(held_out)
            }
        };
        self.findings.lock().expect("no holder of the lock panics").add(job, finding);
        Ok(())
    }

    fn begin(&self, task: &Task) {
        if let Some(lock) = self.workshop.lock {
            lock.begin(task.job.to_string());
        }
    }

    /// Notes how a job ended, on disk too where it failed. That the disk takes no results is no failure of the job.
    fn end(&self, task: &Task, outcome: Outcome, log: Vec<String>) {
        if let Some(lock) = self.workshop.lock {
            lock.end(&task.job.to_string());
        }
        let &Workshop { experiment, store, fail_fast, .. } = self.workshop;
        let stored = match &outcome.result {
            Ok(()) => Ok(()),
            Err(error) if error.is::<DiskFault>() => Err(DiskFault::again(error)),
            // The draws are stored, and tell the same when they are read again.
            Err(error) if error.is::<Unscorable>() => Ok(()),
            Err(error) => store.write_failure(experiment, task, &format!("{error:#}"), log),
        };
        if stored.is_err() || fail_fast && outcome.result.is_err() {
            self.halt.store(true, Ordering::Relaxed);
        }
        if let Err(error) = stored {
            // The first says what is wrong; those after it are of the same disk.
            self.fault.lock().expect("no holder of the lock panics").get_or_insert(error);
            return;
        }
        self.progress.end_job();
        if let Some(tell) = self.workshop.on_end {
            tell(&outcome);
        }
        self.outcomes.lock().expect("no holder of the lock panics").push(outcome);
    }
}
