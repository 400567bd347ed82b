//! The accuracy suite's `index.html`, self-contained.

use anyhow::Result;
use gmm_accuracy::check::{CheckResult, FAMILY_WISE_ERROR_RATE, Part, Verdict};
use minijinja::{Value, context};

use super::{Findings, summary};
use crate::present::figures::figure::ReportFigure;
use crate::present::report::{PLAIN_STYLE, render_page};

const TEMPLATE: &str = include_str!("page.html");

/// # Errors
/// A template that does not fit its data.
pub fn render(findings: &Findings, figures: &[ReportFigure]) -> Result<String> {
    let values = context! {
        passed => findings.failed() == 0,
        summary => summary(findings),
        family_wise => FAMILY_WISE_ERROR_RATE,
        parts => Part::ALL.iter().map(|&part| of_part(findings, part)).collect::<Vec<_>>(),
        figures => figures.iter().map(ReportFigure::page_values).collect::<Vec<_>>(),
        style => PLAIN_STYLE,
        version => env!("CARGO_PKG_VERSION"),
    };
    render_page(TEMPLATE, values)
}

fn of_part(findings: &Findings, part: Part) -> Value {
    let checks = || findings.checks.iter().filter(move |(check, _)| check.part == part);
    let rows = checks().map(|(check, verdict)| {
        let (value, limit) = match &check.result {
            CheckResult::Test { value, p_value, .. } => (number(*value), format!("p = {}", number(*p_value))),
            CheckResult::Bound { value, bound, .. } => (number(*value), format!("≤ {}", number(*bound))),
            CheckResult::Error { .. } => (String::new(), "broken".to_owned()),
        };
        context! {
            case => check.case.clone(),
            quantity => check.quantity.clone(),
            statistic => check.result.statistic().to_owned(),
            value,
            limit,
            failed => *verdict == Verdict::Fail,
            verdict => verdict.name(),
        }
    });
    let failed = checks().filter(|(_, verdict)| *verdict == Verdict::Fail).count();
    let least = checks().filter_map(|(check, _)| check.result.p_value()).fold(1.0, f64::min);
    context! {
        name => part.name(),
        n => checks().count(),
        failed,
        least => number(least),
        rows => rows.collect::<Vec<_>>(),
    }
}

/// Three decimals, or a power of ten where those would show nothing.
fn number(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.001 { format!("{value:.3}") } else { format!("{value:.1e}") }
}
