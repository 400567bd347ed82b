//! The report: figures, the page that holds them all, and the tables beside it.

mod page;
mod portrait;

use std::path::Path;

use anyhow::{Context, Result};
use gmm_scoring::{Scale, adjusted_rand_index};
use rayon::prelude::*;

pub(crate) use self::page::render_page;
use self::portrait::Portrait;
use super::figures::Figure;
use super::figures::criteria::{Criteria, Criterion as Panel, Direction, Score as Point};
use super::figures::differences::{Comparison as Forest, Difference, Differences};
use super::figures::traces::{Trace, Traces};
use crate::engine::experiment::Experiment;
use crate::present::table::{self, title};
use crate::scores::answer::choice;
use crate::scores::plot_draws::Sketch;
use crate::scores::results::{Ranking, Results};
use crate::storage::atomic::{remove_directory, remove_file, write_bytes};
use crate::storage::store::Store;

/// A figure with its place in the report.
pub(crate) struct Plate {
    /// File name without ending.
    pub name: String,
    pub caption: String,
    pub figure: Figure,
}

impl Plate {
    /// Writes the figure in both formats, among those below a directory of results.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, root: &Path) -> Result<()> {
        let path = |ending: &str| root.join(FIGURES).join(format!("{}.{ending}", self.name));
        write_bytes(&path("svg"), self.figure.svg.as_bytes())?;
        write_bytes(&path("png"), &self.figure.png)
    }
}

/// One K's picture and what else it tells.
pub(crate) struct Fitted {
    pub components: usize,
    pub occupied: usize,
    /// Against the label column, where there is one.
    pub rand_index: Option<f64>,
    pub plate: Plate,
}

/// How much of a report is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Tables, figures and the page.
    Whole,
    /// Tables alone.
    Tables,
}

/// The look of pages that are no experiment's report: the suites'.
pub(crate) const PLAIN_STYLE: &str = include_str!("report/plain.css");

/// The page's file name.
pub const PAGE: &str = "index.html";

/// The directory of figures.
pub const FIGURES: &str = "figures";

/// Writes the tables that people read.
///
/// # Errors
/// The disk.
pub fn write_tables(
    experiment: &Experiment,
    store: &Store,
    results: &Results,
    warnings: &[String],
) -> Result<()> {
    let markdown = page::markdown(experiment, results, warnings);
    write_bytes(&store.root().join("summary.md"), markdown.as_bytes())?;
    write_bytes(&store.root().join("comparison.csv"), table::csv(results).as_bytes())
}

/// Removes page and figures, which would contradict newer tables.
///
/// # Errors
/// The disk.
pub fn remove(store: &Store) -> Result<()> {
    remove_report(store.root())
}

/// Removes page and figures below a directory of results.
///
/// # Errors
/// The disk.
pub fn remove_report(root: &Path) -> Result<()> {
    remove_file(&root.join(PAGE))?;
    remove_directory(&root.join(FIGURES))
}

/// Draws every figure and writes figures and page; call it inside the pool whose threads it may use.
///
/// # Errors
/// The disk.
pub fn draw(experiment: &Experiment, store: &Store, results: &Results, warnings: &[String]) -> Result<()> {
    let mut overview = Vec::new();
    if !results.rankings.is_empty() {
        overview.push(criteria(experiment, results)?);
    }
    if results.rankings.iter().any(|ranking| ranking.criterion.scale() == Scale::Prediction) {
        overview.push(differences(experiment, results)?);
    }
    let ks = experiment.ks();
    let fitted = ks
        .par_iter()
        .filter_map(|k| results.sketches.get(k).map(|sketch| fitted(experiment, results, sketch)))
        .collect::<Result<Vec<_>>>()?;
    let chosen = results.answer.as_ref().map_or(ks[0], |answer| answer.components);
    let traces = results.sketches.get(&chosen).map(traces).transpose()?;

    let root = store.root();
    let mut plates = overview.iter().chain(fitted.iter().map(|fitted| &fitted.plate)).chain(&traces);
    plates.try_for_each(|plate| plate.write(root))?;
    let page = page::render(experiment, results, warnings, &overview, &fitted, traces.as_ref())?;
    write_bytes(&root.join(PAGE), page.as_bytes())
}

fn criteria(experiment: &Experiment, results: &Results) -> Result<Plate> {
    let panels = results.rankings.iter().map(|ranking| {
        let scores = ranking
            .rows_by_components()
            .into_iter()
            .map(|row| Point {
                components: row.components,
                estimate: row.estimate,
                difference_se: row.difference_se,
                seeds: seeds_of(results, ranking, row.components),
                reliable: row.reliable,
            })
            .collect();
        let higher = ranking.criterion.higher_is_better();
        Panel {
            name: title(ranking.criterion, &experiment.spec.scoring),
            direction: if higher { Direction::HigherIsBetter } else { Direction::LowerIsBetter },
            scores,
            best: ranking.verdict.as_ref().map(|verdict| verdict.best),
            selected: ranking.verdict.as_ref().map(choice),
        }
    });
    let figure = Criteria { criteria: panels.collect() }.draw().context("figure of the criteria")?;
    Ok(Plate {
        name: "criteria".to_owned(),
        caption: "Every criterion against the number of components, as the difference to its best; bars are one standard \
                  error of that difference. Axes are compressed far from the best."
            .to_owned(),
        figure,
    })
}

fn seeds_of(results: &Results, ranking: &Ranking, components: usize) -> Vec<f64> {
    results
        .scores
        .iter()
        .filter(|row| {
            row.score.criterion == ranking.criterion && row.components == components && row.seed.is_some()
        })
        .map(|row| row.score.estimate)
        .collect()
}

fn differences(experiment: &Experiment, results: &Results) -> Result<Plate> {
    let comparisons =
        results.rankings.iter().filter(|ranking| ranking.criterion.scale() == Scale::Prediction).map(
            |ranking| {
                let differences = ranking
                    .rows_by_components()
                    .into_iter()
                    .map(|row| Difference {
                        components: row.components,
                        elpd_diff: row.difference,
                        se_diff: if ranking.is_best(row.components) { f64::NAN } else { row.difference_se },
                        reliable: row.reliable,
                    })
                    .collect();
                Forest {
                    criterion: title(ranking.criterion, &experiment.spec.scoring),
                    differences,
                    best: ranking.verdict.as_ref().map(|verdict| verdict.best),
                }
            },
        );
    let figure =
        Differences { comparisons: comparisons.collect() }.draw().context("figure of the differences")?;
    Ok(Plate {
        name: "differences".to_owned(),
        caption: "Expected log predictive density of each K less that of the best, in nats, with one and two standard errors of \
                  the paired difference. In the shaded band differences are too small to count."
            .to_owned(),
        figure,
    })
}

fn fitted(experiment: &Experiment, results: &Results, sketch: &Sketch) -> Result<Fitted> {
    let k = sketch.components;
    let Portrait { picture, occupied } = Portrait::of(experiment, sketch);
    let rand_index =
        experiment.dataset.classes.as_ref().map(|classes| adjusted_rand_index(&picture.clusters, classes));
    let figure = picture.draw().with_context(|| format!("figure of K = {k}"))?;
    let n_seeds = results.digests.iter().filter(|digest| digest.job.components == k).count();
    let of_seed = if n_seeds > 1 { format!(" (seed {})", sketch.seed) } else { String::new() };
    Ok(Fitted {
        components: k,
        occupied,
        rand_index,
        plate: Plate {
            name: format!("mixture-{k}"),
            caption: format!(
                "K = {k}{of_seed}: observations coloured by their most probable component, components at posterior medians, \
                 posterior predictive density."
            ),
            figure,
        },
    })
}

fn traces(sketch: &Sketch) -> Result<Plate> {
    let chains = |column: &[f64]| column.chunks(sketch.n_draws).map(<[f64]>::to_vec).collect();
    let traces =
        sketch.traces.iter().map(|(name, column)| Trace { name: (*name).to_owned(), chains: chains(column) });
    let figure = Traces { components: sketch.components, traces: traces.collect() };
    let figure = figure.draw().context("figure of the traces")?;
    Ok(Plate {
        name: "traces".to_owned(),
        caption: format!(
            "K = {}, seed {}: traces of quantities that no relabelling changes, and how the ranks of each chain's draws are \
             spread; even bars mean that chains agree.",
            sketch.components, sketch.seed
        ),
        figure,
    })
}
