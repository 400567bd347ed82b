//! The pool of threads that all work shares.

use anyhow::{Context, Result};

/// Threads for all work: one for each core unless `jobs` is given.
///
/// # Errors
/// The system grants no threads.
pub fn pool(jobs: Option<usize>) -> Result<rayon::ThreadPool> {
    // 0 lets rayon use all cores.
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.unwrap_or(0))
        .build()
        .context("threads cannot be started")
}
