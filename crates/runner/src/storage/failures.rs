//! The record of a job that failed, in the place of its result: the reason, what led to it, and what it depended on.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::footer::VERSION;
use super::inputs::Inputs;
use crate::storage::atomic::{DiskResult, read_if_there, write_bytes};

/// The record's file name, beside that of the result.
pub const FAILURE: &str = "failure.json";

/// What is known of a failed job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRecord {
    pub job: String,
    pub reason: String,
    /// What happened before, a line each.
    pub log: Vec<String>,
    /// The job failed in this version; another may do better.
    version: String,
    /// The text of its inputs.
    inputs: String,
    /// BLAKE3 of all the above.
    checksum: String,
}

impl FailureRecord {
    #[must_use]
    pub fn new(job: String, reason: String, log: Vec<String>, inputs: &Inputs) -> Self {
        let record = Self {
            job,
            reason,
            log,
            version: VERSION.to_owned(),
            inputs: inputs.text(),
            checksum: String::new(),
        };
        Self { checksum: record.checksum(), ..record }
    }

    fn checksum(&self) -> String {
        let content = Self { checksum: String::new(), ..self.clone() };
        let text = serde_json::to_string(&content).expect("a record is plain data");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// Whether it tells of the same work, done by this version.
    #[must_use]
    pub fn is_of(&self, inputs: &Inputs) -> bool {
        self.version == VERSION && self.inputs == inputs.text()
    }

    /// # Errors
    /// The disk.
    pub fn write(&self, path: &Path) -> DiskResult<()> {
        let mut text = serde_json::to_string_pretty(self).expect("a record is plain data");
        text.push('\n');
        write_bytes(path, text.as_bytes())
    }

    /// The record at a path; none where there is none, or what is there is no whole record: such a failure is as good as forgotten.
    ///
    /// # Errors
    /// A file that may not be read.
    pub fn read(path: &Path) -> DiskResult<Option<Self>> {
        let Some(bytes) = read_if_there(path)? else { return Ok(None) };
        let record = serde_json::from_slice::<Self>(&bytes).ok();
        Ok(record.filter(|record| record.checksum == record.checksum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_record_comes_back_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FAILURE);
        let inputs = Inputs::parse(r#"{"seed":1}"#).unwrap();
        let log = vec!["chain 0: fell".to_owned()];
        let record = FailureRecord::new("K = 2, seed 1".to_owned(), "no \"start\"".to_owned(), log, &inputs);
        assert_eq!(FailureRecord::read(&path).unwrap(), None);
        record.write(&path).unwrap();
        assert_eq!(FailureRecord::read(&path).unwrap().as_ref(), Some(&record));
        assert!(record.is_of(&inputs) && !record.is_of(&Inputs::parse(r#"{"seed":2}"#).unwrap()));
        let text = fs::read_to_string(&path).unwrap();
        for other in [text.replace("fell", "feel"), text[..text.len() / 2].to_owned()] {
            fs::write(&path, other).unwrap();
            assert_eq!(FailureRecord::read(&path).unwrap(), None);
        }
    }
}
