//! One run at a time in a directory of results, by a lock that the operating system releases however its holder ends.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::cli::messages::say;
use crate::process::clock::now;
use crate::storage::atomic::{DiskError, DiskResult, make_directory, sweep};

/// Held while jobs run. It names its holder, and is empty when there is none.
const RUN: &str = ".lock";
/// Held while tables and page are made, by a run or by a report that is drawn meanwhile.
const REPORT: &str = ".report-lock";

/// Looking whether a lock is held takes it for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who runs jobs in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub process: u32,
    pub host: String,
    /// Seconds since 1970.
    pub since: u64,
    pub running: BTreeSet<String>,
}

/// The right to run jobs in a directory, given back when dropped, killed or crashed.
#[derive(Debug)]
pub struct RunLock {
    /// None where the file system knows no locks.
    file: Option<Mutex<(File, Holder)>>,
}

/// The right to make tables and page, likewise.
#[derive(Debug)]
pub struct ReportLock(
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")] Option<File>,
);

impl RunLock {
    /// Takes it, and removes what killed holders were writing.
    ///
    /// # Errors
    /// Somebody else holds it, or the directory cannot be written to.
    pub fn take(root: &Path) -> Result<Self> {
        let path = root.join(RUN);
        let file = open(&path)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => sleep(PATIENCE / 20),
                Err(TryLockError::WouldBlock) => bail!(
                    "{} is in use by {}: wait for that run, or choose another directory with --out",
                    root.display(),
                    read(&path).map_or("another run".to_owned(), |holder| holder.to_string())
                ),
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    say!(
                        "warning: the file system of {} has no locks: do not start a second run there",
                        root.display()
                    );
                    return Ok(Self { file: None });
                }
                Err(TryLockError::Error(error)) => return Err(DiskError::new(&path, "locked", error).into()),
            }
        }
        let holder =
            Holder { process: std::process::id(), host: host(), since: now(), running: BTreeSet::new() };
        let lock = Self { file: Some(Mutex::new((file, holder))) };
        lock.change(|_| ());
        // A report that is being drawn writes too.
        let _lock = ReportLock::wait(root)?;
        sweep(root)?;
        Ok(lock)
    }

    /// Says that a job runs.
    pub fn begin(&self, job: String) {
        self.change(|running| running.extend([job]));
    }

    /// Says that it no longer does.
    pub fn end(&self, job: &str) {
        self.change(|running| running.retain(|other| other != job));
    }

    /// What is written is for people: an error is nobody's loss.
    fn change(&self, change: impl FnOnce(&mut BTreeSet<String>)) {
        if let Some(file) = &self.file {
            let (file, holder) = &mut *file.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut holder.running);
            let text = serde_json::to_string(holder).expect("a holder is plain data");
            drop(rewrite(file, text.as_bytes()));
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            drop(rewrite(&mut file.lock().unwrap_or_else(PoisonError::into_inner).0, b""));
        }
    }
}

impl ReportLock {
    /// Waits until nobody else makes tables and page in this directory.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn wait(root: &Path) -> DiskResult<Self> {
        let path = root.join(REPORT);
        let file = open(&path)?;
        match file.lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Self(None)),
            Err(error) => Err(DiskError::new(&path, "locked", error)),
        }
    }
}

/// Who runs jobs in a directory, if anybody does.
#[must_use]
pub fn holder(root: &Path) -> Option<Holder> {
    let path = root.join(RUN);
    match File::open(&path).ok()?.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read(&path),
        _ => None,
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minutes = now().saturating_sub(self.since) / 60;
        write!(f, "process {} on {}, for {minutes} min", self.process, self.host)
    }
}

fn open(path: &Path) -> DiskResult<File> {
    make_directory(path.parent().expect("a lock is in a directory"))?;
    let mut options = OpenOptions::new();
    // What another holder says of itself stays until the lock is taken.
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|error| DiskError::new(path, "written", error))
}

/// None while it is being written.
fn read(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn rewrite(file: &mut File, text: &[u8]) -> std::io::Result<()> {
    file.rewind()?;
    // Shortened last, so that a reader finds more than the text and not less.
    file.write_all(text)?;
    file.set_len(text.len() as u64)
}

/// The machine's name in its network.
fn host() -> String {
    let mut name = String::new();
    let read = File::open("/proc/sys/kernel/hostname").and_then(|mut file| file.read_to_string(&mut name));
    if read.is_ok() { name.trim().to_owned() } else { "this machine".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_tells_by_whom_and_what_runs() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("results");
        assert_eq!(holder(&root), None);
        let lock = RunLock::take(&root).unwrap();
        lock.begin("K = 2, seed 1".to_owned());
        lock.begin("K = 3, seed 1".to_owned());
        lock.end("K = 2, seed 1");
        let held = holder(&root).unwrap();
        assert_eq!(held.process, std::process::id());
        assert!(held.running.iter().eq(["K = 3, seed 1"]), "{held:?}");
        let refused = RunLock::take(&root).unwrap_err().to_string();
        assert!(refused.contains(&format!("in use by process {}", held.process)), "{refused}");
        drop(lock);
        assert_eq!(holder(&root), None);
        assert_eq!(fs::read(root.join(RUN)).unwrap(), b"");
        RunLock::take(&root).unwrap();
    }

    #[test]
    fn what_a_killed_holder_left_is_no_lock() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(RUN), r#"{"process":1,"host":"a","since":0,"running":["x"]}"#)
            .unwrap();
        assert_eq!(holder(directory.path()), None);
        let _lock = RunLock::take(directory.path()).unwrap();
        assert!(holder(directory.path()).unwrap().running.is_empty());
    }
}
