//! The figures of a suite's report.

use anyhow::{Context, Result};

use super::words;
use crate::present::figures::bias::{Bias, BiasPlot, PriorPanel};
use crate::present::figures::figure::ReportFigure;
use crate::present::figures::recovery::{FactorPanel, RecoveryPlot, RuleShares, Share};
use crate::present::figures::reliability::{ReliabilityPanel, ReliabilityPlot, ReliabilityPoint};
use crate::recovery::calibration::{Bin, Calibration};
use crate::recovery::outcome::priors;
use crate::recovery::results::SuiteResults;
use crate::recovery::tally::{Rule, SelectionRule, Tally};
use crate::scores::criterion_title::title;

/// Draws one figure; `None` where the results have nothing to show in it.
type DrawFigure = fn(&SuiteResults) -> Result<Option<ReportFigure>>;

/// All figures, in the order of the page.
const FIGURES: [DrawFigure; 3] = [recovery, reliability, bias];

/// Draws all figures.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn figures(results: &SuiteResults) -> Result<Vec<ReportFigure>> {
    FIGURES.iter().filter_map(|draw| draw(results).transpose()).collect()
}

fn reliability(results: &SuiteResults) -> Result<Option<ReportFigure>> {
    if results.calibrations.is_empty() {
        return Ok(None);
    }
    let point = |bin: &Bin| ReliabilityPoint {
        stated: bin.stated,
        right: Share { share: bin.tally.share(), interval: bin.tally.interval() },
        n: bin.tally.n,
    };
    let panel = |found: &Calibration| ReliabilityPanel {
        name: words::stating(found.rule, results),
        is_answer: found.rule.rule == Rule::Answer,
        points: found.bins.iter().map(point).collect(),
    };
    let plot = ReliabilityPlot { panels: results.calibrations.iter().map(panel).collect() };
    Ok(Some(ReportFigure {
        name: "reliability".to_owned(),
        caption: "How often the most probable K is the true one, by the probability stated for it, with 95 % intervals (Wilson \
                  1927). Calibrated probabilities lie on the diagonal; below it they promise too much."
            .to_owned(),
        figure: plot.draw().context("figure of the stated probabilities")?,
    }))
}

fn recovery(results: &SuiteResults) -> Result<Option<ReportFigure>> {
    let share = |tally: Tally| Share { share: tally.share(), interval: tally.interval() };
    let rule = |rule: &SelectionRule| {
        let tally = results.tally(*rule, None);
        let part = |count: usize| count as f64 / tally.n as f64;
        RuleShares {
            name: rule.name(&results.spec),
            is_answer: rule.rule == Rule::Answer,
            in_factors: !matches!(rule.rule, Rule::Simplest(_)),
            found: share(tally),
            too_small: part(tally.too_small),
            too_large: part(tally.too_large),
        }
    };
    let factors = results.factors.iter().map(|factor| {
        let found = |rule: &SelectionRule| {
            factor.groups.iter().map(|(_, sets)| share(results.tally(*rule, Some(sets)))).collect()
        };
        FactorPanel {
            name: factor.name.to_owned(),
            groups: factor.groups.iter().map(|(label, _)| label.clone()).collect(),
            found: results.rules.iter().map(found).collect(),
        }
    });
    let plot = RecoveryPlot { rules: results.rules.iter().map(rule).collect(), factors: factors.collect() };
    Ok(Some(ReportFigure {
        name: "recovery".to_owned(),
        caption: "Share of data sets for which each rule finds the true number of components, over all data sets and by the \
                  factors of the design, with 95 % intervals (Wilson 1927). “Simplest” picks the smallest K indistinguishable \
                  from the best."
            .to_owned(),
        figure: plot.draw().context("figure of the shares")?,
    }))
}

fn bias(results: &SuiteResults) -> Result<Option<ReportFigure>> {
    if results.biases.is_empty() {
        return Ok(None);
    }
    let priors = priors(&results.spec);
    let panel = |index: usize| PriorPanel {
        name: words::prior_in_full(index, priors[index]),
        biases: results
            .biases
            .iter()
            .filter(|bias| bias.prior == index)
            .map(|bias| Bias {
                criterion: title(bias.criterion, &results.spec.scoring),
                components: bias.model.components,
                mean: bias.excess.mean,
                se: bias.excess.se,
            })
            .collect(),
    };
    let plot = BiasPlot { panels: (0..priors.len()).map(panel).collect() };
    Ok(Some(ReportFigure {
        name: "bias".to_owned(),
        caption: "Estimated minus true expected log predictive density of the fit to all rows, in nats over all observations: mean \
                  over data sets with two standard errors. Above 0 a criterion is optimistic."
            .to_owned(),
        figure: plot.draw().context("figure of the biases")?,
    }))
}
