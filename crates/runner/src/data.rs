//! Reads the observations from a CSV or Parquet file, and refuses cells and columns that could mislead a fit.

mod blocks;
mod csv;
mod dataset;
mod faults;
mod file;
pub mod parquet;
mod table;

use std::io::Read;
use std::path::Path;

use crate::cli::problem::{Problem, Problems};
use crate::parquet::MAGIC;
use crate::study::spec::DataSpec;

use file::{not_utf8, open};

pub use blocks::{Block, RowBlocks};
pub use dataset::{Dataset, distinct_rows, most_components};

/// Bytes of a file. It is read into memory whole.
const MOST_BYTES: u64 = 1 << 30;

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
    let cannot = |error: std::io::Error| problem(format!("`{shown}` cannot be read: {error}"));
    let (mut file, _) = open(path, shown)?;
    let length = file.metadata().map_err(cannot)?.len();
    if length > MOST_BYTES {
        let message = format!("`{shown}` has {length} bytes; the limit is {MOST_BYTES}");
        return Err(problem(message)
            .help("keep only the columns you need, or a random subset of the rows")
            .into());
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
