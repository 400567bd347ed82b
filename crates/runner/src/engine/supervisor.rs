//! Watches over jobs of any kind: which run, how each ended, and when to stop.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::engine::progress::Progress;
use crate::storage::atomic::DiskError;
use crate::storage::lock::RunLock;

/// How one job ended.
#[derive(Debug)]
pub struct Ended<J, E> {
    pub job: J,
    /// From its first moment to its last; other jobs may have run between.
    pub wall: Duration,
    /// CPU time of its own work, and its share of work that several jobs have in common.
    pub cpu: Duration,
    pub result: Result<(), E>,
}

/// Called with how a job ended.
pub type OnEnd<'a, J, E> = &'a (dyn Fn(&Ended<J, E>) + Sync);

/// What a run wants of its jobs.
pub struct Supervision<'a, J, E> {
    /// Notified of every job that begins and ends.
    pub lock: Option<&'a RunLock>,
    /// Called when a job has ended, at once.
    pub on_end: Option<OnEnd<'a, J, E>>,
    /// Whether the first failure stops the run.
    pub fail_fast: bool,
}

impl<J, E> Default for Supervision<'_, J, E> {
    fn default() -> Self {
        Self { lock: None, on_end: None, fail_fast: false }
    }
}

/// What is known of the jobs of one run.
pub struct Supervisor<'a, J, E> {
    supervision: &'a Supervision<'a, J, E>,
    progress: &'a Progress,
    ended: Mutex<Vec<Ended<J, E>>>,
    /// Set when nothing more is to begin and what runs is to end.
    halt: AtomicBool,
    /// The first; later ones are of the same disk.
    disk_error: Mutex<Option<DiskError>>,
}

/// No thread panics while it holds one of the locks here.
const LOCK: &str = "no holder of the lock panics";

impl<'a, J: Copy + Ord + fmt::Display, E> Supervisor<'a, J, E> {
    #[must_use]
    pub fn new(supervision: &'a Supervision<'a, J, E>, progress: &'a Progress) -> Self {
        Self {
            supervision,
            progress,
            ended: Mutex::default(),
            halt: AtomicBool::new(false),
            disk_error: Mutex::default(),
        }
    }

    /// Set once the run is to stop.
    #[must_use]
    pub fn halt(&self) -> &AtomicBool {
        &self.halt
    }

    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halt.load(Ordering::Relaxed)
    }

    /// A job begins.
    pub fn begin(&self, job: J) {
        if let Some(lock) = self.supervision.lock {
            lock.begin(job.to_string());
        }
    }

    /// A job has ended, and its result or the record of its failure is `stored`.
    pub fn end(&self, ended: Ended<J, E>, stored: Result<(), DiskError>) {
        if let Some(lock) = self.supervision.lock {
            lock.end(&ended.job.to_string());
        }
        // A disk that takes no result takes none of the others: nothing more is to be run.
        if let Err(error) = stored {
            self.halt.store(true, Ordering::Relaxed);
            self.disk_error.lock().expect(LOCK).get_or_insert(error);
            return;
        }
        if self.supervision.fail_fast && ended.result.is_err() {
            self.halt.store(true, Ordering::Relaxed);
        }
        self.progress.end_job();
        if let Some(on_end) = self.supervision.on_end {
            on_end(&ended);
        }
        self.ended.lock().expect(LOCK).push(ended);
    }

    /// How all jobs ended, in their order; those that a halt kept from running are missing.
    ///
    /// # Errors
    /// The disk took no results.
    pub fn finish(self) -> Result<Vec<Ended<J, E>>, DiskError> {
        self.progress.finish();
        if let Some(error) = self.disk_error.into_inner().expect(LOCK) {
            return Err(error);
        }
        let mut ended = self.ended.into_inner().expect(LOCK);
        ended.sort_by_key(|ended| ended.job);
        Ok(ended)
    }
}
