//! `gmm predict`: clusters and densities of new rows.

use std::process::ExitCode;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::cli::arguments::Predict;
use crate::data::{Block, RowBlocks};
use crate::present::assignments::{Assignments, write_assignments};
use crate::process::threads::pool;
use crate::scores::stored_clusters::StoredClustering;

/// Blocks that are read before they are predicted, for each thread.
const BLOCKS_FOR_A_THREAD: usize = 2;

/// Predicts a file, a few blocks at a time.
///
/// # Errors
/// A directory that holds no clusters; a file that lacks a column, cells that are no numbers; a K that has no mixture; the disk.
pub fn predict(flags: &Predict) -> Result<ExitCode> {
    let StoredClustering { clustering, columns, steps } = StoredClustering::read(&flags.directory)?;
    let clustering = match flags.components {
        None => clustering,
        Some(k) => clustering.with_components(k).with_context(|| {
            let mut known: Vec<usize> =
                clustering.mixtures.draws.iter().map(|draw| draw.n_components()).collect();
            known.dedup();
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!("no stored mixture has {k} components; allowed: {}", known.join(", "))
        })?,
    };
    let mut blocks = RowBlocks::open(&flags.data, &columns, &steps)?;
    let pool = pool(flags.jobs)?;
    let at_once = BLOCKS_FOR_A_THREAD * pool.current_num_threads();
    write_assignments(flags.out.as_deref(), clustering.n_clusters, |writer| {
        loop {
            let mut read = Vec::with_capacity(at_once);
            while read.len() < at_once
                && let Some(block) = blocks.next()?
            {
                read.push(block);
            }
            if read.is_empty() {
                return Ok(());
            }
            let format = writer.format;
            let of_block = |block: Block| {
                let Some(rows) = blocks.parse(block)? else { return Ok(None) };
                let prediction = clustering.predict(&rows.data);
                format.encode(&Assignments { places: &rows.places, prediction: &prediction }).map(Some)
            };
            let encoded: Vec<Option<_>> =
                pool.install(|| read.into_par_iter().map(of_block).collect::<Result<_>>())?;
            encoded.into_iter().flatten().try_for_each(|rows| writer.write(rows))?;
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
