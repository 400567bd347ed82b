//! Reads the observations from a file, and refuses every row that could mislead a fit, by name and place.

mod csv;
mod finding;
pub mod parquet;
mod table;

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

use gmm_sampler::data::Data;

use crate::cli::problem::{Excerpt, Problem, Problems};
use crate::parquet::MAGIC;
use crate::study::spec::DataSpec;

/// A bound on what is read and held in memory; arbitrary.
pub const MOST_ROWS: usize = 1_000_000;
/// A component has D(D + 3)/2 parameters: 5150 at this limit. Full covariances of more features need another model.
pub const MOST_FEATURES: usize = 100;
/// Columns that are looked through for numbers; a file may have any number of others where the wanted ones are named.
pub const MOST_COLUMNS: usize = 10_000;
/// Cells of the wanted columns of a CSV file: 1.6 GB.
pub const MOST_CELLS: usize = 200_000_000;
/// The file is read into memory whole.
const MOST_BYTES: u64 = 1 << 30;

/// The observations, and where each came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name of each feature, in the order asked for; by default in the order of the file.
    pub columns: Vec<String>,
    /// On the file's own scale.
    pub data: Data,
    /// Of each observation: its line in a CSV file, its row in a Parquet file, counted from 1.
    pub rows: Vec<usize>,
    /// The class of each observation, as text.
    pub classes: Option<Vec<String>>,
    /// The group of each observation, as text: rows that belong together and are held out together.
    pub groups: Option<Vec<String>>,
    /// How many rows were left out because a cell was missing.
    pub dropped: usize,
    /// BLAKE3 of the file's bytes, in hexadecimal.
    pub hash: String,
}

/// Reads the data that `spec` asks for from the file at `path`, and the column that says which rows belong together, if there is
/// to be one. Reports call the file what the spec calls it.
///
/// # Errors
/// The file cannot be read, or its cells cannot be the observations of a mixture: all that can be told at once.
pub fn read(path: &Path, spec: &DataSpec, groups: Option<&str>) -> Result<Dataset, Problems> {
    of_bytes(bytes(path, &spec.path)?, spec, groups)
}

/// Reads the data from a file's bytes.
///
/// # Errors
/// As [`read`].
pub fn of_bytes(bytes: Vec<u8>, spec: &DataSpec, groups: Option<&str>) -> Result<Dataset, Problems> {
    let hash = blake3::hash(&bytes).to_hex().to_string();
    // The first bytes say what a file is; its name may not.
    if bytes.starts_with(MAGIC) {
        return parquet::table(&bytes, spec, groups)?.judge(spec, hash);
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => return Err(not_utf8(&spec.path, &bytes[..error.valid_up_to()]).into()),
    };
    csv::table(text, spec, groups)?.judge(spec, hash)
}

/// How many different rows there are. k-means has no more centroids than these to give.
#[must_use]
pub fn distinct_rows(data: &Data) -> usize {
    // Adding 0 turns −0 into 0: equal numbers then have equal bits, for there is no NaN.
    let bits = |value: f64| (value + 0.0).to_bits();
    let row = |i| data.observation(i).into_iter().map(bits).collect::<Vec<_>>();
    (0..data.n_observations()).map(row).collect::<HashSet<_>>().len()
}

/// The bytes of a regular file of bearable size.
fn bytes(path: &Path, shown: &str) -> Result<Vec<u8>, Problems> {
    let problem = |message: String| Problem::of_key(shown, "data.path", message);
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
        return Err(problem(format!("`{shown}` is a directory"))
            .label("allowed: a CSV or Parquet file")
            .into());
    }
    // A pipe or a device may never end.
    if !metadata.is_file() {
        return Err(problem(format!("`{shown}` is not a regular file")).into());
    }
    if metadata.len() > MOST_BYTES {
        let message = format!("`{shown}` has {} bytes, at most {MOST_BYTES} are read", metadata.len());
        return Err(problem(message).into());
    }
    let bytes = std::fs::read(path).map_err(|error| problem(format!("`{shown}` cannot be read: {error}")))?;
    if bytes.is_empty() {
        return Err(Problem::of_file(shown, "the file is empty").into());
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
    let valid = std::str::from_utf8(valid).expect("what comes before the first invalid byte is valid");
    Problem::of_file(shown, "the file is not UTF-8 text")
        .at(shown, Excerpt::new(valid, valid.len()..valid.len()))
        .label("the next byte is no character of UTF-8")
        .help("save the file as UTF-8, or as Parquet")
}

#[cfg(test)]
mod tests;
