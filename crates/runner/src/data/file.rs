//! Opening a data file, and saying why it cannot be one.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::path::Path;

use crate::cli::problem::{Excerpt, Problem, Problems};
use crate::parquet::MAGIC;

/// What `data.path` may name.
const ALLOWED: &str = "allowed: a CSV or Parquet file";

/// Opens a regular file. Its first bytes, which say what it is, come with it; it is read from the beginning again.
///
/// # Errors
/// A file that is missing, empty or not regular, the disk.
pub fn open(path: &Path, shown: &str) -> Result<(File, Vec<u8>), Problems> {
    let problem = |message: String| Problem::with_key(shown, "data.path", message);
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(beside(path)
                .iter()
                .fold(
                    problem(format!("there is no file `{shown}`"))
                        .note(format!("looked for {}", path.display())),
                    |problem, names| {
                        let typed = path.file_name().unwrap_or_default().to_string_lossy();
                        problem.did_you_mean(&typed, names.iter().map(String::as_str))
                    },
                )
                .into());
        }
        Err(error) => return Err(problem(format!("`{shown}` cannot be read: {error}")).into()),
    };
    if metadata.is_dir() {
        return Err(problem(format!("`{shown}` is a directory")).label(ALLOWED).into());
    }
    // A pipe or a device may never end.
    if !metadata.is_file() {
        return Err(problem(format!("`{shown}` is not a regular file")).label(ALLOWED).into());
    }
    if metadata.len() == 0 {
        return Err(Problem::new(shown, "the file is empty").label(ALLOWED).into());
    }
    let first = || -> std::io::Result<(File, Vec<u8>)> {
        let mut file = File::open(path)?;
        let mut first = Vec::new();
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut first)?;
        file.rewind()?;
        Ok((file, first))
    };
    Ok(first().map_err(|error| problem(format!("`{shown}` cannot be read: {error}")))?)
}

/// The names of the files beside a path, if its directory can be listed.
fn beside(path: &Path) -> Option<Vec<String>> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = directory.read_dir().ok()?.flatten();
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Some(names)
}

/// The problem of bytes that are text only up to some place.
pub fn not_utf8(shown: &str, valid: &[u8]) -> Problem {
    let valid = std::str::from_utf8(valid).expect("the bytes before the first invalid one are valid");
    Problem::new(shown, "the file is not UTF-8 text")
        .at(shown, Excerpt::new(valid, valid.len()..valid.len()))
        .label("invalid UTF-8 here")
        .help("save the file as UTF-8, or as Parquet")
}
