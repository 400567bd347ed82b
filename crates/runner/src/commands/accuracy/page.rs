//! The `index.html` of the accuracy suite.

use anyhow::Result;
use gmm_accuracy::check::{Check, FAMILY_WISE_ERROR_RATE, Verdict};
use minijinja::{Value, context};

use super::results::{PartSummary, SuiteResults};
use super::tables::{limit, number};
use crate::present::figures::figure::ReportFigure;
use crate::present::pages::render_page;

const TEMPLATE: &str = include_str!("page.html");

/// The page with all figures and checks.
///
/// # Errors
/// If the template does not fit its values.
pub fn render(results: &SuiteResults, figures: &[ReportFigure]) -> Result<String> {
    let parts = results.parts();
    let values = context! {
        passed => results.n_failed() == 0,
        summary => results.summary(),
        family_wise_error_rate => FAMILY_WISE_ERROR_RATE,
        parts => parts.iter().map(|part| part_values(results, part)).collect::<Vec<_>>(),
        figures => figures.iter().map(ReportFigure::page_values).collect::<Vec<_>>(),
    };
    render_page(TEMPLATE, values)
}

fn part_values(results: &SuiteResults, part: &PartSummary) -> Value {
    context! {
        name => part.part.name(),
        n_checks => part.n_checks,
        n_failed => part.n_failed,
        smallest_p_value => part.smallest_p_value.map_or("–".to_owned(), number),
        rows => results.checks_of(part.part).map(row_values).collect::<Vec<_>>(),
    }
}

fn row_values((check, verdict): &(Check, Verdict)) -> Value {
    context! {
        case => check.case.clone(),
        quantity => check.quantity.clone(),
        statistic => check.result.statistic(),
        value => check.result.value().map_or(String::new(), number),
        limit => limit(&check.result),
        failed => *verdict == Verdict::Fail,
        verdict => verdict.name(),
    }
}
