//! The figures of a suite's report.

use anyhow::{Context, Result};

use super::findings::Findings;
use super::outcome::priors;
use super::tally::{Judge, Rule, Tally};
use super::words;
use crate::present::figures::bias::{Bias, BiasPlot, PriorPanel};
use crate::present::figures::figure::ReportFigure;
use crate::present::figures::recovery::{FactorPanel, RecoveryPlot, RuleShares, Share};
use crate::present::table::title;

/// Draws one figure; `None` where the findings have nothing to show in it.
type DrawFigure = fn(&Findings) -> Result<Option<ReportFigure>>;

/// All figures, in the order of the page.
const FIGURES: [DrawFigure; 2] = [recovery, bias];

/// Draws all figures.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn figures(findings: &Findings) -> Result<Vec<ReportFigure>> {
    FIGURES.iter().filter_map(|draw| draw(findings).transpose()).collect()
}

fn recovery(findings: &Findings) -> Result<Option<ReportFigure>> {
    let share = |tally: Tally| Share { share: tally.share(), interval: tally.interval() };
    let rule = |judge: &Judge| {
        let tally = findings.tally(*judge, None);
        let part = |count: usize| count as f64 / tally.n as f64;
        RuleShares {
            name: judge.name(&findings.spec),
            is_answer: judge.rule == Rule::Answer,
            in_factors: !matches!(judge.rule, Rule::Simplest(_)),
            found: share(tally),
            too_small: part(tally.too_small),
            too_large: part(tally.too_large),
        }
    };
    let factors = findings.factors.iter().map(|factor| {
        let found = |judge: &Judge| {
            factor.groups.iter().map(|(_, sets)| share(findings.tally(*judge, Some(sets)))).collect()
        };
        FactorPanel {
            name: factor.name.to_owned(),
            groups: factor.groups.iter().map(|(label, _)| label.clone()).collect(),
            found: findings.judges.iter().map(found).collect(),
        }
    });
    let plot = RecoveryPlot { rules: findings.judges.iter().map(rule).collect(), factors: factors.collect() };
    Ok(Some(ReportFigure {
        name: "recovery".to_owned(),
        caption: "Share of data sets for which each rule finds the true number of components, over all data sets and by the \
                  factors of the design, with 95 % intervals (Wilson 1927). “Simplest” picks the smallest K indistinguishable \
                  from the best."
            .to_owned(),
        figure: plot.draw().context("figure of the shares")?,
    }))
}

fn bias(findings: &Findings) -> Result<Option<ReportFigure>> {
    if findings.biases.is_empty() {
        return Ok(None);
    }
    let priors = priors(&findings.spec);
    let panel = |index: usize| PriorPanel {
        name: words::prior_in_full(index, priors[index]),
        biases: findings
            .biases
            .iter()
            .filter(|bias| bias.prior == index)
            .map(|bias| Bias {
                criterion: title(bias.criterion, &findings.spec.scoring),
                components: bias.components,
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
