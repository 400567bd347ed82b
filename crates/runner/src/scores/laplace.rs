//! Log evidence by Laplace's method, from the mode of every K's posterior.

use anyhow::Result;
use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::Observations;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::start::em::EmOptimum;
use gmm_sampler::start::find_modes;
use gmm_sampler::ties::Ties;
use gmm_scoring::{Criterion, Score, laplace};

use super::diagnostic::ScoreDiagnostic;
use super::evidence::push_prior;
use crate::engine::experiment::Experiment;
use crate::engine::model::Model;
use crate::scores::rows::ScoreRow;
use crate::study::job::{ModelKey, Variant};

/// A log overlap of relabellings above this is one of components that coincide for all that the data can tell.
const COINCIDING: f64 = 0.1;

/// The score of one K, in nats on the data's own scale. Modes are those above EM's optima and the k-means clusters.
///
/// # Errors
/// A constant column.
pub fn laplace_score(experiment: &Experiment, key: ModelKey, optimum: &EmOptimum) -> Result<ScoreRow> {
    let data = &experiment.dataset.data;
    let model = Model::from_rows(experiment, key, Variant::AllRows, data)?;
    let scaled = model.scaling.view(data);
    let likelihood = Likelihood::new(&scaled);
    let mut posterior = Posterior::new(&likelihood, &model.prior, key.components)?;
    let watch = CollapseMonitor::new(key.components, &Ties::from_data(data));
    let optima: Vec<_> =
        optimum.best.iter().map(|best| &best.mixture).chain(&optimum.others).cloned().collect();
    let modes = find_modes(&mut posterior, &model.beginnings(&optima), |mixture| {
        watch.is_collapsed(&mixture.on_data_scale(&model.scaling))
    });
    let exchangeable = model.prior.is_exchangeable(key.components);
    let row = |estimate| ScoreRow::new(key, None, Score::new(Criterion::Laplace, estimate));
    let undefined = |diagnostic| {
        let mut row = row(f64::NAN);
        row.push(diagnostic);
        row
    };
    let mut row = match laplace(&mut posterior, &modes, exchangeable) {
        _ if modes.is_empty() => undefined(ScoreDiagnostic::NoRegularMode),
        Err(error) => undefined(ScoreDiagnostic::NoLaplace(error)),
        Ok(found) => {
            let log_scale = scaled.n_observations() as f64 * model.scaling.log_scale();
            let mut row = row(found.log_evidence - log_scale);
            if found.log_overlap.is_nan() || found.log_overlap > COINCIDING {
                row.push(ScoreDiagnostic::ComponentsCoincide);
            }
            row
        }
    };
    push_prior(experiment, &model.prior, &mut row);
    Ok(row)
}
