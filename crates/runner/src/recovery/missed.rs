//! Whether the search for modes misses one: on simulated data a search can begin at the truth.

use anyhow::Result;
use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::start::normal::NormalApproximation;
use gmm_sampler::start::{find_modes, match_to_centres};
use gmm_sampler::ties::Ties;
use gmm_scoring::laplace;

use crate::engine::experiment::Experiment;
use crate::engine::model::{Model, scalings};
use crate::scores::results::Results;
use crate::study::job::{ModelKey, Variant};

/// A mode with more evidence about it, by more than this in nats, is another one, and could change an answer.
pub const HIGHER: f64 = 0.5;

/// By how many nats the log evidence about the mode above the true mixture exceeds that about any mode found for the true K: the
/// largest such difference over systems of axes. `None` where no modes were looked for, or none is above the truth.
///
/// # Errors
/// A constant column.
pub fn gain_from_truth(experiment: &Experiment, results: &Results, truth: &Mixture) -> Result<Option<f64>> {
    let key = ModelKey::full(truth.n_components());
    let Some(of_each) = results.largest_parts.get(&key) else { return Ok(None) };
    let data = &experiment.dataset.data;
    let watch = CollapseMonitor::new(key.components, &Ties::from_data(data));
    let mut largest = None;
    for (scaling, largest_part) in scalings(&experiment.spec, data)?.into_iter().zip(of_each) {
        let model = Model::on_scale(experiment, key, Variant::AllRows, data, scaling)?;
        let likelihood = Likelihood::new(&model.scaling.view(data));
        let mut posterior = Posterior::new(&likelihood, &model.prior, key.components)?;
        let start = match_to_centres(&truth.on_sampler_scale(&model.scaling), &model.prior.centres);
        let collapsed = |mixture: &Mixture| watch.is_collapsed(&mixture.on_data_scale(&model.scaling));
        let exchangeable = model.prior.is_exchangeable(key.components);
        for mode in find_modes(&mut posterior, &[start], collapsed).iter().filter(|mode| mode.converged) {
            let Some(normal) = NormalApproximation::at_mode(&mut posterior, &mode.position) else { continue };
            let Ok(found) = laplace(&posterior, mode, &normal, exchangeable) else { continue };
            // Where none was found, any is more.
            let gain = found.log_evidence - largest_part.unwrap_or(f64::NEG_INFINITY);
            largest = Some(largest.map_or(gain, |largest: f64| largest.max(gain)));
        }
    }
    Ok(largest)
}
