//! Where results came from: version, hashes, machine, times. The one file that may differ between two runs of the same spec.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::process::clock::now;
use crate::storage::atomic::{DiskResult, write_bytes};
use crate::storage::footer::VERSION;

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
    /// Where the operating system tells.
    pub processor: Option<String>,
    /// That all hot loops use.
    pub instruction_set: String,
    pub threads: usize,
    /// Seconds since 1970, of the latest run.
    pub finished: u64,
    /// Seconds that the latest run took.
    pub wall_seconds: f64,
    /// What each job took, in whichever run it was done.
    pub jobs: BTreeMap<String, JobTimes>,
}

/// What is run, on which data.
pub struct StudyIdentity {
    pub name: String,
    pub spec_hash: String,
    pub data_hash: String,
    /// The data file, by its absolute path.
    pub data: PathBuf,
}

/// What one job took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct JobTimes {
    /// From its first moment to its last; other jobs may have run between.
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
}

/// `provenance.json` of measured times, which are this machine's and this moment's.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub version: String,
    pub operating_system: String,
    pub architecture: String,
    /// Where the operating system tells.
    pub processor: Option<String>,
    /// That all hot loops use.
    pub instruction_set: String,
    /// Fused multiply-adds of doubles in registers.
    pub multiply_adds_per_second: f64,
    /// Seconds since 1970.
    pub finished: u64,
    pub wall_seconds: f64,
}

/// `provenance.json` of a suite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SuiteProvenance {
    pub version: String,
    pub operating_system: String,
    pub architecture: String,
    pub threads: usize,
    /// Seconds since 1970, of the latest run.
    pub finished: u64,
    /// Seconds that the latest run took.
    pub wall_seconds: f64,
    /// Seconds that each data set took on its thread, in whichever run it was done.
    pub set_seconds: BTreeMap<usize, f64>,
}

impl SuiteProvenance {
    /// Of a run that ends now; times of sets that earlier runs did are taken over.
    #[must_use]
    pub fn new(root: &Path, threads: usize, wall: Duration, seconds: BTreeMap<usize, f64>) -> Self {
        let earlier =
            std::fs::read(root.join(FILE)).ok().and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        let mut set_seconds = earlier.map_or_else(BTreeMap::new, |earlier| earlier.set_seconds);
        set_seconds.extend(seconds);
        Self {
            version: VERSION.to_owned(),
            operating_system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            threads,
            finished: now(),
            wall_seconds: wall.as_secs_f64(),
            set_seconds,
        }
    }

    /// # Errors
    /// The disk.
    pub fn write(&self, root: &Path) -> DiskResult<()> {
        write_json(root, self)
    }
}

impl Machine {
    /// Of measurements that end now.
    #[must_use]
    pub fn new(multiply_adds_per_second: f64, wall: Duration) -> Self {
        Self {
            version: VERSION.to_owned(),
            operating_system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            processor: processor(),
            instruction_set: gmm_sampler::simd::instruction_set().to_owned(),
            multiply_adds_per_second,
            finished: now(),
            wall_seconds: wall.as_secs_f64(),
        }
    }

    /// # Errors
    /// The disk.
    pub fn write(&self, root: &Path) -> DiskResult<()> {
        write_json(root, self)
    }
}

/// The processor's name, which Linux keeps in a file.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn write_json(root: &Path, provenance: &impl Serialize) -> DiskResult<()> {
    let mut text = serde_json::to_string_pretty(provenance).expect("provenance is plain data");
    text.push('\n');
    write_bytes(&root.join(FILE), text.as_bytes())
}

impl Provenance {
    /// Of a run that begins; what jobs of earlier runs took is kept.
    #[must_use]
    pub fn new(study: StudyIdentity, root: &Path, threads: usize) -> Self {
        let StudyIdentity { name, spec_hash, data_hash, data } = study;
        Self {
            name,
            version: VERSION.to_owned(),
            spec_hash,
            data_hash,
            data,
            operating_system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            processor: processor(),
            instruction_set: gmm_sampler::simd::instruction_set().to_owned(),
            threads,
            finished: now(),
            wall_seconds: 0.0,
            jobs: Self::read(root).map_or_else(|_| BTreeMap::new(), |earlier| earlier.jobs),
        }
    }

    /// Notes what a job took.
    pub fn record(&mut self, job: String, wall: Duration, cpu: Duration) {
        let times = JobTimes { wall_seconds: wall.as_secs_f64(), cpu_seconds: cpu.as_secs_f64() };
        self.jobs.insert(job, times);
    }

    /// # Errors
    /// A results directory without a readable one.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let text = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Writes what is known after so much time.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&mut self, root: &Path, wall: Duration) -> DiskResult<()> {
        (self.finished, self.wall_seconds) = (now(), wall.as_secs_f64());
        write_json(root, self)
    }
}
