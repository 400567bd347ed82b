//! The report: figures, the page that holds them all, and the tables beside it.

mod clusters_plot;
mod figures;
mod mixture_plot_data;
mod page;

use std::path::Path;

use anyhow::Result;

use self::figures::ReportFigures;
use super::figures::figure::FIGURES;
use super::pages::PAGE;
use crate::engine::experiment::Experiment;
use crate::present::{components, table};
use crate::scores::results::Results;
use crate::storage::atomic::{DiskResult, remove_directory, remove_file, write_bytes};
use crate::storage::store::Store;

/// Writes the tables that people read.
///
/// # Errors
/// The disk.
pub fn write_tables(
    experiment: &Experiment,
    store: &Store,
    results: &Results,
    warnings: &[String],
) -> DiskResult<()> {
    let markdown = page::markdown(experiment, results, warnings);
    write_bytes(&store.root().join("summary.md"), markdown.as_bytes())?;
    let of_components = store.root().join("components.csv");
    match &results.components {
        Some(found) => {
            let csv = components::csv(found, &experiment.dataset.columns);
            write_bytes(&of_components, csv.as_bytes())?;
        }
        None => remove_file(&of_components)?,
    }
    write_bytes(&store.root().join("comparison.csv"), table::csv(results).as_bytes())
}

/// Removes page and figures, which would contradict newer tables.
///
/// # Errors
/// The disk.
pub fn remove(store: &Store) -> DiskResult<()> {
    remove_report(store.root())
}

/// Removes page and figures below a directory of results.
///
/// # Errors
/// The disk.
pub fn remove_report(root: &Path) -> DiskResult<()> {
    remove_file(&root.join(PAGE))?;
    remove_directory(&root.join(FIGURES))
}

/// Draws every figure and writes figures and page; call it inside the pool whose threads it may use.
///
/// # Errors
/// The disk.
pub fn draw(experiment: &Experiment, store: &Store, results: &Results, warnings: &[String]) -> Result<()> {
    let figures = ReportFigures::new(experiment, results)?;
    let root = store.root();
    figures.all().try_for_each(|figure| figure.write(root))?;
    let page = page::render(experiment, results, warnings, &figures)?;
    Ok(write_bytes(&root.join(PAGE), page.as_bytes())?)
}
