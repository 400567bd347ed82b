//! From stored fits to scores: one pass over the data for each fit, then every criterion.

use anyhow::{Context, Result, ensure};
use gmm_sampler::data::{Data, Observations};
use gmm_sampler::diagnostics::Summary;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::relabel::relabel;
use gmm_sampler::spike::SpikeWatch;
use gmm_sampler::start::em::{EmOptimum, Regularity};
use gmm_sampler::ties::Ties;
use gmm_scoring::{
    Criterion, LogLikelihood, LooPoint, PointScores, Score, WaicPoint, aic, bic, entropy, held_out, icl,
    kfold, loo, waic,
};
use rayon::prelude::*;

use crate::experiment::Experiment;
use crate::fit::Fit;
use crate::health::Health;
use crate::jobs::Job;
use crate::report::Extent;
use crate::sketch::Sketch;

/// One row of `scores.parquet`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    pub components: usize,
    /// None for criteria of the maximised likelihood, which no seed of the sampler moves.
    pub seed: Option<u64>,
    pub score: Score,
}

/// One row of `summary.parquet`.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryRow {
    pub components: usize,
    pub seed: u64,
    pub parameter: String,
    pub summary: Summary,
}

/// What a fold's fit says of the rows that it has not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// Held-out rows, from 0, ascending.
    pub rows: Vec<usize>,
    /// Their log predictive densities, in nats per unit of the data's own scale.
    pub elpd: Vec<f64>,
    /// Why the fit behind them is doubtful; empty if it is not.
    pub trouble: String,
}

/// Everything that is kept of a fit once its draws are on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    pub job: Job,
    pub summary: Vec<SummaryRow>,
    pub health: Health,
    /// WAIC and PSIS-LOO, where asked for.
    pub scores: Vec<Score>,
}

/// What one pass over the data yields of a fit.
struct Pass {
    waic: Vec<WaicPoint>,
    loo: Vec<LooPoint>,
    /// S log-likelihoods of the whole data.
    log_likelihood: Vec<f64>,
}

fn pass(matrix: &LogLikelihood<'_>, with_waic: bool, with_loo: bool) -> Pass {
    let blocks: Vec<Pass> = (0..matrix.n_blocks())
        .into_par_iter()
        .map(|block| {
            if !with_waic && !with_loo {
                return Pass { waic: Vec::new(), loo: Vec::new(), log_likelihood: matrix.block_sum(block) };
            }
            let columns = matrix.block(block);
            let mut log_likelihood = vec![0.0; matrix.n_draws()];
            for column in &columns {
                log_likelihood.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
            }
            let points = || columns.iter().map(|column| PointScores::of(column, matrix.n_chains()));
            let (waic, loo) = match (with_waic, with_loo) {
                (true, true) => points().map(|point| (point.waic, point.loo)).unzip(),
                (false, true) => (Vec::new(), points().map(|point| point.loo).collect()),
                _ => (columns.iter().map(|column| WaicPoint::of(column)).collect(), Vec::new()),
            };
            Pass { waic, loo, log_likelihood }
        })
        .collect();
    let mut whole = Pass { waic: Vec::new(), loo: Vec::new(), log_likelihood: vec![0.0; matrix.n_draws()] };
    // In the order of the blocks, so that sums round alike on any number of threads.
    for block in blocks {
        whole.waic.extend(block.waic);
        whole.loo.extend(block.loo);
        whole.log_likelihood.iter_mut().zip(&block.log_likelihood).for_each(|(sum, value)| *sum += value);
    }
    whole
}

/// The draw of highest density: the labelling that others are brought to.
fn pivot(fit: &Fit, components: usize, n_features: usize) -> Result<Mixture> {
    let lp = |s: usize| fit.stats[s].lp;
    let best = (0..fit.draws.len()).max_by(|&a, &b| lp(a).total_cmp(&lp(b))).unwrap_or(0);
    Ok(Mixture::from_values(components, n_features, &fit.draws.draw(best))?)
}

/// The log-likelihoods of some rows under a fit's draws, and the chains, counted from 0 among those that were kept, that
/// dwell on the spike of tied observations: under a scale prior that vanishes at 0 a mode of the posterior, though one that
/// describes how the data were rounded. Both need every draw as a mixture, which has its Cholesky factors to be found.
///
/// # Errors
/// Draws that are no mixtures.
fn log_likelihood_and_spiked<'a>(
    experiment: &Experiment,
    components: usize,
    fit: &Fit,
    rows: &'a Data,
) -> Result<(LogLikelihood<'a>, Vec<usize>)> {
    let ties = Ties::of(&experiment.dataset.data);
    let n_draws = fit.draws.n_draws();
    let mut watch = SpikeWatch::new(components, &ties);
    let mut spiked = Vec::new();
    let mixtures = (0..fit.draws.len()).map(|s| {
        let mixture = Mixture::from_values(components, rows.n_features(), &fit.draws.draw(s))?;
        let chain = s / n_draws;
        if s % n_draws == 0 {
            watch = SpikeWatch::new(components, &ties);
        }
        if watch.has_fallen(&mixture) && spiked.last() != Some(&chain) {
            spiked.push(chain);
        }
        Ok(mixture)
    });
    let matrix = LogLikelihood::new(mixtures, fit.draws.n_chains(), rows)?;
    Ok((matrix, spiked))
}

/// Summarises and scores one fit, and keeps what its figures show if there are to be any.
///
/// # Errors
/// Draws that are no mixtures.
pub fn digest(
    experiment: &Experiment,
    job: Job,
    fit: &Fit,
    extent: Extent,
) -> Result<(Digest, Option<Sketch>)> {
    let data = &experiment.dataset.data;
    let (matrix, spiked) = log_likelihood_and_spiked(experiment, job.components, fit, data)?;
    let (with_waic, with_loo) = (experiment.scores_by(Criterion::Waic), experiment.scores_by(Criterion::Loo));
    let pass = pass(&matrix, with_waic, with_loo);
    // Relabelling needs as much memory again.
    drop(matrix);
    let n_chains = fit.draws.n_chains();

    let relabelled = relabel(&fit.draws, &pivot(fit, job.components, data.n_features())?);
    let lp: Vec<f64> = fit.stats.iter().map(|stats| stats.lp).collect();
    let mut columns: Vec<(&str, &[f64])> = vec![("lp", &lp), ("log_likelihood", &pass.log_likelihood)];
    for (variable, name) in relabelled.draws.variables().iter().enumerate() {
        columns.push((name, relabelled.draws.column(variable)));
    }
    let summary: Vec<SummaryRow> = columns
        .par_iter()
        .map(|(name, column)| SummaryRow {
            components: job.components,
            seed: job.seed,
            parameter: (*name).to_owned(),
            summary: Summary::of(column, n_chains),
        })
        .collect();

    let health =
        Health::of(fit, &summary, spiked, relabelled.switched, experiment.spec.sampler.max_tree_depth);
    let mut scores = Vec::new();
    if with_waic {
        scores.push(health.doubt(waic(&pass.waic)));
    }
    if with_loo {
        scores.push(health.doubt(loo(&pass.loo, fit.draws.len())));
    }
    let sketch = match extent {
        Extent::Whole => {
            Some(Sketch::of(fit, job.components, job.seed, data.n_features(), &relabelled.draws)?)
        }
        Extent::Tables => None,
    };
    Ok((Digest { job, summary, health, scores }, sketch))
}

/// Scores the rows that a fold's fit has not seen.
///
/// # Errors
/// Draws that are no mixtures.
pub fn score_held_out(experiment: &Experiment, rows: &[usize], job: Job, fit: &Fit) -> Result<HeldOut> {
    let data = &experiment.dataset.data;
    let unseen = data.rows(rows);
    let (matrix, spiked) = log_likelihood_and_spiked(experiment, job.components, fit, &unseen)?;
    let elpd = (0..matrix.n_blocks())
        .flat_map(|block| matrix.block(block))
        .map(|column| held_out(&column))
        .collect();
    let lp: Vec<f64> = fit.stats.iter().map(|stats| stats.lp).collect();
    let summary = vec![SummaryRow {
        components: job.components,
        seed: job.seed,
        parameter: "lp".to_owned(),
        summary: Summary::of(&lp, fit.draws.n_chains()),
    }];
    let health = Health::of(fit, &summary, spiked, 0.0, experiment.spec.sampler.max_tree_depth);
    Ok(HeldOut { rows: rows.to_vec(), elpd, trouble: health.doubts().join("; ") })
}

/// The K-fold score that the folds of one (K, seed) add up to.
///
/// # Errors
/// Folds that do not hold out every observation exactly once.
pub fn join_folds(n_observations: usize, folds: &[&HeldOut]) -> Result<Score> {
    let mut pointwise: Vec<Option<f64>> = vec![None; n_observations];
    for (&row, &elpd) in folds.iter().flat_map(|fold| fold.rows.iter().zip(&fold.elpd)) {
        let place = pointwise.get_mut(row).with_context(|| format!("there is no observation {row}"))?;
        ensure!(place.replace(elpd).is_none(), "observation {row} is held out twice");
    }
    let pointwise: Option<Vec<f64>> = pointwise.into_iter().collect();
    let pointwise = pointwise.context("some observations were never held out")?;
    let mut score = kfold(pointwise);
    let troubled: Vec<String> = folds
        .iter()
        .enumerate()
        .filter(|(_, fold)| !fold.trouble.is_empty())
        .map(|(index, fold)| format!("fold {}: {}", index + 1, fold.trouble))
        .collect();
    if let Some(first) = troubled.first() {
        let more = match troubled.len() {
            1 => String::new(),
            2 => " (and another fold)".to_owned(),
            n => format!(" (and {} more folds)", n - 1),
        };
        append(&mut score.note, &format!("{first}{more}"));
        score.reliable = false;
    }
    Ok(score)
}

/// AIC, BIC and ICL, as asked for, of the maximised likelihood.
#[must_use]
pub fn information_scores(experiment: &Experiment, components: usize, optimum: &EmOptimum) -> Vec<ScoreRow> {
    let data: &Data = &experiment.dataset.data;
    let n = data.n_observations();
    let p = experiment.n_parameters(components);
    let asked = |criterion: &Criterion| experiment.scores_by(*criterion);
    let wanted: Vec<Criterion> =
        [Criterion::Aic, Criterion::Bic, Criterion::Icl].into_iter().filter(asked).collect();
    let (log_likelihood, entropy) = match &optimum.best {
        Some(best) => {
            let components = WhitenedComponents::of(&best.mixture);
            (best.log_likelihood, entropy(&Likelihood::new(data).responsibilities(&components)))
        }
        None => (f64::NAN, f64::NAN),
    };
    let doubt = match &optimum.best {
        None => format!("all {} starts of EM ended in a degenerate solution", optimum.n_starts),
        Some(best) if best.regularity != Regularity::Regular => format!(
            "every optimum of {} starts of EM hangs on a tiny cluster (smallest expected count {:.1}, smallest relative eigenvalue {:.1e})",
            optimum.n_starts, best.min_count, best.min_eigenvalue
        ),
        Some(_) => String::new(),
    };
    wanted
        .into_iter()
        .map(|criterion| {
            let mut score = match criterion {
                Criterion::Aic => aic(log_likelihood, p),
                Criterion::Icl => icl(log_likelihood, p, n, entropy),
                _ => bic(log_likelihood, p, n),
            };
            if !doubt.is_empty() {
                append(&mut score.note, &doubt);
                score.reliable = false;
            } else if let Some(gain) = optimum.refused_gain {
                append(&mut score.note, &format!("a spurious optimum {gain:.1} nats higher was refused"));
            }
            ScoreRow { components, seed: None, score }
        })
        .collect()
}

/// Adds a sentence to a note.
pub fn append(note: &mut String, more: &str) {
    if !note.is_empty() {
        note.push_str("; ");
    }
    note.push_str(more);
}
