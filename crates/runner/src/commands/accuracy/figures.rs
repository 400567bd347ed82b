//! The figures of the accuracy suite: p-values of all checks, z-scores by part, ranks by case.

use anyhow::{Context, Result};
use gmm_accuracy::check::{FAMILY_WISE_ERROR_RATE, Part};
use rayon::prelude::*;

use super::results::SuiteResults;
use crate::present::figures::calibration::CalibrationPlot;
use crate::present::figures::figure::ReportFigure;
use crate::present::figures::p_values::PValuePlot;
use crate::present::figures::z_scores::ZScorePlot;

/// All figures, in the order of the page.
///
/// # Errors
/// If a PNG cannot be encoded.
pub fn draw(results: &SuiteResults) -> Result<Vec<ReportFigure>> {
    let mut figures = vec![p_values(results)?];
    figures.extend(z_scores(results)?);
    figures.extend(ranks(results)?);
    Ok(figures)
}

fn p_values(results: &SuiteResults) -> Result<ReportFigure> {
    let p_values = results
        .checks
        .iter()
        .filter_map(|(check, _)| Some((check.part, check.result.p_value()?)))
        .filter(|(_, p_value)| !p_value.is_nan())
        .collect();
    let plot = PValuePlot { p_values, family_wise: FAMILY_WISE_ERROR_RATE };
    Ok(ReportFigure {
        name: "p-values".to_owned(),
        caption: "The p-values of all checks against uniform quantiles. If the sampler is correct, points lie near the line. Checks \
                  of one case share their draws, so their points deviate together. A check fails if its point, or any point to its \
                  right, is above Holm's limit."
            .to_owned(),
        figure: plot.draw().context("figure of the p-values")?,
    })
}

fn z_scores(results: &SuiteResults) -> Result<Vec<ReportFigure>> {
    let parts = Part::ALL.into_par_iter().filter_map(|part| {
        let groups = results.reports.iter().flat_map(|report| &report.z_scores);
        let groups: Vec<_> = groups.filter(|group| group.part == part).cloned().collect();
        (!groups.is_empty()).then_some((part, groups))
    });
    let figures = parts.map(|(part, groups)| {
        let figure = ZScorePlot { title: part.name().to_owned(), groups }.draw();
        Ok(ReportFigure {
            name: format!("z-scores-{}", part.name()),
            caption: format!(
                "{}: sorted z-scores (estimate minus known answer, divided by its Monte Carlo error) against normal quantiles. The \
                 band is a pointwise 95 % envelope of simulations from N(0, C), where C is the correlation of the estimates. Because \
                 they are correlated, all points of a panel may deviate together.",
                part.name()
            ),
            figure: figure.with_context(|| format!("figure of the z-scores of {}", part.name()))?,
        })
    });
    figures.collect()
}

fn ranks(results: &SuiteResults) -> Result<Vec<ReportFigure>> {
    let cases = results.reports.par_iter().filter(|report| !report.ranks.is_empty());
    let figures = cases.map(|report| {
        let (case, n) = (&report.ranks[0].case, report.ranks[0].n_replicates);
        let figure = CalibrationPlot { quantities: report.ranks.clone() }.draw();
        Ok(ReportFigure {
            name: format!("calibration-{}", slug(case)),
            caption: format!(
                "Calibration, {case}: ranks of {n} parameters drawn from the prior among posterior draws for data simulated from \
                 them. The line is the empirical distribution of the ranks minus the uniform one. If the sampler is correct, it stays \
                 within its band with probability 0.95 (Säilynoja, Bürkner & Vehtari 2022)."
            ),
            figure: figure.with_context(|| format!("figure of the ranks of {case}"))?,
        })
    });
    figures.collect()
}

/// A case's name as part of a file name.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_names_become_file_names() {
        assert_eq!(slug("K = 2, D = 1, log-normal"), "k-2-d-1-log-normal");
    }
}
