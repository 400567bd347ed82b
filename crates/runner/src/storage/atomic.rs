//! Files that are either whole or not there: written under a temporary name, flushed, then renamed.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::interrupt;

/// How names of files begin that are being written. A run that is killed may leave some; the next one removes them.
const TEMPORARY: &str = ".writing-";

/// What cannot be done to a path. It ends a run: no other result could be stored either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be {action}: {reason}", .path.display())]
pub struct DiskError {
    path: PathBuf,
    /// What was tried, as a participle: "read", "written".
    action: &'static str,
    reason: String,
}

impl DiskError {
    #[must_use]
    pub fn new(path: &Path, action: &'static str, reason: impl fmt::Display) -> Self {
        Self { path: path.to_path_buf(), action, reason: reason.to_string() }
    }
}

/// A result of something done to files.
pub type DiskResult<T> = std::result::Result<T, DiskError>;

/// The content of a file, if there is one.
///
/// # Errors
/// A file that may not be read, a directory in its place.
pub fn read_if_there(path: &Path) -> DiskResult<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DiskError::new(path, "read", error)),
    }
}

/// Writes a file. Readers, and a later run after a crash, see the old content or the new, never a part.
///
/// # Errors
/// The directory cannot be made, or the file not be written; an earlier file of that name is then untouched.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> DiskResult<()> {
    write_through(path, |file| file.write_all(bytes).map_err(|error| DiskError::new(path, "written", error)))
}

/// The same of what is written piece by piece.
///
/// # Errors
/// As [`write_bytes`], and those of what writes.
pub fn write_through<E: From<DiskError>>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(DiskError::new(path, "written", "it names no file").into());
    };
    // Until the new file has its name, or nothing of it is left.
    let _writing = interrupt::writing();
    let written = |error: io::Error| E::from(DiskError::new(path, "written", error));
    fs::create_dir_all(directory).map_err(written)?;
    let (mut file, temporary) = temporary(directory, &name.to_string_lossy()).map_err(written)?;
    let filled = fill(&mut file).and_then(|()| {
        let keep = || -> io::Result<()> {
            file.sync_all()?;
            fs::rename(&temporary, path)
        };
        keep().map_err(written)
    });
    filled.inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// A new file beside the one that is to be written, under a name that no other writer has: where another process has the same
/// number, as in another container, the next name is taken.
fn temporary(directory: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("{TEMPORARY}{}-{number}-{name}", std::process::id()));
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            outcome => return outcome.map(|file| (file, path)),
        }
    }
}

/// Makes a directory, and those above it, where it is not there.
///
/// # Errors
/// The disk.
pub fn make_directory(path: &Path) -> DiskResult<()> {
    fs::create_dir_all(path).map_err(|error| DiskError::new(path, "made", error))
}

/// Removes a file, if there is one.
///
/// # Errors
/// The disk.
pub fn remove_file(path: &Path) -> DiskResult<()> {
    absent_or(fs::remove_file(path)).map_err(|error| DiskError::new(path, "removed", error))
}

/// Removes a directory with all that is in it, if there is one.
///
/// # Errors
/// The disk.
pub fn remove_directory(path: &Path) -> DiskResult<()> {
    absent_or(fs::remove_dir_all(path)).map_err(|error| DiskError::new(path, "removed", error))
}

/// What is not there need not be removed.
fn absent_or(outcome: io::Result<()>) -> io::Result<()> {
    outcome.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Moves a file out of the way, beside where it was: to `<name>.damaged`, or the first such name with a number that is free. Gives
/// the new path.
///
/// # Errors
/// The disk.
pub fn set_aside(path: &Path) -> DiskResult<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let candidate = |count: usize| {
        let number = if count == 0 { String::new() } else { format!("-{}", count + 1) };
        path.with_file_name(format!("{name}.damaged{number}"))
    };
    let free = (0..).map(candidate).find(|candidate| !candidate.exists());
    let free = free.expect("there is no end of numbers");
    fs::rename(path, &free).map_err(|error| DiskError::new(path, "set aside", error))?;
    Ok(free)
}

/// Removes what killed runs were writing below a directory; nobody else may be writing there.
///
/// # Errors
/// A directory that cannot be listed, a file that cannot be removed.
pub fn sweep(root: &Path) -> DiskResult<()> {
    files_below(root)?.iter().filter(|path| is_temporary(path)).try_for_each(|path| remove_file(path))
}

/// Whether a file is one that is being written, or was when its writer was killed.
#[must_use]
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY))
}

/// Every file below a directory, in alphabetical order; none where there is no such directory. Links are files.
///
/// # Errors
/// A directory that cannot be listed.
pub fn files_below(root: &Path) -> DiskResult<Vec<PathBuf>> {
    let (mut files, mut directories) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(directory) = directories.pop() {
        let mut list = || -> io::Result<()> {
            for entry in fs::read_dir(&directory)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() { &mut directories } else { &mut files }.push(entry.path());
            }
            Ok(())
        };
        absent_or(list()).map_err(|error| DiskError::new(&directory, "listed", error))?;
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_a_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write_bytes(&file.join("result"), b"").unwrap_err();
        assert!(error.to_string().contains("result cannot be written: "), "{error}");
    }

    #[test]
    fn a_failed_write_leaves_the_old_content_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        // A directory cannot be renamed over: the last step fails.
        let path = directory.path().join("result");
        fs::create_dir_all(path.join("old")).unwrap();
        assert_eq!(write_bytes(&path, b"new").unwrap_err().action, "written");
        assert!(path.join("old").exists());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_are_set_aside_beside_one_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("draws.parquet");
        for (content, name) in [("a", "draws.parquet.damaged"), ("b", "draws.parquet.damaged-2")] {
            fs::write(&path, content).unwrap();
            assert_eq!(set_aside(&path).unwrap(), directory.path().join(name));
            assert_eq!(fs::read_to_string(directory.path().join(name)).unwrap(), content);
        }
        assert!(!path.exists());
    }

    #[test]
    fn what_killed_runs_were_writing_is_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        for name in [".writing-7-0-draws.parquet", "draws.parquet", ".lock"] {
            fs::write(below.join(name), "").unwrap();
        }
        sweep(directory.path()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(&below).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".lock", "draws.parquet"]);
        sweep(&directory.path().join("nothing")).unwrap();
    }
}
