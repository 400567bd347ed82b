//! What the result of a fit depends on.

use crate::engine::experiment::Experiment;
use crate::engine::fit::settings;
use crate::engine::task::Task;
use crate::storage::inputs::{DATA, Inputs};
use crate::study::job::{Kept, Variant};
use crate::study::spec::Axes;

/// The inputs of a fit. Adding a K, a seed, a criterion or a repeat changes no fit; of the number of folds only the rows matter that
/// are held out.
#[must_use]
pub fn fit_inputs(experiment: &Experiment, task: &Task) -> Inputs {
    let (spec, job) = (&experiment.spec, task.job);
    let settings = settings(spec, job.variant);
    let steps = &experiment.dataset.steps;
    let mut inputs = Inputs::new()
        .with("name", &spec.name)
        .with("components", job.model.components)
        .with("seed", job.seed)
        .with(DATA, &experiment.observations_hash)
        .with("data.scale", spec.data.scale)
        .with("model.prior", &spec.model.prior)
        .with("sampler.chains", spec.sampler.chains)
        .with("sampler.warmup", settings.warmup)
        .with("sampler.target_accept", spec.sampler.target_accept)
        .with("sampler.max_tree_depth", spec.sampler.max_tree_depth);
    // Exact data have the inputs that they had before steps were known.
    if steps.iter().any(|step| *step > 0.0) {
        inputs = inputs.with("data.resolution", steps);
    }
    if spec.model.axes != Axes::Given {
        inputs = inputs.with("model.axes", spec.model.axes);
    }
    if job.variant != Variant::AllRows {
        let part = job.variant.subdirectory().unwrap_or_else(|| job.variant.directory().to_owned());
        inputs = inputs.with("part", part);
    }
    match job.variant.kept() {
        Kept::Draws => inputs.with("sampler.draws", settings.draws),
        Kept::HeldOut => inputs.with("scoring.fold_draws", settings.draws).with_held_out(&task.held_out),
    }
}
