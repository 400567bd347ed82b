//! The comparison as people and programs read it: a table on the terminal, CSV, JSON.

use std::fmt::Write;

use gmm_scoring::{Row, Scale};
use serde_json::{Value, json};

use crate::engine::experiment::Experiment;
use crate::present::components;
use crate::present::csv;
use crate::present::text_table::{TextTable, paragraph, terminal_width};
use crate::present::words;
use crate::scores::criterion_title::title;
use crate::scores::health::{least, worst};
use crate::scores::leave_one_out::LeaveOneOut;
use crate::scores::probabilities::Probabilities;
use crate::scores::ranking::Ranking;
use crate::scores::results::Results;
use crate::study::job::ModelKey;
use crate::study::spec::Sample;

const SMALLEST: &str = "smallest indistinguishable";

/// What a K is in one criterion's ranking.
#[must_use]
pub fn standing(ranking: &Ranking, model: ModelKey) -> &'static str {
    let Some(verdict) = &ranking.verdict else { return "" };
    let smallest = ranking.criterion.scale() == Scale::Prediction && model == verdict.smallest;
    match (model == verdict.best, smallest) {
        (true, true) => "best and smallest",
        (true, false) => "best",
        (false, true) => SMALLEST,
        (false, false) if verdict.indistinguishable.contains(&model) => "indistinguishable",
        (false, false) => "",
    }
}

/// `comparison.csv`: per criterion, every model ranked.
#[must_use]
pub fn csv(results: &Results) -> String {
    let header = [
        "criterion",
        "rank",
        "components",
        "estimate",
        "se",
        "mcse",
        "difference",
        "difference_se",
        "difference_mcse",
        "weight",
        "reliable",
        "verdict",
    ];
    let rows = results.rankings.iter().flat_map(|ranking| {
        ranking.comparison.rows.iter().enumerate().map(move |(rank, row)| {
            let number = |value: f64| format!("{value:?}");
            [
                ranking.criterion.name().to_owned(),
                (rank + 1).to_string(),
                row.model.components.to_string(),
                number(row.estimate),
                number(row.se),
                number(row.mcse),
                number(row.difference),
                number(row.difference_se),
                number(row.difference_mcse),
                number(row.weight),
                row.reliable.to_string(),
                standing(ranking, row.model).to_owned(),
            ]
        })
    });
    csv::csv(header, rows)
}

/// The same, with the answer, as JSON. What is undefined is null.
#[must_use]
pub fn json(experiment: &Experiment, results: &Results) -> Value {
    let comparison: Vec<Value> = results
        .rankings
        .iter()
        .flat_map(|ranking| {
            ranking.comparison.rows.iter().enumerate().map(move |(rank, row)| {
                json!({
                    "criterion": ranking.criterion.name(),
                    "rank": rank + 1,
                    "components": row.model.components,
                    "estimate": row.estimate,
                    "se": row.se,
                    "mcse": row.mcse,
                    "difference": row.difference,
                    "difference_se": row.difference_se,
                    "difference_mcse": row.difference_mcse,
                    "weight": row.weight,
                    "reliable": row.reliable,
                    "verdict": standing(ranking, row.model),
                })
            })
        })
        .collect();
    let answer = results.answer.as_ref().map(|answer| {
        json!({
            "components": answer.model.components,
            "criterion": answer.criterion.name(),
            "probabilities": answer.probabilities.as_ref().map(|found| {
                let of_each = found.of_each.iter();
                of_each.map(|entry| json!({"components": entry.model.components, "probability": entry.probability, "error": entry.error, "prior": entry.prior})).collect::<Vec<_>>()
            }),
            "clusters": results.clusters.as_ref().map(|clusters| {
                json!({"clusters": clusters.clustering.n_clusters, "share_above_0.9": clusters.clear, "adjusted_rand_index": clusters.agreement})
            }),
            "prediction": answer.prediction.map(|found| {
                json!({
                    "components": found.smallest.components,
                    "best": found.best.components,
                    "lead": found.lead,
                    "lead_se": found.lead_se,
                })
            }),
            "table_of_components": results.components.as_ref().map(|found| {
                components::json(found, &experiment.dataset.columns)
            }),
            "headline": words::answer::headline(answer),
            "reasons": words::answer::reasons(answer),
        })
    });
    let failures: Vec<Value> = results
        .failures
        .iter()
        .map(|failure| json!({"subject": failure.subject, "reason": failure.reason}))
        .collect();
    json!({"name": experiment.spec.name, "answer": answer, "comparison": comparison, "failures": failures})
}

/// A number with enough digits to tell differences that matter, and no more.
#[must_use]
pub fn short(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "–".to_owned(),
        size if size >= 999.5 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn cell(ranking: &Ranking, row: &Row<ModelKey>) -> String {
    let mark = match standing(ranking, row.model) {
        SMALLEST => "<",
        _ if ranking.is_best(row.model) => "*",
        _ => " ",
    };
    let doubt = if row.reliable { " " } else { "?" };
    let number = if ranking.is_best(row.model) {
        short(row.estimate)
    } else {
        let error = row.difference_error(ranking.criterion);
        let error = if error.is_nan() { String::new() } else { format!(" ± {}", short(error)) };
        format!("{:+}{error}", Short(row.difference))
    };
    format!("{number}{doubt}{mark}")
}

/// [`short`] with a sign.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 > 0.0 && f.sign_plus() { "+" } else { "" };
        write!(f, "{sign}{}", short(self.0))
    }
}

/// The table with its legend, in lines of at most `width` characters where columns allow it.
#[must_use]
pub fn ranks(experiment: &Experiment, results: &Results, width: usize) -> String {
    let scoring = &experiment.spec.scoring;
    let models = experiment.models();
    let mut header = vec!["K".to_owned(), "p".to_owned()];
    let probabilities = results.probabilities();
    header.extend(probabilities.map(|_| "P(K)".to_owned()));
    header.extend(results.rankings.iter().map(|ranking| format!("{}  ", title(ranking.criterion, scoring))));
    let sampled = !results.digests.is_empty() || experiment.spec.sampler.sample == Sample::All;
    if sampled {
        header.extend(["R-hat", "ESS", "div."].map(str::to_owned));
    }
    let mut rows = vec![header];
    for &model in &models {
        let mut row = vec![model.label(), experiment.n_parameters(model).to_string()];
        row.extend(probabilities.map(|found| probability(found, model)));
        for ranking in &results.rankings {
            let found = ranking.comparison.rows.iter().find(|row| row.model == model);
            row.push(found.map_or("failed  ".to_owned(), |found| cell(ranking, found)));
        }
        let healths: Vec<_> =
            results.digests.iter().filter(|digest| digest.job.model == model).map(|d| &d.health).collect();
        if !sampled {
        } else if healths.is_empty() {
            row.extend(["–", "–", "–"].map(str::to_owned));
        } else {
            let rhat = healths.iter().map(|health| health.max_rhat).fold(f64::NEG_INFINITY, worst);
            let ess = healths
                .iter()
                .map(|health| least(health.min_ess_bulk, health.min_ess_tail))
                .fold(f64::INFINITY, least);
            let divergences: usize = healths.iter().map(|health| health.divergences).sum();
            let or_dash = |text: String, value: f64| if value.is_nan() { "–".to_owned() } else { text };
            row.push(or_dash(format!("{rhat:.3}"), rhat));
            row.push(or_dash(format!("{ess:.0}"), ess));
            row.push(divergences.to_string());
        }
        rows.push(row);
    }
    let mut text = TextTable::new(rows).render(width, 1);
    if !results.rankings.is_empty() {
        text.push_str(&legend(results, probabilities.is_some()));
    }
    text
}

/// The posterior probability of a K as tables show it.
#[must_use]
pub fn probability(found: &Probabilities, model: ModelKey) -> String {
    found.of(model).map_or("–".to_owned(), |probability| format!("{probability:.3}"))
}

/// What the signs in the table mean; of those that cannot occur, nothing.
fn legend(results: &Results, with_probabilities: bool) -> String {
    let any = |scale: Scale| results.rankings.iter().any(|ranking| ranking.criterion.scale() == scale);
    let with_errors = any(Scale::Prediction) || !results.digests.is_empty();
    let mut text = String::from("\n");
    if with_probabilities {
        text.push_str("P(K)  posterior probability of K, among the K tried\n");
    }
    text.push_str("*  best, shown in full; other rows: difference to it");
    text.push_str(if with_errors { " ± standard error\n" } else { "\n" });
    if with_errors {
        text.push_str("   (for evidence and WBIC ± the error of how they are computed)\n");
    }
    if any(Scale::Prediction) {
        text.push_str("<  smallest K indistinguishable from the best\n");
    }
    if results.rankings.iter().flat_map(|ranking| &ranking.comparison.rows).any(|row| !row.reliable) {
        text.push_str("?  unreliable\n");
    }
    text
}

/// A sentence on LOO's refits, where there are any.
#[must_use]
pub fn refits(results: &Results) -> Option<String> {
    let of_fit = |loo: &LeaveOneOut| format!("{} at {} (seed {})", loo.n_refitted(), loo.model, loo.seed);
    let refitted: Vec<String> =
        results.left_out.iter().filter(|loo| loo.n_refitted() > 0).map(of_fit).collect();
    (!refitted.is_empty()).then(|| {
        format!("PSIS-LOO: observations refitted, because reweighting fails: {}.", refitted.join(", "))
    })
}

/// The table and the answer for a terminal.
#[must_use]
pub fn text(experiment: &Experiment, results: &Results) -> String {
    let width = terminal_width();
    let answer = results.answer.as_ref();
    let lines = answer.and_then(|answer| words::answer::lines(answer, results.clusters.as_ref()));
    let mut text = lines.as_ref().map_or_else(String::new, |lines| format!("{}\n\n", lines.join("\n")));
    let of_components = components::text(results.components.as_ref(), &experiment.dataset.columns, width);
    text.extend(of_components.map(|table| format!("{table}\n")));
    text.push_str(&ranks(experiment, results, width));
    if answer.is_none() && !experiment.spec.scoring.criteria.is_empty() {
        let data = &experiment.dataset.data;
        let why = words::answer::no_answer(data.n_observations(), data.n_features());
        write!(text, "\n{}\n", paragraph(&why, width)).expect("writing to a string cannot fail");
    }
    if let Some(answer) = answer {
        text.push('\n');
        if lines.is_none() {
            writeln!(text, "{}", words::answer::headline(answer)).expect("writing to a string cannot fail");
        }
        for reason in words::answer::reasons(answer) {
            writeln!(text, "{}", paragraph(&reason, width)).expect("writing to a string cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        assert_eq!(short(-1234.567), "-1235");
        assert_eq!(short(12.345), "12.3");
        assert_eq!(short(-0.5), "-0.50");
        assert_eq!(short(f64::NAN), "–");
        assert_eq!(format!("{:+}", Short(3.0)), "+3.00");
        assert_eq!(format!("{:+}", Short(-3.0)), "-3.00");
    }
}
