//! Scores at the posterior's modes: log evidence by Laplace's method, and cross-validation.

use anyhow::Result;
use gmm_sampler::data::Scaling;
use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::EmOptimum;
use gmm_sampler::start::mode::Mode;
use gmm_scoring::{Criterion, Importance, Score, importance, laplace, log_mean_exp};
use rayon::prelude::*;

use super::cross_validation::cross_validation;
use super::diagnostic::ScoreDiagnostic;
use super::evidence::push_prior;
use super::screen::{Modes, screen};
use crate::engine::experiment::Experiment;
use crate::engine::model::scalings;
use crate::scores::rows::ScoreRow;
use crate::study::job::ModelKey;
use crate::study::streams::Stream;

/// A log overlap of relabellings above this is one of components that coincide for all that the data can tell.
const COINCIDING: f64 = 0.1;

/// With few rows for each parameter Laplace's method needs a correction. Above this, in nats, draws are better.
const CORRECTED: f64 = 0.1;

/// More parameters than this are too many for importance sampling.
const MOST_SAMPLED: usize = 40;

/// The Pareto k above which importance sampling is not believed.
const MOST_K: f64 = 0.7;

/// What is found of one K without a draw.
pub struct Found {
    pub score: ScoreRow,
    /// The posterior's mode in the system of axes of the largest evidence.
    pub mode: Option<Peak>,
    /// The log density at the highest mode in each system of axes, in nats on the sampler's scale; `None` where no mode was found.
    pub peaks: Vec<Option<f64>>,
}

/// The highest mode of one K in one system of axes. Where components are all alike before the data, those of the largest weights come
/// first.
#[derive(Debug, Clone)]
pub struct Peak {
    pub model: ModelKey,
    /// The place of the system among those of the experiment.
    pub system: usize,
    /// Unconstrained, on the sampler's scale.
    pub position: Vec<f64>,
    /// On the data's own scale.
    pub mixture: Mixture,
    /// Log density there, in nats on the sampler's scale.
    pub log_density: f64,
    /// Whether no relabelling of it lies within its width.
    pub told_apart: bool,
}

/// The scores of every K, in nats on the data's own scale: the mean of the evidence over systems of axes, and, where it was asked
/// for, cross-validation in that of the largest evidence.
///
/// # Errors
/// A constant column; for invariant axes, collinear ones.
pub fn scores_at_modes(
    experiment: &Experiment,
    optima: &[(ModelKey, Option<&EmOptimum>)],
) -> Result<(Vec<Found>, Vec<ScoreRow>)> {
    let data = &experiment.dataset.data;
    let scalings = scalings(&experiment.spec, data)?;
    let likelihoods: Vec<Likelihood> =
        scalings.iter().map(|scaling| Likelihood::new(&scaling.view(data))).collect();
    let of_scale = |(system, (scaling, likelihood))| {
        let mut modes = screen(experiment, scaling, likelihood, optima)?;
        let log_scale = data.n_observations() as f64 * scaling.log_scale();
        let estimates =
            modes.par_iter_mut().map(|modes| estimate(modes, system, scaling, log_scale)).collect();
        Ok((modes, estimates))
    };
    let of_each: Vec<(Vec<Modes<'_>>, Vec<Estimate>)> =
        scalings.iter().zip(&likelihoods).enumerate().map(of_scale).collect::<Result<_>>()?;
    let row = |(model, _): &(ModelKey, Option<&EmOptimum>)| {
        let estimates = of_each.iter().flat_map(|(_, estimates)| estimates);
        found(experiment, *model, &estimates.filter(|estimate| estimate.model == *model).collect::<Vec<_>>())
    };
    let scores = optima.iter().map(row).collect();
    let cross_validated = if experiment.scores_by(Criterion::Cv) {
        let largest = |estimates: &[Estimate]| {
            estimates.iter().map(Estimate::log_evidence).fold(f64::NEG_INFINITY, f64::max)
        };
        let of_scales = scalings.iter().zip(&of_each);
        let preferred = of_scales.max_by(|(_, (_, a)), (_, (_, b))| largest(a).total_cmp(&largest(b)));
        preferred.map_or_else(Vec::new, |(scaling, (modes, _))| cross_validation(experiment, scaling, modes))
    } else {
        Vec::new()
    };
    Ok((scores, cross_validated))
}

fn found(experiment: &Experiment, model: ModelKey, of_each: &[&Estimate]) -> Found {
    let greatest = of_each.iter().max_by(|a, b| a.log_evidence().total_cmp(&b.log_evidence()));
    // A system of axes without an evidence adds nothing that is known.
    let mean = log_mean_exp(&of_each.iter().map(|estimate| estimate.log_evidence()).collect::<Vec<_>>());
    let mut row = ScoreRow::new(model, None, Score::new(Criterion::Laplace, mean));
    let peaks = of_each.iter().map(|estimate| Some(estimate.peak.as_ref()?.log_density)).collect();
    let Some(greatest) = greatest else { return Found { score: row, mode: None, peaks } };
    match &greatest.evidence {
        Err(diagnostic) => {
            row.score.estimate = f64::NAN;
            row.push(diagnostic.clone());
        }
        Ok(found) => {
            row.score.mcse = found.error;
            if found.coincide {
                row.push(ScoreDiagnostic::ComponentsCoincide);
            }
        }
    }
    push_prior(experiment, &greatest.prior, &mut row);
    Found { score: row, mode: greatest.peak.clone(), peaks }
}

/// What is found in one system of axes, on the data's own scale.
struct Estimate {
    model: ModelKey,
    prior: Prior,
    peak: Option<Peak>,
    evidence: Result<Evidence, ScoreDiagnostic>,
}

struct Evidence {
    log_evidence: f64,
    error: f64,
    /// Whether components coincide at the highest mode, and no draws have taken Laplace's place.
    coincide: bool,
}

fn estimate(of_model: &mut Modes<'_>, system: usize, scaling: &Scaling, log_scale: f64) -> Estimate {
    let Modes { model, prior, posterior, modes } = of_model;
    let layout = posterior.layout();
    let exchangeable = prior.is_exchangeable(model.components);
    let found = laplace(posterior, modes, exchangeable);
    let told_apart = found.as_ref().is_ok_and(|found| found.log_overlap <= COINCIDING);
    let peak = modes.first().map(|mode| {
        let mixture = layout.constrain(&mode.position);
        let mut order: Vec<usize> = (0..model.components).collect();
        if exchangeable {
            order.sort_by(|&a, &b| mixture.weight(b).total_cmp(&mixture.weight(a)));
        }
        Peak {
            model: *model,
            system,
            position: layout.reordered(&mode.position, &order),
            mixture: mixture.reordered(&order).on_data_scale(scaling),
            log_density: mode.log_density,
            told_apart,
        }
    });
    let evidence = match found {
        _ if modes.is_empty() => Err(ScoreDiagnostic::NoRegularMode),
        Err(error) => Err(ScoreDiagnostic::NoLaplace(error)),
        Ok(found) => {
            let coincide = found.log_overlap.is_nan() || found.log_overlap > COINCIDING;
            let in_doubt = coincide || found.correction > CORRECTED;
            let drawn = in_doubt.then(|| from_draws(*model, posterior, modes)).flatten();
            let of_normals = Evidence { log_evidence: found.log_evidence, error: found.correction, coincide };
            Ok(drawn.unwrap_or(of_normals))
        }
    };
    let on_data_scale = |found: Evidence| Evidence { log_evidence: found.log_evidence - log_scale, ..found };
    Estimate { model: *model, prior: prior.clone(), peak, evidence: evidence.map(on_data_scale) }
}

impl Estimate {
    /// Negative infinity where there is none.
    fn log_evidence(&self) -> f64 {
        self.evidence.as_ref().map_or(f64::NEG_INFINITY, |found| found.log_evidence)
    }
}

/// The evidence from draws, where it can be had: relabellings of components that coincide overlap, and are no modes of their own.
fn from_draws(model: ModelKey, posterior: &mut Posterior<'_>, modes: &[Mode]) -> Option<Evidence> {
    if posterior.dimension() > MOST_SAMPLED {
        return None;
    }
    let found = importance(posterior, modes, true, &mut Stream::Importance { model }.rng())?;
    let Importance { log_evidence, mcse, pareto_k } = found;
    (pareto_k < MOST_K).then_some(Evidence { log_evidence, error: mcse, coincide: false })
}
