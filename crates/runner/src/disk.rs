//! Files that are either whole or not there: written under a temporary name, flushed, then renamed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file through `write`. Readers, and a later run after a crash, see the old content or the new, never a part.
///
/// # Errors
/// The directory cannot be made, or the file not be written; an earlier file of that name is then untouched.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let directory = path.parent().context("a file has a directory")?;
    let attempt = || -> Result<()> {
        fs::create_dir_all(directory)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".writing-");
        // A temporary file is private by default; results are for everybody whom the umask lets read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(directory)?;
        let mut buffer = BufWriter::new(temporary.reopen()?);
        write(&mut buffer)?;
        buffer.flush()?;
        buffer.get_ref().sync_all()?;
        drop(buffer);
        temporary.persist(path)?;
        Ok(())
    };
    attempt().with_context(|| format!("{} cannot be written", path.display()))
}

/// [`write_whole`] of bytes that are all there.
///
/// # Errors
/// As there.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, |file| Ok(file.write_all(bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a").join("result");
        write_bytes(&path, b"old").unwrap();
        let failed = write_whole(&path, |file| {
            file.write_all(b"ne")?;
            anyhow::bail!("the disk is full")
        });
        assert!(format!("{:#}", failed.unwrap_err()).contains("the disk is full"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_a_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write_bytes(&file.join("result"), b"").unwrap_err();
        assert!(format!("{error:#}").contains("result cannot be written"), "{error:#}");
    }
}
