//! `index.html`, self-contained, and `summary.md`.

use std::collections::BTreeSet;

use anyhow::Result;
use gmm_scoring::Criterion;
use minijinja::{Value, context};

use super::figures::{MixtureFigure, ReportFigures};
use crate::engine::experiment::Experiment;
use crate::present::components;
use crate::present::figures::figure::{FIGURES, ReportFigure};
use crate::present::pages::render_page;
use crate::present::table::{self, short, standing};
use crate::present::text_table::FILE_WIDTH;
use crate::present::words;
use crate::present::words::list::sentence;
use crate::present::words::methods::Methods;
use crate::scores::criterion_title::title;
use crate::scores::failure::UnreliableFit;
use crate::scores::ranking::Ranking;
use crate::scores::results::Results;
use crate::study::job::ModelKey;

/// What the figures on a page may take together, so that with its text it stays below a megabyte.
const FIGURE_BYTES: usize = 850_000;

const TEMPLATE: &str = include_str!("page.html");

/// The page. Every text from the spec and the data is escaped; figures are our own SVG.
///
/// # Errors
/// A template that does not fit its data.
pub fn render(
    experiment: &Experiment,
    results: &Results,
    warnings: &[String],
    figures: &ReportFigures,
) -> Result<String> {
    let page_values =
        |figures: &[ReportFigure]| figures.iter().map(ReportFigure::page_values).collect::<Vec<_>>();
    let dataset = &experiment.dataset;
    let embedded = embedded(results, figures);
    let methods = Methods::new(experiment, results);
    let values = context! {
        name => experiment.spec.name.clone(),
        data => context! {
            path => experiment.spec.data.path.clone(),
            rows => dataset.data.n_observations(),
            columns => dataset.columns.clone(),
            dropped => dataset.dropped,
            label => experiment.spec.data.label.clone(),
        },
        answer => results.answer.as_ref().map(|answer| context! {
            headline => words::answer::headline(answer),
            lines => words::answer::lines(answer, results.clusters.as_ref()),
            reasons => words::answer::reasons(answer),
        }),
        components => results.components.as_ref().map(|found| {
            match components::cells(found, &dataset.columns) {
                Some((head, rows)) => context! { alike => (), head, rows },
                None => context! { alike => components::ALIKE },
            }
        }),
        warnings => warnings.iter().map(|warning| sentence(warning)).collect::<Vec<_>>(),
        verdicts => results.rankings.iter().filter_map(|ranking| Some(words::answer::verdict(ranking.verdict.as_ref()?, &ranking.unscored))).collect::<Vec<_>>(),
        table => comparison(experiment, results),
        refits => table::refits(results),
        notes => notes(results),
        clusters => page_values(&figures.clusters),
        overview => page_values(&figures.overview),
        mixtures => figures.mixtures.iter().map(|mixture| context! {
            components => mixture.model.label(),
            occupied => mixture.occupied,
            rand_index => mixture.rand_index.map(short),
            chosen => results.answer.as_ref().is_some_and(|answer| answer.model == mixture.model),
            embedded => embedded.contains(&mixture.model),
            figure => mixture.figure.page_values(),
        }).collect::<Vec<_>>(),
        linked => figures.mixtures.iter().filter(|mixture| !embedded.contains(&mixture.model)).map(|mixture| context! {
            model => mixture.model.to_string(),
            file => format!("{FIGURES}/{}.svg", mixture.figure.name),
        }).collect::<Vec<_>>(),
        methods => context! { methods => methods.methods, results => methods.results, references => methods.references },
        diagnostics => page_values(&figures.diagnostics),
        fits => fits(results),
        optima => optima(results),
        failures => results.failures.iter().map(|failure| context! { what => failure.subject.clone(), reason => sentence(&failure.reason) }).collect::<Vec<_>>(),
        spec => experiment.spec.to_toml(),
        occupied => occupied(experiment, results),
        spec_hash => experiment.spec.hash(),
        data_hash => dataset.hash.clone(),
        glossary => gmm_scoring::GLOSSARY,
    };
    render_page(TEMPLATE, values)
}

/// The K whose figures are on the page: the answer's, then the more probable before the less (without probabilities the nearer
/// before the farther), while they do not make the page too large.
fn embedded(results: &Results, figures: &ReportFigures) -> BTreeSet<ModelKey> {
    let bytes = |figure: &ReportFigure| figure.figure.svg.len();
    let always: usize = figures.apart_from_mixtures().map(bytes).sum();
    let chosen = results.answer.as_ref().map_or(1, |answer| answer.model.components);
    let probability = |model: ModelKey| {
        let of_each = results.probabilities().map_or(&[][..], |found| &found.of_each);
        of_each.iter().find(|entry| entry.model == model).map_or(0.0, |entry| entry.probability)
    };
    let mut order: Vec<&MixtureFigure> = figures.mixtures.iter().collect();
    order.sort_by(|a, b| {
        let distance = |figure: &MixtureFigure| figure.model.components.abs_diff(chosen);
        let by_distance = distance(a).cmp(&distance(b));
        // The answer's K stands first, at distance zero.
        let is_other = |figure: &MixtureFigure| distance(figure) > 0;
        let by_probability = probability(b.model).total_cmp(&probability(a.model));
        is_other(a).cmp(&is_other(b)).then(by_probability).then(by_distance)
    });
    let sizes: Vec<usize> = order.iter().map(|figure| bytes(&figure.figure)).collect();
    order
        .iter()
        .take(fitting(&sizes, FIGURE_BYTES.saturating_sub(always)))
        .map(|figure| figure.model)
        .collect()
}

/// How many of the first have room together; the first has it always.
fn fitting(sizes: &[usize], room: usize) -> usize {
    let totals = sizes.iter().scan(0, |total, size| {
        *total += size;
        Some(*total)
    });
    totals.take_while(|total| *total <= room).count().max(1).min(sizes.len())
}

/// The comparison: a row a K, a cell a criterion.
fn comparison(experiment: &Experiment, results: &Results) -> Value {
    let models = experiment.models();
    let probabilities = results.probabilities();
    let rows = models.iter().map(|&model| {
        let cells = results.rankings.iter().map(|ranking| cell(ranking, model)).collect::<Vec<_>>();
        let chosen = results.answer.as_ref().is_some_and(|answer| answer.model == model);
        let probability = probabilities.map(|found| table::probability(found, model));
        context! { probability, components => model.label(), parameters => experiment.n_parameters(model), cells, chosen }
    });
    let heads = results.rankings.iter().map(|ranking| {
        context! {
            title => title(ranking.criterion, &experiment.spec.scoring),
            better => if ranking.criterion.higher_is_better() { "higher is better" } else { "lower is better" },
        }
    });
    context! { probable => probabilities.is_some(), heads => heads.collect::<Vec<_>>(), rows => rows.collect::<Vec<_>>() }
}

fn cell(ranking: &Ranking, model: ModelKey) -> Value {
    let Some(row) = ranking.comparison.rows.iter().find(|row| row.model == model) else {
        return context! { text => "failed", se => "", standing => "", class => "", reliable => false, weight => "" };
    };
    let is_best = ranking.is_best(model);
    context! {
        text => if is_best { short(row.estimate) } else if row.difference > 0.0 { format!("+{}", short(row.difference)) } else { short(row.difference) },
        se => if is_best || row.difference_error(ranking.criterion).is_nan() { String::new() } else { short(row.difference_error(ranking.criterion)) },
        standing => standing(ranking, model),
        class => if is_best { "best" } else if standing(ranking, model).is_empty() { "" } else { "near" },
        reliable => row.reliable,
        weight => format!("{:.2}", row.weight),
    }
}

/// The posterior of the number of components that own an observation, a row a fit.
fn occupied(experiment: &Experiment, results: &Results) -> Value {
    let largest = experiment.models().last().map_or(0, |model| model.components);
    let counts: Vec<usize> = (1..=largest).collect();
    let rows = results.digests.iter().map(|digest| {
        let share = |count: &usize| match digest.occupied.get(count - 1) {
            None => String::new(),
            Some(share) if *share == 0.0 => "0".to_owned(),
            Some(share) => format!("{:.1}", 100.0 * share),
        };
        let shares = counts.iter().map(share).collect::<Vec<_>>();
        context! { components => digest.job.model.label(), seed => digest.job.seed, shares }
    });
    let rows = rows.collect::<Vec<_>>();
    context! { counts, rows }
}

/// What single scores carry, those that should not be believed first.
fn notes(results: &Results) -> Vec<Value> {
    let mut noted: Vec<_> = results
        .scores
        .iter()
        .map(|row| (row, words::diagnostics::note(row)))
        .filter(|(_, note)| !note.is_empty())
        .collect();
    noted.sort_by_key(|(row, _)| row.score.reliable);
    noted
        .into_iter()
        .map(|(row, note)| {
            let seed = row.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
            context! {
                about => format!("{}, {}{seed}", row.score.criterion.title(), row.model),
                note,
            }
        })
        .collect()
}

fn fits(results: &Results) -> Vec<Value> {
    results
        .digests
        .iter()
        .map(|digest| {
            let health = &digest.health;
            context! {
                components => digest.job.model.label(),
                seed => digest.job.seed,
                rhat => format!("{:.3}", health.max_rhat),
                ess_bulk => format!("{:.0}", health.min_ess_bulk),
                ess_tail => format!("{:.0}", health.min_ess_tail),
                divergences => health.divergences,
                bfmi => format!("{:.2}", health.min_bfmi),
                steps => format!("{:.1}", health.mean_gradients),
                switched => format!("{:.1}", 100.0 * health.switched),
                chains => health.chain_lp.iter().map(|&lp| short(lp)).collect::<Vec<_>>().join(", "),
                doubts => health.diagnostics().iter().map(|found| sentence(&words::diagnostics::diagnostic(found))).collect::<Vec<_>>(),
                remarks => health.remarks().iter().map(|remark| sentence(&words::diagnostics::remark(remark))).collect::<Vec<_>>(),
            }
        })
        .collect()
}

fn optima(results: &Results) -> Vec<Value> {
    results
        .optima
        .iter()
        .map(|(model, optimum)| {
            context! {
                components => model.label(),
                log_likelihood => optimum.best.as_ref().map_or("–".to_owned(), |best| format!("{:.3}", best.log_likelihood)),
                starts => optimum.n_starts,
                reached => optimum.n_reached,
                degenerate => optimum.n_degenerate,
                refused => optimum.refused_gain.map_or("–".to_owned(), |gain| format!("{gain:.2}")),
            }
        })
        .collect()
}

/// The answer, the table and the warnings as Markdown.
#[must_use]
pub fn markdown(experiment: &Experiment, results: &Results, warnings: &[String]) -> String {
    let mut text = format!("# {}\n\n", experiment.spec.name);
    if let Some(answer) = &results.answer {
        match words::answer::lines(answer, results.clusters.as_ref()) {
            Some(lines) => text.push_str(&format!("```text\n{}\n```\n\n", lines.join("\n"))),
            None => text.push_str(&format!("**{}**\n\n", words::answer::headline(answer))),
        }
        for reason in words::answer::reasons(answer) {
            text.push_str(&format!("- {reason}\n"));
        }
        text.push('\n');
    }
    let columns = &experiment.dataset.columns;
    if let Some(table) = components::text(results.components.as_ref(), columns, FILE_WIDTH) {
        text.push_str(&format!("```text\n{table}```\n\n"));
    }
    text.push_str("```text\n");
    text.push_str(&table::ranks(experiment, results, FILE_WIDTH));
    text.push_str("```\n");
    let of_repeats = results
        .scores
        .iter()
        .filter(|row| row.score.criterion == Criterion::Kfold && experiment.spec.scoring.repeats > 1);
    let of_repeats = of_repeats.filter_map(|row| {
        let seed = row.seed?;
        Some(format!(
            "{}, {}, seed {seed}: {}",
            row.score.criterion,
            row.model,
            words::diagnostics::note(row)
        ))
    });
    for remark in table::refits(results).into_iter().chain(of_repeats) {
        text.push_str(&format!("\n{remark}\n"));
    }
    for failure in &results.failures {
        text.push_str(&format!("\n> {} failed: {}\n", failure.subject, sentence(&failure.reason)));
    }
    for UnreliableFit { job, diagnostics } in &results.unreliable {
        text.push_str(&format!(
            "\n> {job} is unreliable. {}\n",
            words::diagnostics::diagnostics(diagnostics)
        ));
    }
    for warning in warnings {
        text.push_str(&format!("\n> {}\n", sentence(warning)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_on_the_page_while_there_is_room_and_the_answers_always() {
        assert_eq!(fitting(&[300, 200, 100], 600), 3);
        assert_eq!(fitting(&[300, 200, 101], 600), 2);
        assert_eq!(fitting(&[700, 1], 600), 1);
        assert_eq!(fitting(&[], 600), 0);
    }
}
