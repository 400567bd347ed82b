//! The `index.html` of a suite of simulated data sets.

use anyhow::Result;
use minijinja::{Value, context};

use super::findings::Findings;
use super::words::{Cells, biases, breakdowns, headline, shares};
use crate::present::figures::figure::ReportFigure;
use crate::present::pages::render_page;

const TEMPLATE: &str = include_str!("page.html");

/// The page with all tables and figures.
///
/// # Errors
/// If the template does not fit its values.
pub fn render(findings: &Findings, figures: &[ReportFigure]) -> Result<String> {
    let by_factor =
        breakdowns(findings).into_iter().map(|(name, cells)| context! { name, table => table(cells) });
    let doubtful: usize = findings.outcomes.iter().map(|outcome| outcome.n_doubtful).sum();
    let values = context! {
        name => findings.spec.name.clone(),
        headline => headline(findings),
        n_sets => findings.sets.len(),
        doubtful,
        shares => table(shares(findings)),
        by_factor => by_factor.collect::<Vec<_>>(),
        biases => biases(findings).map(table),
        figures => figures.iter().map(ReportFigure::page_values).collect::<Vec<_>>(),
        failures => findings.failures(),
        glossary => gmm_scoring::GLOSSARY,
        spec => findings.spec.to_toml(),
    };
    render_page(TEMPLATE, values)
}

fn table(cells: Cells) -> Value {
    context! { head => cells.head, rows => cells.rows }
}
