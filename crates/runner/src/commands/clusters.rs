//! `gmm clusters`: the cluster of every row that was fitted.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::arguments::ClustersFlags;
use crate::present::assignments::{Assignments, write_assignments};
use crate::scores::stored_clusters::read_rows;

/// Writes the stored clusters.
///
/// # Errors
/// A directory that holds no clusters, the disk.
pub fn clusters(flags: &ClustersFlags) -> Result<ExitCode> {
    let (places, prediction) = read_rows(&flags.directory)?;
    write_assignments(flags.out.as_deref(), prediction.n_clusters(), |writer| {
        let rows = writer.format.encode(&Assignments { places: &places, prediction: &prediction })?;
        writer.write(rows)
    })?;
    Ok(ExitCode::SUCCESS)
}
