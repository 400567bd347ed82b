//! The measurements' `index.html`, self-contained.

use anyhow::Result;
use gmm_bench::suite::BenchResults;
use minijinja::context;

use super::{broken, tables};
use crate::present::figures::figure::ReportFigure;
use crate::present::report::{PLAIN_STYLE, render_page};
use crate::storage::provenance::Machine;

const TEMPLATE: &str = include_str!("page.html");

/// # Errors
/// A template that does not fit its data.
pub fn render(speed: &BenchResults, machine: &Machine, figure: &ReportFigure) -> Result<String> {
    let table = |(heading, text): (&str, String)| context! { heading, text };
    let values = context! {
        kept => broken(speed) == 0,
        summary => tables::summary(speed),
        machine => tables::this_machine(machine),
        figure => figure.page_values(),
        tables => tables::headed(speed).into_iter().map(table).collect::<Vec<_>>(),
        style => PLAIN_STYLE,
        version => env!("CARGO_PKG_VERSION"),
    };
    render_page(TEMPLATE, values)
}
