//! A suite's figures.

use anyhow::{Context, Result};

use super::findings::Findings;
use super::outcome::priors;
use super::tally::{Judge, Rule, Tally};
use super::words;
use crate::present::figures::bias::{Biases, Series};
use crate::present::figures::recovery::{Recovery, Share};
use crate::present::report::Plate;

/// All of them.
///
/// # Errors
/// A figure that cannot be drawn.
pub fn plates(findings: &Findings) -> Result<Vec<Plate>> {
    let share = |tally: Tally| Share { n: tally.n, share: tally.share(), interval: tally.interval() };
    let name = |judge: &Judge| judge.name(&findings.spec);
    let recovery = Recovery {
        judges: findings
            .judges
            .iter()
            .map(|judge| {
                let tally = findings.tally(*judge, None);
                let part = |count: usize| count as f64 / tally.n as f64;
                (
                    name(judge),
                    judge.rule == Rule::Answer,
                    share(tally),
                    part(tally.too_small),
                    part(tally.too_large),
                )
            })
            .collect(),
        factors: findings
            .factors
            .iter()
            .map(|factor| {
                let of_judge = |judge: &Judge| {
                    factor.groups.iter().map(|(_, sets)| share(findings.tally(*judge, Some(sets)))).collect()
                };
                let labels = factor.groups.iter().map(|(label, _)| label.clone()).collect();
                (factor.name.to_owned(), labels, findings.judges.iter().map(of_judge).collect())
            })
            .collect(),
    };
    let mut plates = vec![Plate {
        name: "recovery".to_owned(),
        caption: "Share of data sets whose number of components is found, over all and by the factors of the design, with 95 % \
                  intervals (Wilson 1927). “Simplest” is the smallest K that a predictive criterion cannot tell from its best."
            .to_owned(),
        figure: recovery.draw().context("figure of the shares")?,
    }];
    if !findings.biases.is_empty() {
        let series = |prior: usize| Series {
            name: words::prior_in_full(prior, priors(&findings.spec)[prior]),
            points: findings
                .biases
                .iter()
                .filter(|bias| bias.prior == prior)
                .map(|bias| {
                    (
                        crate::present::table::title(bias.criterion, &findings.spec.scoring),
                        bias.components,
                        bias.excess.mean,
                        bias.excess.se,
                    )
                })
                .collect(),
        };
        let panels = (0..priors(&findings.spec).len()).map(series).collect();
        plates.push(Plate {
            name: "bias".to_owned(),
            caption: "Estimated less true expected log predictive density of the fit to all rows, in nats over all observations: mean over \
                      data sets with two standard errors. Above 0 a criterion promises more than fresh observations keep."
                .to_owned(),
            figure: Biases { panels }.draw().context("figure of the biases")?,
        });
    }
    Ok(plates)
}
