//! A study from its spec's file: an experiment or a suite of them.

use std::io::Read;
use std::path::Path;

use crate::cli::problem::{Excerpt, Problem, Problems};
use crate::study::spec::suite::{SuiteSpec, read_suite};
use crate::study::spec::{Reading, read};

/// What a spec asks for.
pub enum Study {
    /// One data set. Problems of its spec are reported together with those of its data.
    Experiment(Reading),
    /// Many simulated data sets, each run as an experiment.
    Suite(SuiteSpec),
}

impl Study {
    /// Reads the spec at a path. A `[suite]` table makes it a suite's.
    ///
    /// # Errors
    /// A file that cannot be read, a text that is not TOML; all that is wrong with a suite's spec.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let shown = path.display().to_string();
        let text = text(path, &shown)?;
        // The reader of experiments reports what is not TOML.
        let is_suite = text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("suite"));
        if is_suite {
            read_suite(&shown, &text).map(Self::Suite)
        } else {
            read(&shown, &text).map(Self::Experiment)
        }
    }
}

/// Bytes. A spec is a page of text; a larger file was given by mistake.
pub const LARGEST_SPEC: u64 = 1 << 20;

/// The text of a spec file.
///
/// # Errors
/// A file that cannot be read as text, or is too large to be a spec.
fn text(path: &Path, shown: &str) -> Result<String, Problems> {
    let mut bytes = Vec::new();
    let read = path.metadata().and_then(|metadata| {
        // A directory or a pipe: the first cannot be read, the second may never end.
        if !metadata.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        std::fs::File::open(path)?.take(LARGEST_SPEC + 1).read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return Err(Problem::new(shown, format!("the spec cannot be read: {error}")).into());
    }
    if bytes.len() as u64 > LARGEST_SPEC {
        let message = format!("the file is too large for a spec: the limit is {LARGEST_SPEC} bytes");
        return Err(Problem::new(shown, message).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid_up_to = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        Problem::new(shown, "the spec is not UTF-8 text")
            .at(shown, Excerpt::new(&text, valid_up_to..valid_up_to))
            .label("invalid UTF-8 here")
            .into()
    })
}
