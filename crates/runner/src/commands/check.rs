//! `gmm check`: what a spec would run, and what speaks against it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use gmm_sampler::nuts::chain::ChainSettings;
use gmm_scoring::{Basis, Criterion};

use crate::cli::messages::say;
use crate::cli::output::print;
use crate::commands::stored::default_out;
use crate::engine::experiment::Experiment;
use crate::engine::fit::settings;
use crate::engine::inputs::fit_inputs;
use crate::engine::progress::Display;
use crate::engine::task::Task;
use crate::present::columns::left_out;
use crate::present::words;
use crate::present::words::list::counted;
use crate::recovery::outcome::{needs_whole_fits, priors};
use crate::scores::effort::{Effort, duration};
use crate::storage::store::{Store, Stored, Unavailable};
use crate::study::design::{Set, sets};
use crate::study::job::Variant;
use crate::study::load::Study;
use crate::study::spec::suite::{SuiteSpec, Truth};

/// `gmm check`.
///
/// # Errors
/// What is wrong with the spec or the data.
pub fn check(spec: &Path, out: Option<&Path>) -> Result<ExitCode> {
    match Study::load(spec)? {
        Study::Experiment(reading) => check_experiment(&Experiment::beside(spec, reading)?, out),
        Study::Suite(spec) => check_suite(&spec),
    }
}

fn check_experiment(experiment: &Experiment, out: Option<&Path>) -> Result<ExitCode> {
    let store = Store::new(out.map_or_else(|| default_out(&experiment.spec.name), Path::to_path_buf));
    let tasks = experiment.tasks();
    let dataset = &experiment.dataset;
    let sampler = &experiment.spec.sampler;
    let mut missing = 0;
    for task in &tasks {
        let stored = store.find(task.job, &fit_inputs(experiment, task))?;
        let is_settled = matches!(stored, Stored::Found(_) | Stored::Unavailable(Unavailable::Failed { .. }));
        missing += usize::from(!is_settled);
    }
    let on_all = tasks.iter().filter(|task| task.job.variant == Variant::AllRows).count();
    let models = experiment.models();
    let largest = models.last().map_or(0, |model| model.components);
    let variables = gmm_sampler::mixture::params::Mixture::variables(largest, dataset.columns.len()).len();
    // A fit's draws, and the copies that scoring and relabelling make of them, for every thread.
    let fit_bytes = 8 * variables * sampler.chains * sampler.draws;
    let left_out = left_out(dataset).map_or(String::new(), |columns| format!("  left out    {columns}\n"));
    let mut text = format!(
        "{}\n  data        {} observations of {}\n{left_out}  components  {}\n  parameters  {}\n",
        experiment.spec.name,
        dataset.data.n_observations(),
        dataset.columns.join(", "),
        list(models.iter().map(|model| model.components)),
        list(models.iter().map(|&model| experiment.n_parameters(model))),
    );
    text.push_str(&fits(experiment, &tasks, missing));
    text.push_str(&searches(experiment));
    text.push_str(&format!(
        "  criteria    {}\n  on disk     about {:.0} MB in {}\n  in memory   about {:.0} MB a thread\n",
        list(experiment.spec.scoring.criteria.iter().map(|criterion| criterion.name())),
        (fit_bytes * on_all) as f64 / 1e6,
        store.root().display(),
        (4 * fit_bytes + 3 * 8 * dataset.columns.len() * dataset.data.n_observations()) as f64 / 1e6,
    ));
    print(&text)?;
    for warning in words::warnings::beforehand(experiment) {
        say!("warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

fn list<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// How long the searches for maxima and modes would take.
fn searches(experiment: &Experiment) -> String {
    let Ok(of_one) = Effort::new(experiment, Display::Hidden).estimate(experiment) else {
        return String::new();
    };
    let threads = rayon::current_num_threads();
    format!(
        "  searches    about {} on {}\n",
        duration(of_one.as_secs_f64() / threads as f64),
        counted(threads, "thread")
    )
}

/// Which fits would run, and how long their chains are.
fn fits(experiment: &Experiment, tasks: &[Task], missing: usize) -> String {
    if tasks.is_empty() {
        return "  fits        none: only modes are looked for\n".to_owned();
    }
    let (scoring, sampler) = (&experiment.spec.scoring, &experiment.spec.sampler);
    let of_kind = |kind: fn(Variant) -> bool| tasks.iter().filter(|task| kind(task.job.variant)).count();
    let on_all = of_kind(|part| part == Variant::AllRows);
    let (folds, groups) = (
        of_kind(|part| matches!(part, Variant::Fold { .. })),
        of_kind(|part| matches!(part, Variant::Group(_))),
    );
    let mut text = format!("  fits        {on_all} on all rows");
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
    text.push_str(&format!(" ({missing} to run)\n"));
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
    text
}

fn check_suite(spec: &SuiteSpec) -> Result<ExitCode> {
    let sets = sets(spec);
    let levels = |of: fn(&Set) -> usize| list(sets.iter().map(of).collect::<BTreeSet<usize>>().iter());
    let (fewest, most) = spec.suite.n_observations.range();
    let range = |from: String, to: String| if from == to { from } else { format!("{from} to {to}") };
    let truth = match &spec.suite.truth {
        Truth::Prior => "from the prior".to_owned(),
        Truth::Mixsim { overlap, .. } => {
            let (least, largest) = overlap.range();
            format!("average overlap {}", range(least.to_string(), largest.to_string()))
        }
    };
    let held_out = spec.scoring.folds * spec.scoring.repeats;
    let per_k = usize::from(needs_whole_fits(spec))
        + usize::from(spec.scoring.needs(Basis::Tempered))
        + usize::from(spec.scoring.needs(Basis::HeldOut)) * held_out;
    let n_priors = priors(spec).len();
    let fits = sets.len() * n_priors * spec.model.components.len() * spec.sampler.seeds.len() * per_k;
    let optima = if spec.scoring.needs_optima() { sets.len() * spec.model.components.len() } else { 0 };
    print(&format!(
        "{}\n  data sets   {}, simulated; N {}, D {}, K {}, {truth}\n  searched    K {}\n  priors      {n_priors}\n  fits        {fits}, and {optima} searches for a maximised likelihood\n  draws       {} chains × ({} warm-up + {} draws)\n  criteria    {}\n",
        spec.name,
        sets.len(),
        range(fewest.to_string(), most.to_string()),
        levels(|set| set.n_features),
        levels(|set| set.components),
        list(spec.model.components.iter().collect::<BTreeSet<_>>().into_iter()),
        spec.sampler.chains,
        spec.sampler.warmup,
        spec.sampler.draws,
        list(spec.scoring.criteria.iter().map(|criterion| criterion.name())),
    ))?;
    Ok(ExitCode::SUCCESS)
}
