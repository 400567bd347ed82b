//! `gmm check`: what a spec would run, and what speaks against it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use gmm_sampler::nuts::chain::ChainSettings;
use gmm_sampler::ties::Ties;
use gmm_scoring::Criterion;

use crate::cli::command::print;
use crate::cli::messages::say;
use crate::commands::run::default_out;
use crate::engine::experiment::Experiment;
use crate::engine::fit::settings;
use crate::engine::inputs::fit_inputs;
use crate::present::columns::left_out;
use crate::scores::warnings;
use crate::storage::store::{Store, Stored, Unavailable};
use crate::study::job::Variant;

/// `gmm check`.
///
/// # Errors
/// What is wrong with the spec or the data.
pub fn check(spec: &Path, out: Option<&Path>) -> Result<ExitCode> {
    let experiment = Experiment::load(spec)?;
    let store = Store::new(out.map_or_else(|| default_out(&experiment.spec.name), Path::to_path_buf));
    let tasks = experiment.tasks();
    let dataset = &experiment.dataset;
    let sampler = &experiment.spec.sampler;
    let mut missing = 0;
    for task in &tasks {
        let stored = store.find(task.job, &fit_inputs(&experiment, task))?;
        let is_settled = matches!(stored, Stored::Found(_) | Stored::Unavailable(Unavailable::Failed { .. }));
        missing += usize::from(!is_settled);
    }
    let of_kind = |kind: fn(Variant) -> bool| tasks.iter().filter(|task| kind(task.job.variant)).count();
    let on_all = of_kind(|part| part == Variant::AllRows);
    let (folds, groups) = (
        of_kind(|part| matches!(part, Variant::Fold { .. })),
        of_kind(|part| matches!(part, Variant::Group(_))),
    );
    let ks = experiment.ks();
    let largest = ks.last().copied().unwrap_or(0);
    let variables = gmm_sampler::mixture::params::Mixture::variables(largest, dataset.columns.len()).len();
    // A fit's draws, and the copies that scoring and relabelling make of them, for every thread.
    let fit_bytes = 8 * variables * sampler.chains * sampler.draws;
    let left_out = left_out(dataset).map_or(String::new(), |columns| format!("  left out    {columns}\n"));
    let mut text = format!(
        "{}\n  data        {} observations of {}\n{left_out}  components  {}\n  parameters  {}\n",
        experiment.spec.name,
        dataset.data.n_observations(),
        dataset.columns.join(", "),
        list(ks.iter()),
        list(ks.iter().map(|&k| experiment.n_parameters(k))),
    );
    let scoring = &experiment.spec.scoring;
    text.push_str(&format!("  fits        {on_all} on all rows"));
    if folds > 0 {
        let repeats = if scoring.repeats > 1 { format!("{} × ", scoring.repeats) } else { String::new() };
        text.push_str(&format!(", {folds} on {repeats}{} folds", scoring.folds));
    }
    let tempered = of_kind(|part| part == Variant::Tempered);
    if tempered > 0 {
        text.push_str(&format!(", {tempered} tempered"));
    }
    if groups > 0 {
        text.push_str(&format!(", {groups} on {} groups", experiment.groups().len()));
    }
    text.push_str(&format!("; {missing} to be run\n"));
    if experiment.scores_by(Criterion::Loo) && scoring.refits > 0 {
        text.push_str(&format!(
            "  refits      for LOO, at most {} after each of the {on_all} on all rows\n",
            scoring.refits
        ));
    }
    let draws = |settings: ChainSettings| format!("{} warm-up + {} draws", settings.warmup, settings.draws);
    text.push_str(&format!(
        "  draws       {} chains × ({})",
        sampler.chains,
        draws(settings(&experiment.spec, Variant::AllRows))
    ));
    if let Some(part) = tasks
        .iter()
        .map(|task| task.job.variant)
        .find(|&part| !matches!(part, Variant::AllRows | Variant::Tempered))
    {
        text.push_str(&format!("; ({}) where rows are held out", draws(settings(&experiment.spec, part))));
    }
    text.push('\n');
    text.push_str(&format!(
        "  criteria    {}\n  on disk     about {:.0} MB in {}\n  in memory   about {:.0} MB a thread\n",
        list(experiment.spec.scoring.criteria.iter().map(|criterion| criterion.name())),
        (fit_bytes * on_all) as f64 / 1e6,
        store.root().display(),
        (4 * fit_bytes + 3 * 8 * dataset.columns.len() * dataset.data.n_observations()) as f64 / 1e6,
    ));
    print(&text)?;
    for warning in warnings::beforehand(&experiment, &Ties::from_data(&dataset.data)) {
        say!("warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
