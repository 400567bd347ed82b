//! A suite's results as text: the table that is printed, `summary.md` and `table.csv`.

use std::fmt::Write;

use gmm_scoring::Criterion;

use crate::present::csv;
use crate::present::text_table::{FILE_WIDTH, TextTable, terminal_width};
use crate::recovery::bias::{Bias, Mean};
use crate::recovery::calibration::{Bin, Calibration, OfOne};
use crate::recovery::results::SuiteResults;
use crate::recovery::tally::{Factor, Paired, Rule, SelectionRule, Tally};
use crate::scores::criterion_title::title;
use crate::study::job::ModelKey;
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

/// How often stated probabilities are right, a row a rule that states any: over all its sets, and by what was stated.
#[must_use]
pub fn reliability(results: &SuiteResults) -> Option<Cells> {
    let mut bins: Vec<(f64, f64)> =
        results.calibrations.iter().flat_map(|found| &found.bins).map(|bin| (bin.from, bin.to)).collect();
    bins.sort_by(|a, b| a.0.total_cmp(&b.0));
    bins.dedup();
    if bins.is_empty() {
        return None;
    }
    let mut head = ["", "sets", "mean stated", "K found", "log score"].map(str::to_owned).to_vec();
    head.extend(bins.iter().map(|(from, to)| format!("{from} to {to}")));
    let row = |found: &Calibration| {
        let Mean { mean, se } = found.log_score;
        let mut row = vec![
            stating(found.rule, results),
            found.n.to_string(),
            format!("{:.3}", found.stated),
            format!("{:.3}", found.share()),
            format!("{mean:.2} ± {se:.2}"),
        ];
        row.extend(bins.iter().map(|&(from, _)| {
            let of_bin = |bin: &&Bin| bin.from == from;
            let cell = |Bin { tally, .. }: &Bin| format!("{:.2} ({})", tally.share(), tally.n);
            found.bins.iter().find(of_bin).map_or(String::new(), cell)
        }));
        row
    };
    Some(Cells { rows: results.calibrations.iter().map(row).collect(), head })
}

/// Of each K the mean probability that the answer states and the share of sets of which it is true, a row a K, and what Brier's score
/// says of all; none where the answer states no probabilities.
#[must_use]
pub fn agreement(results: &SuiteResults) -> Option<(Cells, String)> {
    let found = results.calibrations.iter().find(|found| found.rule.rule == Rule::Answer)?;
    let head = ["K", "mean stated", "true", "z"].map(str::to_owned).to_vec();
    let row = |one: &OfOne| {
        vec![
            one.components.to_string(),
            format!("{:.4}", one.stated),
            format!("{:.4}", one.share),
            if one.z.is_nan() { String::new() } else { format!("{:+.2}", one.z) },
        ]
    };
    let brier = format!("Brier score: z = {:+.2}; above 0, the probabilities are too sure", found.brier);
    Some((Cells { rows: found.of_each.iter().map(row).collect(), head }, brier))
}

/// The name of a rule that states probabilities.
#[must_use]
pub fn stating(rule: SelectionRule, results: &SuiteResults) -> String {
    let name = rule.name(&results.spec);
    if rule.rule == Rule::Best(Criterion::Bic) { format!("{name} weights") } else { name }
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
    let mut places: Vec<(usize, ModelKey)> =
        results.biases.iter().map(|bias| (bias.prior, bias.model)).collect();
    places.sort_unstable();
    places.dedup();
    let rows = places.into_iter().map(|(prior, model)| {
        let cell = |criterion: Criterion, of: fn(&Bias) -> Mean| {
            let wanted = (prior, model, criterion);
            let found = results.biases.iter().find(|bias| (bias.prior, bias.model, bias.criterion) == wanted);
            found.map(of).map_or(String::new(), |Mean { mean, se }| format!("{mean:+.2} ± {se:.2}"))
        };
        let mut row = vec![prior_name(prior).to_owned(), model.components.to_string()];
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

/// One sentence on the search for modes; none where there was no search.
#[must_use]
pub fn missed(results: &SuiteResults) -> Option<String> {
    let (missed, n) = results.missed_modes()?;
    Some(format!(
        "A search that begins at the true mixture ends at a mode with more evidence in {missed} of {n} data sets"
    ))
}

fn aligned(cells: &Cells, width: usize) -> String {
    let rows = std::iter::once(&cells.head).chain(&cells.rows).cloned().collect();
    TextTable::with_names(rows).render(width, 1)
}

/// What is printed at the end of a run.
#[must_use]
pub fn text(results: &SuiteResults) -> String {
    let width = terminal_width();
    let mut text = aligned(&shares(results), width);
    if let Some(cells) = reliability(results) {
        let head = "share of sets whose most probable K is true (number of sets), by its stated probability";
        writeln!(text, "\n{head}\n{}", aligned(&cells, width).trim_end()).expect(STRING);
    }
    if let Some(biases) = biases(results) {
        writeln!(text, "\nestimate less truth, nats\n{}", aligned(&biases, width).trim_end()).expect(STRING);
    }
    writeln!(text, "\n{}", headline(results)).expect(STRING);
    if let Some(missed) = missed(results) {
        writeln!(text, "{missed}").expect(STRING);
    }
    text
}

/// `summary.md`.
#[must_use]
pub fn markdown(results: &SuiteResults) -> String {
    let mut text = format!("# {}\n\n**{}.**\n\n", results.spec.name, headline(results));
    writeln!(text, "```text\n{}```", aligned(&shares(results), FILE_WIDTH)).expect(STRING);
    if let Some(cells) = reliability(results) {
        writeln!(
            text,
            "\nShare of sets whose most probable K is true (number of sets), by its stated probability:\n\n```text\n{}```",
            aligned(&cells, FILE_WIDTH)
        )
        .expect(STRING);
    }
    if let Some((cells, brier)) = agreement(results) {
        writeln!(
            text,
            "\nMean stated probability of each K, and the share of sets of which it is true:\n\n```text\n{}\n{brier}\n```",
            aligned(&cells, FILE_WIDTH)
        )
        .expect(STRING);
    }
    for (name, cells) in breakdowns(results) {
        writeln!(
            text,
            "\nShare found by {name} (number of sets):\n\n```text\n{}```",
            aligned(&cells, FILE_WIDTH)
        )
        .expect(STRING);
    }
    if let Some(cells) = biases(results) {
        writeln!(
            text,
            "\nEstimate less truth, in nats, mean over data sets ± standard error:\n\n```text\n{}```",
            aligned(&cells, FILE_WIDTH)
        )
        .expect(STRING);
    }
    if let Some(missed) = missed(results) {
        writeln!(text, "\n{missed}.").expect(STRING);
    }
    for failure in results.failures() {
        writeln!(text, "\n> {failure}.").expect(STRING);
    }
    text
}

/// `table.csv`: a row for each rule and group of data sets.
#[must_use]
pub fn csv(results: &SuiteResults) -> String {
    let header = [
        "factor",
        "level",
        "rule",
        "n",
        "found",
        "too_small",
        "too_large",
        "no_answer",
        "share",
        "se",
        "bic_difference",
        "bic_difference_se",
        "bic_p_value",
    ];
    let row = |factor: &str, level: &str, rule: SelectionRule, tally: Tally, paired: Option<Paired>| {
        [
            factor.to_owned(),
            level.to_owned(),
            rule.name(&results.spec),
            tally.n.to_string(),
            tally.found.to_string(),
            tally.too_small.to_string(),
            tally.too_large.to_string(),
            tally.no_answer.to_string(),
            csv::number(Some(tally.share())),
            csv::number(Some(tally.se())),
            csv::number(paired.map(|paired| paired.difference())),
            csv::number(paired.map(|paired| paired.se())),
            csv::number(paired.map(|paired| paired.p_value())),
        ]
    };
    let rules = || results.rules.iter().copied();
    let all = rules().map(|rule| row("all", "", rule, results.tally(rule, None), results.against_bic(rule)));
    let by_group = results.factors.iter().flat_map(|factor| {
        factor.groups.iter().flat_map(move |(label, sets)| {
            rules().map(move |rule| row(factor.name, label, rule, results.tally(rule, Some(sets)), None))
        })
    });
    csv::csv(header, all.chain(by_group))
}
