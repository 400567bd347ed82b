//! The results directory of an experiment: what is stored of each job, or why there is nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use polars::prelude::*;

use crate::engine::experiment::Experiment;
use crate::engine::task::{Job, Task};
use crate::storage::atomic::{read_if_there, remove_file, set_aside};

use super::failures::{FAILURE, FailureRecord};
use super::inputs::{Change, Inputs};
use super::seal::Sealed;

/// The results directory of one experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    pub(super) root: PathBuf,
}

/// Why there is no result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    Missing,
    /// What is stored is of other inputs.
    Stale(Vec<Change>),
    /// What is stored is not what was written; how that shows.
    Damaged(String),
    /// It was tried and failed: why, and what led to it.
    Failed {
        reason: String,
        log: Vec<String>,
    },
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no stored result; `gmm run` makes what is missing"),
            Self::Stale(changes) => write!(f, "the stored result is stale: {}", Change::list(changes)),
            Self::Damaged(reason) => write!(f, "the stored result is damaged: {reason}"),
            Self::Failed { reason, .. } => f.write_str(reason),
        }
    }
}

/// The result at a path, if it is whole and has the inputs that it would have now; or why there is none.
///
/// # Errors
/// A file that may not be read, a directory in its place.
pub fn find(path: &Path, inputs: &Inputs) -> Result<Result<Sealed, Lack>> {
    Ok(match read_if_there(path)?.map(Sealed::open) {
        Some(Ok(file)) => match file.inputs() {
            Ok(stored) if stored == *inputs => Ok(file),
            Ok(stored) => Err(Lack::Stale(inputs.changes_since(&stored))),
            Err(_) => Err(Lack::Damaged("it does not say what it depends on".to_owned())),
        },
        Some(Err(error)) => Err(Lack::Damaged(format!("{error:#}"))),
        None => match FailureRecord::read(&path.with_file_name(FAILURE))? {
            Some(record) if record.is_of(inputs) => {
                Err(Lack::Failed { reason: record.reason, log: record.log })
            }
            _ => Err(Lack::Missing),
        },
    })
}

impl Store {
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a job's result is, in hive layout.
    #[must_use]
    pub fn path(&self, job: Job) -> PathBuf {
        let (top, name) = job.part.place();
        let below = self.root.join(top).join(format!("components={}/seed={}", job.components, job.seed));
        match name {
            None => below.join("draws.parquet"),
            Some(name) => below.join(name).join("held_out.parquet"),
        }
    }

    fn failure_path(&self, job: Job) -> PathBuf {
        self.path(job).with_file_name(FAILURE)
    }

    /// [`find`] of a job's result.
    ///
    /// # Errors
    /// As there.
    pub fn find(&self, experiment: &Experiment, task: &Task) -> Result<Result<Sealed, Lack>> {
        find(&self.path(task.job), &Inputs::of_fit(experiment, task))
    }

    /// Removes what there is of a job.
    ///
    /// # Errors
    /// The disk.
    pub fn remove(&self, job: Job) -> Result<()> {
        remove_file(&self.path(job))?;
        remove_file(&self.failure_path(job))
    }

    /// Moves a job's damaged result out of the way, for people to look at. Gives the new path.
    ///
    /// # Errors
    /// The disk.
    pub fn set_aside(&self, job: Job) -> Result<PathBuf> {
        set_aside(&self.path(job))
    }

    /// Puts the record of a failure in the place of a job's result.
    ///
    /// # Errors
    /// The disk.
    pub fn write_failure(
        &self,
        experiment: &Experiment,
        task: &Task,
        reason: &str,
        log: Vec<String>,
    ) -> Result<()> {
        let inputs = Inputs::of_fit(experiment, task);
        let record = FailureRecord::new(task.job.to_string(), reason.to_owned(), log, &inputs);
        record.write(&self.failure_path(task.job))?;
        // A stale result, which the record would otherwise hide behind.
        remove_file(&self.path(task.job))
    }

    /// Forgets that a job failed, now that its result is there.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_failure(&self, job: Job) -> Result<()> {
        remove_file(&self.failure_path(job))
    }
}

pub fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<f64>> {
    let column = frame.column(name)?.f64()?;
    ensure!(column.null_count() == 0, "column {name} has empty cells");
    Ok(column.into_no_null_iter().collect())
}

pub fn integers(frame: &DataFrame, name: &str) -> Result<Vec<u32>> {
    let column = frame.column(name)?.u32()?;
    ensure!(column.null_count() == 0, "column {name} has empty cells");
    Ok(column.into_no_null_iter().collect())
}
