//! Runs every missing fit: one pool of threads takes chains of all models, seeds and variants, and each fit is on disk the moment
//! its last chain ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rayon::Scope;

use crate::engine::errors::FitError;
use crate::engine::experiment::Experiment;
use crate::engine::fit::{ChainEnd, Preparation, Reference, join_chains};
use crate::engine::inputs::fit_inputs;
use crate::engine::progress::{FitProgress, Progress};
use crate::engine::supervisor::{Ended, Supervision, Supervisor};
use crate::engine::task::Task;
use crate::process::clock::thread_time;
use crate::process::panics::catch_panic;
use crate::storage::atomic::DiskError;
use crate::storage::fits::Fit;
use crate::storage::store::Store;
use crate::study::job::{Job, ModelKey, Variant};

/// How a fit ended.
pub type EndedFit = Ended<Job, FitError>;

/// What fits are run with.
pub struct RunContext<'a> {
    pub experiment: &'a Experiment,
    pub store: &'a Store,
    pub supervision: Supervision<'a, Job, FitError>,
}

impl<'a> RunContext<'a> {
    /// For a run that nobody watches.
    #[must_use]
    pub fn new(experiment: &'a Experiment, store: &'a Store) -> Self {
        Self { experiment, store, supervision: Supervision::default() }
    }
}

/// Stores a finished fit, or what is computed from it.
pub type KeepFit<'a> = &'a (dyn Fn(&Task, &Fit) -> Result<(), FitError> + Sync);

/// Everything that a running task needs to see.
struct Sampling<'a> {
    experiment: &'a Experiment,
    store: &'a Store,
    keep: KeepFit<'a>,
    /// For each model that is also fitted to parts of the rows, where these fits start: at what was found on all rows. None within
    /// where nothing was found.
    references: BTreeMap<ModelKey, OnceLock<Option<Box<Reference>>>>,
    progress: &'a Progress,
    supervisor: Supervisor<'a, Job, FitError>,
}

/// The chains of one fit, as they come in.
struct Gathering<'a> {
    task: &'a Task,
    began: Instant,
    progress: FitProgress<'a>,
    arrived: Mutex<Arrived>,
}

struct Arrived {
    chains: Vec<Option<Result<ChainEnd, FitError>>>,
    cpu: Duration,
}

/// Samples the tasks and hands each finished fit to `keep`; call it inside the pool whose threads it may use. A failure stops nothing
/// unless [`Supervision::fail_fast`] is set: then fits that had not begun are missing from what is returned.
///
/// # Errors
/// The disk takes no results: no other would be stored either, so that nothing more is run.
pub fn sample(
    context: &RunContext<'_>,
    tasks: &[Task],
    progress: &Progress,
    keep: KeepFit<'_>,
) -> Result<Vec<EndedFit>, DiskError> {
    let of_parts = tasks.iter().filter(|task| task.job.variant != Variant::AllRows);
    let sampling = Sampling {
        experiment: context.experiment,
        store: context.store,
        keep,
        references: of_parts.map(|task| (task.job.model, OnceLock::new())).collect(),
        progress,
        supervisor: Supervisor::new(&context.supervision, progress),
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
                    && !sampling.supervisor.is_halted()
                {
                    rayon::scope(|scope| sampling.prepare(group, scope));
                }
            });
        }
    });
    sampling.supervisor.finish()
}

impl Sampling<'_> {
    /// Finds prior and start for fits that differ in their seeds alone, then lets the chains of all seeds loose.
    fn prepare<'scope>(&'scope self, group: &'scope [Task], scope: &Scope<'scope>) {
        let (began, cpu_before) = (Instant::now(), thread_time());
        group.iter().for_each(|task| self.supervisor.begin(task.job));
        let prepared = catch_panic(|| self.preparation(&group[0]), FitError::Panicked).map(Arc::new);
        let share = (thread_time() - cpu_before) / group.len() as u32;
        let n_chains = self.experiment.spec.sampler.chains;
        for task in group {
            let preparation = match &prepared {
                Ok(preparation) => preparation.clone(),
                Err(error) => {
                    // An error cannot be cloned for every seed; its words can.
                    let result = Err(FitError::Preparation(error.to_string()));
                    let log = vec!["no chain was started".to_owned()];
                    self.end(task, Ended { job: task.job, wall: began.elapsed(), cpu: share, result }, log);
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

    fn preparation(&self, task: &Task) -> Result<Preparation, FitError> {
        let Job { model, variant, .. } = task.job;
        let experiment = self.experiment;
        let reference = self.references.get(&model);
        if variant == Variant::AllRows {
            let (preparation, found) = Preparation::for_all_rows(experiment, model)?;
            // A part that came first has found the same one for itself.
            reference.map(|cell| cell.set(Some(Box::new(found))));
            return Ok(preparation);
        }
        // Nothing that runs here waits for rayon, so no thread can come to wait for itself.
        let find = || Some(Box::new(Preparation::for_all_rows(experiment, model).ok()?.1));
        let reference = reference.and_then(|cell| cell.get_or_init(find).as_deref());
        Preparation::for_part(experiment, task, reference)
    }

    fn run_chain(&self, preparation: &Preparation, gathering: &Gathering<'_>, chain: usize) {
        let task = gathering.task;
        let cpu_before = thread_time();
        let end = {
            let progress = gathering.progress.chain();
            catch_panic(
                || preparation.run_chain(task.job.seed, chain, &progress, self.supervisor.halt()),
                FitError::Panicked,
            )
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
        if self.supervisor.is_halted() {
            return;
        }
        let cpu_before = thread_time();
        let chains: Vec<Result<ChainEnd, FitError>> = chains.into_iter().flatten().collect();
        let log = chains.iter().enumerate().map(|(chain, end)| match end {
            Ok(end) => format!("chain {chain}: {end}"),
            Err(error) => format!("chain {chain}: {error}"),
        });
        let log = log.collect();
        let result = catch_panic(|| self.keep(task, chains), FitError::Panicked);
        let cpu = cpu + (thread_time() - cpu_before);
        self.end(task, Ended { job: task.job, wall: gathering.began.elapsed(), cpu, result }, log);
    }

    /// Joins the chains of a finished fit and hands it on.
    fn keep(&self, task: &Task, chains: Vec<Result<ChainEnd, FitError>>) -> Result<(), FitError> {
        let chains = chains.into_iter().collect::<Result<Vec<_>, _>>()?;
        let fit = join_chains(task.job, self.experiment.dataset.data.n_features(), chains)?;
        // First, so that no kill between leaves both a failure and a result.
        self.store.forget_failure(task.job)?;
        (self.keep)(task, &fit)
    }

    /// Records a failure in the place of the result; a disk that takes no results is no failure of the fit.
    fn end(&self, task: &Task, ended: EndedFit, log: Vec<String>) {
        let stored = match &ended.result {
            Ok(()) => Ok(()),
            Err(FitError::Disk(error)) => Err(error.clone()),
            // The draws are stored, and give the same error when they are read again.
            Err(FitError::Unscorable(_)) => Ok(()),
            Err(error) => {
                let inputs = fit_inputs(self.experiment, task);
                self.store.write_failure(task.job, &inputs, error, log)
            }
        };
        self.supervisor.end(ended, stored);
    }
}
