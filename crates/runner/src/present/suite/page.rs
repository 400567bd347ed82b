//! The `index.html` of a suite of simulated data sets.

use anyhow::Result;
use minijinja::{Value, context};

use super::words::{Cells, agreement, biases, breakdowns, headline, missed, reliability, shares};
use crate::present::figures::figure::ReportFigure;
use crate::present::pages::render_page;
use crate::recovery::results::SuiteResults;

const TEMPLATE: &str = include_str!("page.html");

/// The page with all tables and figures.
///
/// # Errors
/// If the template does not fit its values.
pub fn render(results: &SuiteResults, figures: &[ReportFigure]) -> Result<String> {
    let by_factor =
        breakdowns(results).into_iter().map(|(name, cells)| context! { name, table => table(cells) });
    let unreliable: usize = results.outcomes.iter().map(|outcome| outcome.n_unreliable).sum();
    let values = context! {
        name => results.spec.name.clone(),
        headline => headline(results),
        n_sets => results.sets.len(),
        unreliable,
        missed => missed(results),
        shares => table(shares(results)),
        reliability => reliability(results).map(table),
        agreement => agreement(results).map(|(cells, brier)| context! { table => table(cells), brier }),
        by_factor => by_factor.collect::<Vec<_>>(),
        biases => biases(results).map(table),
        figures => figures.iter().map(ReportFigure::page_values).collect::<Vec<_>>(),
        failures => results.failures(),
        glossary => gmm_scoring::GLOSSARY,
        spec => results.spec.to_toml(),
    };
    render_page(TEMPLATE, values)
}

fn table(cells: Cells) -> Value {
    context! { head => cells.head, rows => cells.rows }
}
