//! Where results came from: version, hashes, machine, times. The one file that may differ between two runs of the same spec.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::disk::write_bytes;
use crate::experiment::Experiment;
use crate::sample::Outcome;

const FILE: &str = "provenance.json";

/// `provenance.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provenance {
    pub name: String,
    pub version: String,
    /// BLAKE3 of the spec's canonical form, with every default spelt out.
    pub spec_hash: String,
    /// BLAKE3 of the data file's bytes.
    pub data_hash: String,
    /// The data file that was read.
    pub data: PathBuf,
    pub operating_system: String,
    pub architecture: String,
    pub threads: usize,
    /// Seconds since 1970, of the latest run.
    pub finished: u64,
    /// Seconds that the latest run took.
    pub wall_seconds: f64,
    /// Seconds of work that each job took over all threads, in whichever run it was done.
    pub job_seconds: BTreeMap<String, f64>,
}

impl Provenance {
    /// Of a run that ends now; times of jobs that earlier runs did are taken over.
    #[must_use]
    pub fn new(
        experiment: &Experiment,
        root: &Path,
        threads: usize,
        wall: Duration,
        outcomes: &[Outcome],
    ) -> Self {
        let mut job_seconds =
            Self::read(root).map_or_else(|_| BTreeMap::new(), |earlier| earlier.job_seconds);
        job_seconds
            .extend(outcomes.iter().map(|outcome| (outcome.job.to_string(), outcome.spent.as_secs_f64())));
        Self {
            name: experiment.spec.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            spec_hash: experiment.spec.hash(),
            data_hash: experiment.dataset.hash.clone(),
            data: std::path::absolute(&experiment.data_path).unwrap_or_else(|_| experiment.data_path.clone()),
            operating_system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            threads,
            finished: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            wall_seconds: wall.as_secs_f64(),
            job_seconds,
        }
    }

    /// # Errors
    /// A results directory without a readable one.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let text = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// # Errors
    /// The disk.
    pub fn write(&self, root: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("provenance is plain data")?;
        text.push('\n');
        write_bytes(&root.join(FILE), text.as_bytes())
    }
}
