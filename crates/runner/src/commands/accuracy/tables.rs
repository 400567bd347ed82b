//! The results of the accuracy suite as text for the terminal and as CSV.

use gmm_accuracy::check::{Check, CheckResult, FAMILY_WISE_ERROR_RATE, Verdict};

use super::results::SuiteResults;
use crate::present::csv;
use crate::present::text_table::{TextTable, terminal_width};

/// File name of the table with all checks.
pub const CSV: &str = "accuracy.csv";

/// One row per part, the failed checks (all checks if `verbose`), and the verdict.
pub fn text(results: &SuiteResults, verbose: bool) -> String {
    let mut text = parts(results);
    let listed = checks(results, |verdict| verbose || verdict == Verdict::Fail);
    if !listed.is_empty() {
        text.push('\n');
        text.push_str(&listed);
    }
    let rate = format!("Family-wise error rate {FAMILY_WISE_ERROR_RATE}, by Holm's method");
    text.push_str(&format!("\n{}.\n{rate}.\n", results.summary()));
    text
}

fn parts(results: &SuiteResults) -> String {
    let mut rows = vec![["part", "checks", "failed", "min p"].map(str::to_owned).to_vec()];
    for part in results.parts() {
        rows.push(vec![
            part.part.name().to_owned(),
            part.n_checks.to_string(),
            part.n_failed.to_string(),
            part.smallest_p_value.map_or("–".to_owned(), number),
        ]);
    }
    TextTable::with_names(rows).render(terminal_width(), 1)
}

/// The checks with these verdicts, under the names of their cases.
fn checks(results: &SuiteResults, listed: impl Fn(Verdict) -> bool) -> String {
    let listed: Vec<&(Check, Verdict)> =
        results.checks.iter().filter(|(_, verdict)| listed(*verdict)).collect();
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|(check, verdict)| {
            let mut row = vec![format!("  {}", verdict.name()), check.quantity.clone()];
            match &check.result {
                CheckResult::Error { .. } => row.push("error".to_owned()),
                result => {
                    row.push(result.statistic().to_owned());
                    row.push(result.value().map_or(String::new(), number));
                    row.push(limit(result));
                }
            }
            row
        })
        .collect();
    // Lines belong to their checks, so that the table is not cut to the terminal's width.
    let table = TextTable { rows, n_left: 3 }.render(usize::MAX, 1);
    let mut text = String::new();
    let mut case = None;
    for (line, (check, _)) in table.lines().zip(listed) {
        let title = format!("{}: {}", check.part.name(), check.case);
        if case.as_ref() != Some(&title) {
            text.push_str(&format!("{title}\n"));
            case = Some(title);
        }
        text.push_str(&format!("{line}\n"));
        if let CheckResult::Error { reason } = &check.result {
            text.push_str(&format!("    {reason}\n"));
        }
    }
    text
}

/// The p-value or the bound of a check.
pub fn limit(result: &CheckResult) -> String {
    match result {
        CheckResult::Test { p_value, .. } => format!("p = {}", number(*p_value)),
        CheckResult::Bound { bound, .. } => format!("≤ {}", number(*bound)),
        CheckResult::Error { .. } => String::new(),
    }
}

/// Three decimals; scientific notation below 0.001.
pub fn number(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.001 { format!("{value:.3}") } else { format!("{value:.1e}") }
}

/// `accuracy.csv`: one row per check. What a check does not have is empty.
pub fn csv(results: &SuiteResults) -> String {
    let header = ["part", "case", "quantity", "statistic", "value", "p_value", "bound", "verdict"];
    let row = |(check, verdict): &(Check, Verdict)| {
        let result = &check.result;
        [
            check.part.name().to_owned(),
            check.case.clone(),
            check.quantity.clone(),
            result.statistic().to_owned(),
            csv::number(result.value()),
            csv::number(result.p_value()),
            csv::number(result.bound()),
            verdict.name().to_owned(),
        ]
    };
    csv::csv(header, results.checks.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_accuracy::check::Part;

    fn results() -> SuiteResults {
        let check = |part, case: &str, quantity: &str, result, verdict| {
            (Check { part, case: case.to_owned(), quantity: quantity.to_owned(), result }, verdict)
        };
        let test = |value, p_value| CheckResult::Test { statistic: "Cramér–von Mises", value, p_value };
        let bound = CheckResult::Bound { measure: "max R-hat", value: 1.002, bound: 1.01 };
        let error = CheckResult::Error { reason: "no start leads to a regular posterior mode".to_owned() };
        let checks = vec![
            check(Part::Posteriors, "blobs, K = 8", "convergence", bound, Verdict::Pass),
            check(
                Part::Posteriors,
                "blobs, K = 8",
                "label-invariant: quantiles",
                test(0.21, 0.34),
                Verdict::Pass,
            ),
            check(Part::Posteriors, "iris, K = 3", "parameters: means", test(12.5, 3.4e-9), Verdict::Fail),
            check(Part::Calibration, "K = 2, D = 2, inverse gamma", "everything", error, Verdict::Fail),
        ];
        SuiteResults { checks, reports: Vec::new() }
    }

    #[test]
    fn the_terminal_shows_parts_and_failed_checks() {
        insta::assert_snapshot!(text(&results(), false));
    }

    #[test]
    fn every_line_with_all_checks_fits_eighty_columns() {
        let text = text(&results(), true);
        assert!(text.contains("blobs, K = 8"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn cells_with_commas_are_quoted_in_csv() {
        let csv = csv(&results());
        assert!(
            csv.contains("posteriors,\"blobs, K = 8\",convergence,max R-hat,1.002,,1.01,pass\n"),
            "{csv}"
        );
    }
}
