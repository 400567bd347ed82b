//! The `index.html` of the benchmarks.

use anyhow::Result;
use gmm_bench::suite::BenchResults;
use minijinja::context;

use super::tables;
use crate::present::figures::figure::ReportFigure;
use crate::present::pages::render_page;
use crate::storage::provenance::Machine;

const TEMPLATE: &str = include_str!("page.html");

/// The page with the figure and all tables.
///
/// # Errors
/// If the template does not fit its values.
pub fn render(results: &BenchResults, machine: &Machine, figure: &ReportFigure) -> Result<String> {
    let table = |(heading, text): (&str, String)| context! { heading, text };
    let values = context! {
        within_limits => tables::n_above_limit(results) == 0,
        summary => tables::summary(results),
        machine => tables::machine(machine),
        figure => figure.page_values(),
        tables => tables::headed(results).into_iter().map(table).collect::<Vec<_>>(),
    };
    render_page(TEMPLATE, values)
}
