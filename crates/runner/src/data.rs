//! Reads the observations from a CSV or Parquet file, and refuses cells and columns that could mislead a fit.

mod csv;
mod dataset;
mod faults;
pub mod parquet;
mod table;

use std::io::ErrorKind;
use std::path::Path;

use crate::cli::problem::{Excerpt, Problem, Problems};
use crate::parquet::MAGIC;
use crate::study::spec::DataSpec;

pub use dataset::{Dataset, distinct_rows, most_components};

/// Bytes of a file. It is read into memory whole.
const MOST_BYTES: u64 = 1 << 30;

/// What `data.path` may name.
const ALLOWED: &str = "allowed: a CSV or Parquet file";

/// Reads the data that `spec` asks for from the file at `path`, and the column of that name that holds the groups, if one is given.
/// Messages call the file what the spec calls it.
///
/// # Errors
/// The file cannot be read, or its cells cannot be the observations of a mixture. Problems that do not depend on each other come
/// all at once.
pub fn read(path: &Path, spec: &DataSpec, groups: Option<&str>) -> Result<Dataset, Problems> {
    from_bytes(bytes(path, &spec.path)?, spec, groups)
}

/// Reads the data from a file's bytes.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: Vec<u8>, spec: &DataSpec, groups: Option<&str>) -> Result<Dataset, Problems> {
    let hash = blake3::hash(&bytes).to_hex().to_string();
    // The first bytes say what a file is; its name may not.
    if bytes.starts_with(MAGIC) {
        return parquet::table(&bytes, spec, groups)?.into_dataset(spec, groups, hash);
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => return Err(not_utf8(&spec.path, &bytes[..error.valid_up_to()]).into()),
    };
    csv::table(text, spec, groups)?.into_dataset(spec, groups, hash)
}

/// The bytes of a regular file within the size limit.
fn bytes(path: &Path, shown: &str) -> Result<Vec<u8>, Problems> {
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
    if metadata.len() > MOST_BYTES {
        let message = format!("`{shown}` has {} bytes; the limit is {MOST_BYTES}", metadata.len());
        return Err(problem(message)
            .help("keep only the columns you need, or a random subset of the rows")
            .into());
    }
    let bytes = std::fs::read(path).map_err(|error| problem(format!("`{shown}` cannot be read: {error}")))?;
    if bytes.is_empty() {
        return Err(Problem::new(shown, "the file is empty").label(ALLOWED).into());
    }
    Ok(bytes)
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

fn not_utf8(shown: &str, valid: &[u8]) -> Problem {
    let valid = std::str::from_utf8(valid).expect("the bytes before the first invalid one are valid");
    Problem::new(shown, "the file is not UTF-8 text")
        .at(shown, Excerpt::new(valid, valid.len()..valid.len()))
        .label("invalid UTF-8 here")
        .help("save the file as UTF-8, or as Parquet")
}

#[cfg(test)]
mod tests;
