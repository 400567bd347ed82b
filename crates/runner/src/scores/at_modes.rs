//! Scores at the posterior's modes: log evidence by Laplace's method, and cross-validation.

use anyhow::Result;
use gmm_sampler::data::Scaling;
use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::EmOptimum;
use gmm_sampler::start::mode::Mode;
use gmm_sampler::start::normal::NormalApproximation;
use gmm_scoring::{Criterion, Importance, Laplace, LaplaceError, Score, importance, laplace, log_mean_exp};
use rayon::prelude::*;

use super::cross_validation::cross_validation;
use super::diagnostic::ScoreDiagnostic;
use super::effort::{Effort, MOST_SAMPLED, Step};
use super::evidence::push_prior;
use super::local_mode::LocalMode;
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

/// Two searches whose log evidences differ by more than this, in nats, have not found the same modes.
const APART: f64 = 5.0;

/// The Pareto k above which importance sampling is not believed.
const MOST_K: f64 = 0.7;

/// What is found of one K without a draw.
pub struct Found {
    pub score: ScoreRow,
    /// The mixture at the mode with the most evidence about it, on the data's own scale; it may be no peak.
    pub mixture: Option<Mixture>,
    /// The peaks of all systems of axes, the one with the most evidence about it first.
    pub local_modes: Vec<LocalMode>,
    /// The log evidence about that mode which has the most, in each system of axes, in nats on the sampler's scale; `None` where no
    /// mode was found.
    pub largest_parts: Vec<Option<f64>>,
}

/// The scores of every K, in nats on the data's own scale: the mean of the evidence over systems of axes, and, where it was asked
/// for, cross-validation in that of the largest evidence.
///
/// # Errors
/// A constant column; for invariant axes, collinear ones.
pub fn scores_at_modes(
    experiment: &Experiment,
    optima: &[(ModelKey, Option<&EmOptimum>)],
    effort: &Effort,
) -> Result<(Vec<Found>, Vec<ScoreRow>)> {
    let data = &experiment.dataset.data;
    let scalings = scalings(&experiment.spec, data)?;
    let likelihoods: Vec<Likelihood> =
        scalings.iter().map(|scaling| Likelihood::new(&scaling.view(data))).collect();
    let of_scale = |(scaling, likelihood)| {
        let modes = screen(experiment, scaling, likelihood, optima, effort)?;
        let log_scale = data.n_observations() as f64 * scaling.log_scale();
        let estimate = |modes: &Modes<'_>| {
            let found = estimate(modes, scaling, log_scale);
            effort.did(Step::Weigh, modes.model);
            found
        };
        let estimates = modes.par_iter().map(estimate).collect();
        Ok((modes, estimates))
    };
    let of_each: Vec<(Vec<Modes<'_>>, Vec<Estimate>)> =
        scalings.par_iter().zip(&likelihoods).map(of_scale).collect::<Result<_>>()?;
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
        preferred.map_or_else(Vec::new, |(scaling, (modes, _))| {
            cross_validation(experiment, scaling, modes, effort)
        })
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
    let largest_parts = of_each.iter().map(|estimate| estimate.largest_part).collect();
    let gap = gap(of_each);
    if gap > APART {
        row.push(ScoreDiagnostic::SearchesDiffer { nats: gap });
    }
    let mut local_modes: Vec<LocalMode> =
        of_each.iter().flat_map(|estimate| &estimate.local_modes).cloned().collect();
    local_modes.sort_by(|a, b| b.log_evidence.total_cmp(&a.log_evidence));
    let Some(greatest) = greatest else {
        return Found { score: row, mixture: None, local_modes, largest_parts };
    };
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
    Found { score: row, mixture: greatest.mixture.clone(), local_modes, largest_parts }
}

/// How much more evidence there may be, in nats, if it can grow in each system of axes by as much as two searches differ.
fn gap(of_each: &[&Estimate]) -> f64 {
    let mean = |log_evidence: &dyn Fn(&Estimate) -> f64| {
        log_mean_exp(&of_each.iter().map(|estimate| log_evidence(estimate)).collect::<Vec<_>>())
    };
    mean(&|estimate| estimate.log_evidence() + estimate.gap) - mean(&Estimate::log_evidence)
}

/// What is found in one system of axes, on the data's own scale.
struct Estimate {
    model: ModelKey,
    prior: Prior,
    /// As in [`Found`].
    mixture: Option<Mixture>,
    local_modes: Vec<LocalMode>,
    largest_part: Option<f64>,
    /// How far apart two searches for modes ended, in nats; 0 where one of them found none.
    gap: f64,
    evidence: Result<Evidence, ScoreDiagnostic>,
}

struct Evidence {
    log_evidence: f64,
    error: f64,
    /// Whether components coincide at the mode with the most evidence, and no draws have taken Laplace's place.
    coincide: bool,
}

/// A mode, and the evidence about it.
struct Part<'m> {
    mode: &'m Mode,
    found: Result<(NormalApproximation, Laplace), LaplaceError>,
}

impl Part<'_> {
    fn laplace(&self) -> Option<Laplace> {
        self.found.as_ref().ok().map(|(_, laplace)| *laplace)
    }
}

fn estimate(of_model: &Modes<'_>, scaling: &Scaling, log_scale: f64) -> Estimate {
    let parts = parts(of_model);
    let found = Laplace::sum(parts.iter().filter_map(Part::laplace));
    let largest = parts.first();
    let evidence = match (found, largest) {
        _ if lies_on_a_hyperplane(of_model) => Err(ScoreDiagnostic::NoLaplace(LaplaceError::NoPeak)),
        (None, Some(Part { found: Err(error), .. })) => Err(ScoreDiagnostic::NoLaplace(error.clone())),
        (None, _) => Err(ScoreDiagnostic::NoRegularMode),
        (Some(found), _) => {
            let coincide = found.log_overlap.is_nan() || found.log_overlap > COINCIDING;
            let in_doubt = coincide || found.correction > CORRECTED;
            let modes: Vec<&Mode> = parts.iter().map(|part| part.mode).collect();
            let drawn = in_doubt.then(|| from_draws(of_model, &modes)).flatten();
            let of_normals = Evidence { log_evidence: found.log_evidence, error: found.correction, coincide };
            Ok(drawn.unwrap_or(of_normals))
        }
    };
    let on_data_scale = |found: Evidence| Evidence { log_evidence: found.log_evidence - log_scale, ..found };
    let layout = of_model.posterior.layout();
    Estimate {
        model: of_model.model,
        prior: of_model.prior.clone(),
        mixture: largest.map(|part| {
            let mixture = layout.constrain(&part.mode.position);
            mixture.reordered(&shown_order(of_model, &mixture)).on_data_scale(scaling)
        }),
        largest_part: largest.and_then(|part| Some(part.laplace()?.log_evidence)),
        gap: of_model.gap.unwrap_or(0.0),
        evidence: evidence.map(on_data_scale),
        local_modes: local_modes(of_model, parts, scaling, log_scale),
    }
}

/// Whether there are too few rows for a covariance, so that the density grows without bound as components become flat.
fn lies_on_a_hyperplane(of_model: &Modes<'_>) -> bool {
    let posterior = &of_model.posterior;
    posterior.effective_observations() <= posterior.layout().n_features as f64
}

/// The modes with the evidence about each, the most first, and those without any last.
fn parts<'m>(of_model: &'m Modes<'_>) -> Vec<Part<'m>> {
    let exchangeable = of_model.prior.is_exchangeable(of_model.model.components);
    let part = |mode: &'m Mode| {
        let mut posterior = of_model.posterior.clone();
        let normal = NormalApproximation::at_mode(&mut posterior, &mode.position).ok_or(LaplaceError::NoPeak);
        let found = normal.and_then(|normal| {
            let laplace = laplace(&posterior, mode, &normal, exchangeable)?;
            Ok((normal, laplace))
        });
        Part { mode, found }
    };
    let mut parts: Vec<Part<'m>> = of_model.modes.par_iter().map(|found| part(&found.mode)).collect();
    let log_evidence = |part: &Part<'_>| part.laplace().map_or(f64::NEG_INFINITY, |part| part.log_evidence);
    parts.sort_by(|a, b| log_evidence(b).total_cmp(&log_evidence(a)));
    parts
}

/// Where all components are alike before the data, those of the largest weights first.
fn shown_order(of_model: &Modes<'_>, mixture: &Mixture) -> Vec<usize> {
    let k = mixture.n_components();
    let mut order: Vec<usize> = (0..k).collect();
    if of_model.prior.is_exchangeable(k) {
        order.sort_by(|&a, &b| mixture.weight(b).total_cmp(&mixture.weight(a)));
    }
    order
}

fn local_modes(
    of_model: &Modes<'_>,
    parts: Vec<Part<'_>>,
    scaling: &Scaling,
    log_scale: f64,
) -> Vec<LocalMode> {
    let layout = of_model.posterior.layout();
    let of_part = |part: Part<'_>| {
        let (normal, laplace) = part.found.ok()?;
        let order = shown_order(of_model, &layout.constrain(normal.mean()));
        Some(LocalMode {
            log_evidence: laplace.log_evidence - log_scale,
            told_apart: laplace.log_overlap <= COINCIDING,
            layout,
            normal,
            scaling: scaling.clone(),
            order,
        })
    };
    parts.into_iter().filter_map(of_part).collect()
}

impl Estimate {
    /// Negative infinity where there is none.
    fn log_evidence(&self) -> f64 {
        self.evidence.as_ref().map_or(f64::NEG_INFINITY, |found| found.log_evidence)
    }
}

/// The evidence from draws, where it can be had: relabellings of components that coincide overlap, and are no modes of their own.
fn from_draws(of_model: &Modes<'_>, modes: &[&Mode]) -> Option<Evidence> {
    let (model, mut posterior) = (of_model.model, of_model.posterior.clone());
    if posterior.dimension() > MOST_SAMPLED {
        return None;
    }
    let found = importance(&mut posterior, modes, true, &mut Stream::Importance { model }.rng())?;
    let Importance { log_evidence, mcse, pareto_k } = found;
    (pareto_k < MOST_K).then_some(Evidence { log_evidence, error: mcse, coincide: false })
}
