//! The results directory of an experiment: what is stored of each job, or why there is nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::storage::atomic::{DiskResult, read_if_there, remove_file, set_aside};
use crate::study::job::{Job, Kept};

use super::failures::{FAILURE, FailureRecord};
use super::inputs::{Change, Inputs};
use super::seal::Sealed;

/// The results directory of one experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    pub(super) root: PathBuf,
}

/// What a directory of results holds of a job.
#[derive(Debug)]
pub enum Stored {
    /// Its result, whole and current.
    Found(Sealed),
    /// No current result.
    Unavailable(Unavailable),
}

/// Why there is no current result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// Nothing is stored.
    Missing,
    /// What is stored has other inputs.
    Stale(Vec<Change>),
    /// What is stored is not what was written; how that shows.
    Damaged(String),
    /// The job failed.
    Failed {
        reason: String,
        /// What happened before, a line each.
        log: Vec<String>,
    },
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no stored result: run `gmm run` to compute it"),
            Self::Stale(changes) => write!(f, "the stored result is stale: {}", Change::list(changes)),
            Self::Damaged(reason) => write!(f, "the stored result is damaged: {reason}"),
            Self::Failed { reason, .. } => f.write_str(reason),
        }
    }
}

/// What is stored at a path, compared with the inputs that the result would have now.
///
/// # Errors
/// A file that may not be read, a directory in its place.
pub fn find(path: &Path, inputs: &Inputs) -> DiskResult<Stored> {
    Ok(match read_if_there(path)?.map(Sealed::open) {
        Some(Ok(file)) => match file.inputs() {
            Ok(stored) if stored == *inputs => Stored::Found(file),
            Ok(stored) => Unavailable::Stale(inputs.changes_since(&stored)).into(),
            Err(_) => Unavailable::Damaged("the file names no inputs".to_owned()).into(),
        },
        Some(Err(error)) => Unavailable::Damaged(format!("{error:#}")).into(),
        None => match FailureRecord::read(&path.with_file_name(FAILURE))? {
            Some(record) if record.is_of(inputs) => {
                Unavailable::Failed { reason: record.reason, log: record.log }.into()
            }
            _ => Unavailable::Missing.into(),
        },
    })
}

/// Removes the result at a path, and the record of a failure in its place.
///
/// # Errors
/// The disk.
pub fn remove(path: &Path) -> DiskResult<()> {
    remove_file(path)?;
    forget_failure(path)
}

/// Puts the record of a failure in the place of the result at a path.
///
/// # Errors
/// The disk.
pub fn write_failure(
    path: &Path,
    job: &impl fmt::Display,
    inputs: &Inputs,
    reason: &impl fmt::Display,
    log: Vec<String>,
) -> DiskResult<()> {
    let record = FailureRecord::new(job.to_string(), reason.to_string(), log, inputs);
    record.write(&path.with_file_name(FAILURE))?;
    // A stale result would otherwise hide the record.
    remove_file(path)
}

/// Removes the record of a failure. Do so before the result is written, so that no kill between leaves both.
///
/// # Errors
/// The disk.
pub fn forget_failure(path: &Path) -> DiskResult<()> {
    remove_file(&path.with_file_name(FAILURE))
}

impl From<Unavailable> for Stored {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
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
        let file = match job.variant.kept() {
            Kept::Draws => "draws.parquet",
            Kept::HeldOut => "held_out.parquet",
        };
        self.root.join(job.directory()).join(file)
    }

    /// What is stored of a job, compared with the inputs that its result would have now.
    ///
    /// # Errors
    /// A file that may not be read, a directory in its place.
    pub fn find(&self, job: Job, inputs: &Inputs) -> DiskResult<Stored> {
        find(&self.path(job), inputs)
    }

    /// Removes what there is of a job.
    ///
    /// # Errors
    /// The disk.
    pub fn remove(&self, job: Job) -> DiskResult<()> {
        remove(&self.path(job))
    }

    /// Moves a job's damaged result out of the way, for people to look at. Gives the new path.
    ///
    /// # Errors
    /// The disk.
    pub fn set_aside(&self, job: Job) -> DiskResult<PathBuf> {
        set_aside(&self.path(job))
    }

    /// Puts the record of a failure in the place of a job's result.
    ///
    /// # Errors
    /// The disk.
    pub fn write_failure(
        &self,
        job: Job,
        inputs: &Inputs,
        reason: &impl fmt::Display,
        log: Vec<String>,
    ) -> DiskResult<()> {
        write_failure(&self.path(job), &job, inputs, reason, log)
    }

    /// Forgets that a job failed, now that its result is there.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_failure(&self, job: Job) -> DiskResult<()> {
        forget_failure(&self.path(job))
    }
}
