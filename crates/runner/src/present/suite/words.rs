//! A suite's results as text: the table that is printed, `summary.md` and `table.csv`.

use std::fmt::Write;

use gmm_scoring::Criterion;

use crate::recovery::bias::{Bias, Mean};
use crate::recovery::results::SuiteResults;
use crate::recovery::tally::{Factor, Paired, Rule, SelectionRule, Tally};
use crate::scores::criterion_title::title;
use crate::study::spec::{Centre, MeansPrior, PriorSpec};

const STRING: &str = "writing to a string cannot fail";

/// A table as cells: its head, and its rows, the first cell of each being words.
pub struct Cells {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// The shares over all sets, and the paired comparison with BIC.
#[must_use]
pub fn shares(results: &SuiteResults) -> Cells {
    let head = ["", "K found", "too small", "too large", "no answer", "less BIC's", "McNemar p"];
    let rows = results.rules.iter().map(|&rule| {
        let tally = results.tally(rule, None);
        let of = |count: usize| format!("{:.3}", count as f64 / tally.n as f64);
        let paired = results.against_bic(rule);
        vec![
            rule.name(&results.spec),
            format!("{:.3} ± {:.3}", tally.share(), tally.se()),
            of(tally.too_small),
            of(tally.too_large),
            of(tally.no_answer),
            paired
                .map_or(String::new(), |paired| format!("{:+.3} ± {:.3}", paired.difference(), paired.se())),
            paired.map_or(String::new(), |paired| p_value(paired.p_value())),
        ]
    });
    Cells { rows: rows.collect(), head: head.map(str::to_owned).to_vec() }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { format!("{p:.0e}") } else { format!("{p:.3}") }
}

/// The shares by the groups of each factor, a table a factor.
#[must_use]
pub fn breakdowns(results: &SuiteResults) -> Vec<(&'static str, Cells)> {
    let of_factor = |factor: &Factor| {
        let mut head = vec![String::new()];
        head.extend(
            factor.groups.iter().map(|(label, sets)| format!("{} {label} ({})", factor.name, sets.len())),
        );
        let rows = results.rules.iter().map(|&rule| {
            let mut row = vec![rule.name(&results.spec)];
            row.extend(
                factor
                    .groups
                    .iter()
                    .map(|(_, sets)| format!("{:.2}", results.tally(rule, Some(sets)).share())),
            );
            row
        });
        (factor.name, Cells { rows: rows.collect(), head })
    };
    results.factors.iter().map(of_factor).collect()
}

/// Estimates less the truth, and less K-fold's where it was asked for; a row a prior and K.
#[must_use]
pub fn biases(results: &SuiteResults) -> Option<Cells> {
    if results.biases.is_empty() {
        return None;
    }
    let scoring = &results.spec.scoring;
    let mut criteria: Vec<_> = results.biases.iter().map(|bias| bias.criterion).collect();
    criteria.sort_unstable();
    criteria.dedup();
    let with_kfold = criteria.contains(&Criterion::Kfold);
    let paired: Vec<_> =
        criteria.iter().copied().filter(|&criterion| with_kfold && criterion != Criterion::Kfold).collect();
    let name = |criterion: Criterion| title(criterion, scoring);
    let mut head = vec!["prior".to_owned(), "K".to_owned()];
    head.extend(criteria.iter().map(|&criterion| name(criterion)));
    head.extend(paired.iter().map(|&criterion| format!("{} − {}", name(criterion), name(Criterion::Kfold))));
    let mut places: Vec<(usize, usize)> =
        results.biases.iter().map(|bias| (bias.prior, bias.components)).collect();
    places.sort_unstable();
    places.dedup();
    let rows = places.into_iter().map(|(prior, components)| {
        let cell = |criterion: Criterion, of: fn(&Bias) -> Mean| {
            let wanted = (prior, components, criterion);
            let found =
                results.biases.iter().find(|bias| (bias.prior, bias.components, bias.criterion) == wanted);
            found.map(of).map_or(String::new(), |Mean { mean, se }| format!("{mean:+.2} ± {se:.2}"))
        };
        let mut row = vec![prior_name(prior).to_owned(), components.to_string()];
        row.extend(criteria.iter().map(|&criterion| cell(criterion, |bias| bias.excess)));
        row.extend(paired.iter().map(|&criterion| cell(criterion, |bias| bias.over_kfold)));
        row
    });
    Some(Cells { rows: rows.collect(), head })
}

/// What a prior is called.
#[must_use]
pub fn prior_name(prior: usize) -> &'static str {
    if prior == 0 { "model.prior" } else { "contrast" }
}

/// A prior with where it puts the means, which most priors that are contrasted differ in.
#[must_use]
pub fn prior_in_full(prior: usize, spec: &PriorSpec) -> String {
    let MeansPrior { centre, variance } = &spec.means;
    let centre = match centre {
        Centre::Kmeans => "k-means centroids",
        Centre::Origin => "the origin",
        Centre::DataMean => "the data's mean",
        Centre::Explicit(_) => "given centres",
    };
    format!("{}: means about {centre}, variance {variance}", prior_name(prior))
}

/// One sentence: how many sets, and how often the answer is right.
#[must_use]
pub fn headline(results: &SuiteResults) -> String {
    let tally = results.tally(SelectionRule { prior: 0, rule: Rule::Answer }, None);
    format!(
        "The answer is the true K for {} of {} data sets: {:.3}, standard error {:.3}",
        tally.found,
        tally.n,
        tally.share(),
        tally.se()
    )
}

fn aligned(cells: &Cells) -> String {
    let all = || std::iter::once(&cells.head).chain(&cells.rows);
    let widths: Vec<usize> = (0..cells.head.len())
        .map(|column| all().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in all() {
        let line: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                let pad = " ".repeat(widths[column] - cell.chars().count());
                if column == 0 { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
            })
            .collect();
        writeln!(text, "{}", line.join("  ").trim_end()).expect(STRING);
    }
    text
}

/// What is printed at the end of a run.
#[must_use]
pub fn text(results: &SuiteResults) -> String {
    let mut text = aligned(&shares(results));
    if let Some(biases) = biases(results) {
        writeln!(text, "\nestimate less truth, nats\n{}", aligned(&biases).trim_end()).expect(STRING);
    }
    writeln!(text, "\n{}", headline(results)).expect(STRING);
    text
}

/// `summary.md`.
#[must_use]
pub fn markdown(results: &SuiteResults) -> String {
    let mut text = format!("# {}\n\n**{}.**\n\n", results.spec.name, headline(results));
    writeln!(text, "```text\n{}```", aligned(&shares(results))).expect(STRING);
    for (name, cells) in breakdowns(results) {
        writeln!(text, "\nShare found by {name} (number of sets):\n\n```text\n{}```", aligned(&cells))
            .expect(STRING);
    }
    if let Some(cells) = biases(results) {
        writeln!(
            text,
            "\nEstimate less truth, in nats, mean over data sets ± standard error:\n\n```text\n{}```",
            aligned(&cells)
        )
        .expect(STRING);
    }
    for failure in results.failures() {
        writeln!(text, "\n> {failure}.").expect(STRING);
    }
    text
}

/// `table.csv`: a row a rule and group.
#[must_use]
pub fn csv(results: &SuiteResults) -> String {
    let mut text = String::from(
        "factor,level,rule,n,found,too_small,too_large,no_answer,share,se,bic_difference,bic_difference_se,bic_p_value\n",
    );
    let mut row = |factor: &str, level: &str, rule: SelectionRule, tally: Tally, paired: Option<Paired>| {
        let number = |value: Option<f64>| {
            value.filter(|value| !value.is_nan()).map_or(String::new(), |value| format!("{value:?}"))
        };
        writeln!(
            text,
            "{factor},{level},\"{}\",{},{},{},{},{},{},{},{},{},{}",
            rule.name(&results.spec),
            tally.n,
            tally.found,
            tally.too_small,
            tally.too_large,
            tally.no_answer,
            number(Some(tally.share())),
            number(Some(tally.se())),
            number(paired.map(|paired| paired.difference())),
            number(paired.map(|paired| paired.se())),
            number(paired.map(|paired| paired.p_value())),
        )
        .expect(STRING);
    };
    for &rule in &results.rules {
        row("all", "", rule, results.tally(rule, None), results.against_bic(rule));
    }
    for factor in &results.factors {
        for (label, sets) in &factor.groups {
            for &rule in &results.rules {
                row(factor.name, label, rule, results.tally(rule, Some(sets)), None);
            }
        }
    }
    text
}
