//! Log evidence by Laplace's method, from the mode of every K's posterior.

use anyhow::Result;
use gmm_sampler::data::Scaling;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::start::em::EmOptimum;
use gmm_scoring::{Criterion, Laplace, Score, laplace, log_mean_exp};
use rayon::prelude::*;

use super::diagnostic::ScoreDiagnostic;
use super::evidence::push_prior;
use super::screen::{Modes, screen};
use crate::engine::experiment::Experiment;
use crate::engine::model::scalings;
use crate::scores::rows::ScoreRow;
use crate::study::job::ModelKey;

/// A log overlap of relabellings above this is one of components that coincide for all that the data can tell.
const COINCIDING: f64 = 0.1;

/// What is found of one K without a draw.
pub struct Found {
    pub score: ScoreRow,
    /// The mixture at the posterior's mode, on the data's own scale, in the system of axes of the largest evidence.
    pub mode: Option<Mixture>,
}

/// The score of every K, in nats on the data's own scale: the mean of the evidence over systems of axes.
///
/// # Errors
/// A constant column; for invariant axes, collinear ones.
pub fn laplace_scores(
    experiment: &Experiment,
    optima: &[(ModelKey, Option<&EmOptimum>)],
) -> Result<Vec<Found>> {
    let data = &experiment.dataset.data;
    let of_scale = |scaling: &Scaling| -> Result<Vec<(ModelKey, Estimate)>> {
        let likelihood = Likelihood::new(&scaling.view(data));
        let modes = screen(experiment, scaling, &likelihood, optima)?;
        let log_scale = data.n_observations() as f64 * scaling.log_scale();
        Ok(modes.into_par_iter().map(|modes| (modes.model, estimate(modes, scaling, log_scale))).collect())
    };
    let scalings = scalings(&experiment.spec, data)?;
    let of_each: Vec<Vec<(ModelKey, Estimate)>> = scalings.iter().map(of_scale).collect::<Result<_>>()?;
    let models = optima.iter().map(|(model, _)| *model);
    let row = |model: ModelKey| {
        let estimates = of_each.iter().flatten().filter(|(key, _)| *key == model);
        found(experiment, model, &estimates.map(|(_, estimate)| estimate).collect::<Vec<_>>())
    };
    Ok(models.map(row).collect())
}

fn found(experiment: &Experiment, model: ModelKey, of_each: &[&Estimate]) -> Found {
    let height = |estimate: &Estimate| {
        estimate.evidence.as_ref().map_or(f64::NEG_INFINITY, |found| found.log_evidence)
    };
    let greatest = of_each.iter().max_by(|a, b| height(a).total_cmp(&height(b)));
    // A system of axes without an evidence adds nothing that is known.
    let mean = log_mean_exp(&of_each.iter().map(|estimate| height(estimate)).collect::<Vec<_>>());
    let mut row = ScoreRow::new(model, None, Score::new(Criterion::Laplace, mean));
    let Some(greatest) = greatest else { return Found { score: row, mode: None } };
    match &greatest.evidence {
        Err(diagnostic) => {
            row.score.estimate = f64::NAN;
            row.push(diagnostic.clone());
        }
        Ok(found) if found.log_overlap.is_nan() || found.log_overlap > COINCIDING => {
            row.push(ScoreDiagnostic::ComponentsCoincide);
        }
        Ok(_) => {}
    }
    push_prior(experiment, &greatest.prior, &mut row);
    Found { score: row, mode: greatest.mode.clone() }
}

/// The evidence in one system of axes, on the data's own scale.
struct Estimate {
    prior: Prior,
    /// The highest mode, on the data's own scale.
    mode: Option<Mixture>,
    evidence: Result<Laplace, ScoreDiagnostic>,
}

fn estimate(modes: Modes<'_>, scaling: &Scaling, log_scale: f64) -> Estimate {
    let Modes { model, prior, mut posterior, modes } = modes;
    let layout = posterior.layout();
    let mode = modes.first().map(|mode| layout.constrain(&mode.position).on_data_scale(scaling));
    let exchangeable = prior.is_exchangeable(model.components);
    let evidence = match laplace(&mut posterior, &modes, exchangeable) {
        _ if modes.is_empty() => Err(ScoreDiagnostic::NoRegularMode),
        Err(error) => Err(ScoreDiagnostic::NoLaplace(error)),
        Ok(found) => Ok(Laplace { log_evidence: found.log_evidence - log_scale, ..found }),
    };
    Estimate { prior, mode, evidence }
}
