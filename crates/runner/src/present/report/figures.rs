//! The figures of an experiment's report: one function a figure, and the lists that say where each stands on the page.

use anyhow::{Context, Result};
use gmm_sampler::mixture::params::Mixture;
use gmm_scoring::{Scale, adjusted_rand_index};
use rayon::prelude::*;

use super::clusters_plot::clusters_plot;
use super::mixture_plot_data::MixturePlotData;
use crate::engine::experiment::Experiment;
use crate::present::figures::criteria::{CriteriaPlot, CriterionPanel, Direction, PlottedScore};
use crate::present::figures::differences::{CriterionDifferences, Difference, DifferencesPlot};
use crate::present::figures::figure::ReportFigure;
use crate::present::figures::probabilities::{PlottedProbability, ProbabilitiesPlot};
use crate::present::figures::traces::{Trace, TracePlot};
use crate::scores::clusters::CLEAR;
use crate::scores::criterion_title::title;
use crate::scores::ranking::Ranking;
use crate::scores::results::Results;
use crate::study::job::ModelKey;

/// Draws one figure; `None` where the results have nothing to show in it.
type DrawFigure = fn(&Experiment, &Results) -> Result<Option<ReportFigure>>;

/// Figures of the clusters, in the order of the page.
const CLUSTERS: [DrawFigure; 1] = [clusters];

/// Figures below the table of criteria, in the order of the page.
const OVERVIEW: [DrawFigure; 3] = [probabilities, criteria, differences];

/// Figures above the table of diagnostics, in the order of the page.
const DIAGNOSTICS: [DrawFigure; 1] = [traces];

/// Every figure of a report, by the section of the page that it stands in.
pub struct ReportFigures {
    pub clusters: Vec<ReportFigure>,
    pub overview: Vec<ReportFigure>,
    /// One for each K that has a fit.
    pub mixtures: Vec<MixtureFigure>,
    pub diagnostics: Vec<ReportFigure>,
}

/// The figure of one fitted mixture, and what its caption adds.
pub struct MixtureFigure {
    pub model: ModelKey,
    /// Components that are the most probable one of at least one observation.
    pub occupied: usize,
    /// Adjusted Rand index of the clusters and the label column, if the data have one.
    pub rand_index: Option<f64>,
    pub figure: ReportFigure,
}

impl ReportFigures {
    /// Draws all figures on the threads of the current pool.
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn new(experiment: &Experiment, results: &Results) -> Result<Self> {
        let draw = |figures: &[DrawFigure]| -> Result<Vec<ReportFigure>> {
            let drawn: Vec<_> =
                figures.par_iter().map(|figure| figure(experiment, results)).collect::<Result<_>>()?;
            Ok(drawn.into_iter().flatten().collect())
        };
        let mixtures = experiment
            .models()
            .par_iter()
            .filter_map(|&model| {
                let draws = results.plot_draws.get(&model);
                let mode = results.modes.get(&model);
                let shown = match (draws, mode) {
                    (Some(draws), _) => (&draws.draws[..], Some(draws.seed)),
                    (None, Some(mode)) => (std::slice::from_ref(mode), None),
                    (None, None) => return None,
                };
                Some(mixture(experiment, results, model, shown))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            clusters: draw(&CLUSTERS)?,
            overview: draw(&OVERVIEW)?,
            mixtures,
            diagnostics: draw(&DIAGNOSTICS)?,
        })
    }

    /// All figures, for writing them to files.
    pub fn all(&self) -> impl Iterator<Item = &ReportFigure> {
        self.apart_from_mixtures().chain(self.mixtures.iter().map(|mixture| &mixture.figure))
    }

    /// All but those of the fitted mixtures, of which there may be many.
    pub fn apart_from_mixtures(&self) -> impl Iterator<Item = &ReportFigure> {
        self.clusters.iter().chain(&self.overview).chain(&self.diagnostics)
    }
}

fn clusters(experiment: &Experiment, results: &Results) -> Result<Option<ReportFigure>> {
    let Some(found) = &results.clusters else { return Ok(None) };
    let dataset = &experiment.dataset;
    let figure =
        clusters_plot(&dataset.data, &dataset.columns, found).draw().context("figure of the clusters")?;
    Ok(Some(ReportFigure {
        name: "clusters".to_owned(),
        caption: format!(
            "Above, each cluster by feature: lines connect medians, bands reach from the lower to the upper quartile of its rows, in \
             standard deviations from the mean of all rows. Below, the probability of each row's cluster; {:.0} % of rows lie above \
             the line at {CLEAR}.",
            100.0 * found.clear
        ),
        figure,
    }))
}

fn probabilities(_: &Experiment, results: &Results) -> Result<Option<ReportFigure>> {
    let Some(found) = results.probabilities() else { return Ok(None) };
    let most_probable = found.most_probable().model;
    let of_each = found.of_each.iter().map(|entry| PlottedProbability {
        components: entry.model.components,
        posterior: entry.probability,
        error: entry.error,
        prior: entry.prior,
        is_most_probable: entry.model == most_probable,
    });
    let plot = ProbabilitiesPlot { of_each: of_each.collect() };
    let figure = plot.draw().context("figure of the probabilities")?;
    Ok(Some(ReportFigure {
        name: "probabilities".to_owned(),
        caption: "Posterior probability of each number of components K, among the K tried. Grey lines show the probability \
                  before the data."
            .to_owned(),
        figure,
    }))
}

fn criteria(experiment: &Experiment, results: &Results) -> Result<Option<ReportFigure>> {
    if results.rankings.is_empty() {
        return Ok(None);
    }
    let panels = results.rankings.iter().map(|ranking| {
        let scores = ranking
            .rows_by_model()
            .into_iter()
            .map(|row| PlottedScore {
                components: row.model.components,
                estimate: row.estimate,
                difference_se: row.difference_error(ranking.criterion),
                seeds: estimates_by_seed(results, ranking, row.model),
                reliable: row.reliable,
            })
            .collect();
        let higher = ranking.criterion.higher_is_better();
        // Only predictions have a paired test of each K against the best.
        let tested = ranking.verdict.as_ref().filter(|_| ranking.criterion.scale() == Scale::Prediction);
        CriterionPanel {
            name: title(ranking.criterion, &experiment.spec.scoring),
            direction: if higher { Direction::HigherIsBetter } else { Direction::LowerIsBetter },
            scores,
            best: ranking.verdict.as_ref().map(|verdict| verdict.best.components),
            smallest_indistinguishable: tested.map(|verdict| verdict.smallest.components),
        }
    });
    let figure = CriteriaPlot { panels: panels.collect() }.draw().context("figure of the criteria")?;
    Ok(Some(ReportFigure {
        name: "criteria".to_owned(),
        caption: "Each criterion by number of components K, as the difference to its best score. Bars show one standard error \
                  of that difference. Axes are compressed far from the best score."
            .to_owned(),
        figure,
    }))
}

/// The estimates of one criterion and K, one for each seed.
fn estimates_by_seed(results: &Results, ranking: &Ranking, model: ModelKey) -> Vec<f64> {
    results
        .scores
        .iter()
        .filter(|row| row.score.criterion == ranking.criterion && row.model == model && row.seed.is_some())
        .map(|row| row.score.estimate)
        .collect()
}

fn differences(experiment: &Experiment, results: &Results) -> Result<Option<ReportFigure>> {
    let predictions =
        results.rankings.iter().filter(|ranking| ranking.criterion.scale() == Scale::Prediction);
    let panels: Vec<CriterionDifferences> = predictions
        .map(|ranking| {
            let differences = ranking.rows_by_model().into_iter().map(|row| Difference {
                components: row.model.components,
                elpd_diff: row.difference,
                se_diff: if ranking.is_best(row.model) { f64::NAN } else { row.difference_se },
                reliable: row.reliable,
            });
            CriterionDifferences {
                criterion: title(ranking.criterion, &experiment.spec.scoring),
                differences: differences.collect(),
                best: ranking.verdict.as_ref().map(|verdict| verdict.best.components),
            }
        })
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let figure = DifferencesPlot { panels }.draw().context("figure of the differences")?;
    Ok(Some(ReportFigure {
        name: "differences".to_owned(),
        caption: "Expected log predictive density of each K minus that of the best K, in nats, with one and two standard \
                  errors of the paired difference. Differences inside the shaded band are too small to matter."
            .to_owned(),
        figure,
    }))
}

/// From the draws of a fit with a seed, or from the mixture at the mode alone.
fn mixture(
    experiment: &Experiment,
    results: &Results,
    model: ModelKey,
    (draws, seed): (&[Mixture], Option<u64>),
) -> Result<MixtureFigure> {
    let MixturePlotData { plot, occupied } = MixturePlotData::new(experiment, draws);
    let rand_index =
        experiment.dataset.classes.as_ref().map(|classes| adjusted_rand_index(&plot.clusters, classes));
    let figure = plot.draw().with_context(|| format!("figure of {model}"))?;
    let n_seeds = results.digests.iter().filter(|digest| digest.job.model == model).count();
    let (place, of_seed) = match seed {
        None => ("the posterior mode", String::new()),
        Some(seed) => {
            let of_seed = if n_seeds > 1 { format!(" (seed {seed})") } else { String::new() };
            ("their posterior medians, with the posterior predictive density", of_seed)
        }
    };
    Ok(MixtureFigure {
        model,
        occupied,
        rand_index,
        figure: ReportFigure {
            name: format!("mixture-{}", model.label()),
            caption: format!(
                "Fitted mixture with {model}{of_seed}. Colours show the most probable component of each observation; components \
                 are drawn at {place}."
            ),
            figure,
        },
    })
}

/// Traces of the fit that gives the answer.
fn traces(experiment: &Experiment, results: &Results) -> Result<Option<ReportFigure>> {
    let chosen = results.answer.as_ref().map_or(experiment.models()[0], |answer| answer.model);
    let Some(draws) = results.plot_draws.get(&chosen) else { return Ok(None) };
    let chains = |column: &[f64]| column.chunks(draws.n_draws).map(<[f64]>::to_vec).collect();
    let traces =
        draws.traces.iter().map(|(name, column)| Trace { name: (*name).to_owned(), chains: chains(column) });
    let plot = TracePlot { components: draws.model.components, traces: traces.collect() };
    let figure = plot.draw().context("figure of the traces")?;
    Ok(Some(ReportFigure {
        name: "traces".to_owned(),
        caption: format!(
            "{}, seed {}: traces of label-invariant quantities, and the ranks of each chain's draws among all draws. \
             Flat rank histograms mean that the chains agree.",
            draws.model, draws.seed
        ),
        figure,
    }))
}
