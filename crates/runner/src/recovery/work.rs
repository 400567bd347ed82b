//! Data sets one after the other: which are stored, and the others run, each whole on one thread and stored as soon as it is done.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;

use super::outcome::{Outcome, SetError, examine};
use super::stored::{outcome_of, write_outcome};
use crate::engine::progress::Progress;
use crate::engine::supervisor::{Ended, Supervision, Supervisor};
use crate::process::threads::pool;
use crate::storage::atomic::{DiskResult, make_directory, remove_directory, set_aside};
use crate::storage::inputs::Inputs;
use crate::storage::store::{self, Stored, Unavailable, forget_failure, write_failure};
use crate::study::design::Set;
use crate::study::spec::suite::{SuiteSpec, Truth};

/// Where the outcome of a set is.
#[must_use]
pub fn place(root: &Path, set: &Set) -> PathBuf {
    root.join("sets").join(format!("set={:05}", set.index)).join("outcome.parquet")
}

/// The file with the outcome of one data set, or why there is none.
///
/// # Errors
/// A file that may not be read.
pub fn find(spec: &SuiteSpec, root: &Path, set: &Set) -> DiskResult<Stored> {
    store::find(&place(root, set), &set_inputs(spec, set))
}

/// What the outcome of one data set depends on.
#[must_use]
pub fn set_inputs(spec: &SuiteSpec, set: &Set) -> Inputs {
    let design = &spec.suite;
    let least_weight = match &design.truth {
        Truth::Mixsim { least_weight, .. } => Some(*least_weight),
        Truth::Prior => None,
    };
    Inputs::new()
        .with("set", set)
        .with("suite.seed", design.seed)
        .with("suite.least_weight", least_weight)
        .with("suite.truth_from_prior", design.truth == Truth::Prior)
        .with("suite.scale", design.scale)
        .with("suite.fresh", design.fresh)
        .with("suite.contrast", &design.contrast)
        .with("model", &spec.model)
        .with("sampler", &spec.sampler)
        .with("scoring", &spec.scoring)
}

/// What a directory of results holds of one data set.
pub enum StoredSet {
    /// An outcome, or the record of a failure.
    Done(Outcome),
    /// Nothing that is current.
    ToRun,
    /// A damaged outcome, moved to this path; how the damage showed.
    SetAside(PathBuf, String),
}

/// Reads what is stored of one data set, and moves a damaged outcome out of the way.
///
/// # Errors
/// The disk.
pub fn read_stored(spec: &SuiteSpec, root: &Path, set: &Set) -> DiskResult<StoredSet> {
    let damage = match find(spec, root, set)? {
        Stored::Found(file) => match outcome_of(&file) {
            // Another version may do better.
            Ok(outcome) if outcome.failure.is_some() && !file.is_of_this_version() => {
                return Ok(StoredSet::ToRun);
            }
            Ok(outcome) => return Ok(StoredSet::Done(outcome)),
            Err(error) => format!("{error:#}"),
        },
        Stored::Unavailable(Unavailable::Damaged(reason)) => reason,
        Stored::Unavailable(Unavailable::Failed { reason, .. }) => {
            return Ok(StoredSet::Done(Outcome::from_failure(reason)));
        }
        Stored::Unavailable(Unavailable::Missing | Unavailable::Stale(_)) => return Ok(StoredSet::ToRun),
    };
    Ok(StoredSet::SetAside(set_aside(&place(root, set))?, damage))
}

/// Stores the outcome of one data set, or the record of its failure.
///
/// # Errors
/// The disk.
pub fn store_examined(
    spec: &SuiteSpec,
    root: &Path,
    set: &Set,
    examined: &Result<Outcome, SetError>,
) -> DiskResult<()> {
    let (path, inputs) = (place(root, set), set_inputs(spec, set));
    match examined {
        Ok(outcome) => {
            forget_failure(&path)?;
            write_outcome(&path, &inputs, outcome)
        }
        Err(SetError::Disk(error)) => Err(error.clone()),
        Err(error) => write_failure(&path, set, &inputs, error, Vec::new()),
    }
}

/// Where draws pass through that are not kept; a run that is killed leaves it to the next one.
pub const SCRATCH: &str = ".scratch";

/// One data set as a job: its index in the design, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetJob(pub usize);

impl fmt::Display for SetJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {}", self.0)
    }
}

/// What data sets are run with.
pub struct SuiteContext<'a> {
    pub spec: &'a SuiteSpec,
    pub root: &'a Path,
    pub supervision: Supervision<'a, SetJob, SetError>,
}

/// Outcomes by the index of their data set.
pub type Outcomes = BTreeMap<usize, Outcome>;

/// Runs data sets, each whole on one thread, and stores every outcome as soon as it is known. Then at most one data set a thread is
/// in memory, and the numbers are the same on any number of threads.
///
/// # Errors
/// The disk.
pub fn run_sets(
    context: &SuiteContext<'_>,
    missing: &[&Set],
    threads: usize,
    progress: &Progress,
) -> Result<(Outcomes, Vec<Ended<SetJob, SetError>>)> {
    let scratch = context.root.join(SCRATCH);
    remove_directory(&scratch)?;
    make_directory(&scratch)?;
    let supervisor = Supervisor::new(&context.supervision, progress);
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Outcomes::new()));
    let run = |set: &Set| {
        let (began, job) = (Instant::now(), SetJob(set.index));
        supervisor.begin(job);
        let examined = examine(context.spec, set, &scratch);
        let stored = store_examined(context.spec, context.root, set, &examined);
        let (outcome, result) = match examined {
            Ok(outcome) => {
                let failure = outcome.failure.clone();
                (outcome, failure.map_or(Ok(()), |reason| Err(SetError::SomeFits(reason))))
            }
            Err(error) => (Outcome::from_failure(error.to_string()), Err(error)),
        };
        outcomes.lock().expect("no holder of the lock panics").insert(set.index, outcome);
        // One thread does nothing else.
        let wall = began.elapsed();
        supervisor.end(Ended { job, wall, cpu: wall, result }, stored);
    };
    let worker = || -> Result<()> {
        let own = pool(Some(1))?;
        while let Some(set) = missing.get(next.fetch_add(1, Ordering::Relaxed))
            && !supervisor.is_halted()
        {
            own.install(|| run(set));
        }
        Ok(())
    };
    let workers: Vec<Result<()>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.min(missing.len())).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().map(|handle| handle.join().expect("panics of a data set are caught")).collect()
    });
    let ended = supervisor.finish()?;
    workers.into_iter().collect::<Result<()>>()?;
    remove_directory(&scratch)?;
    Ok((outcomes.into_inner().expect("no holder of the lock panics"), ended))
}
