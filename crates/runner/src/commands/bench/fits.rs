//! Times whole fits with default settings, from a data file to draws, and computes their effective sample sizes.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use gmm_bench::case::Shape;
use gmm_bench::data_set::{DataSet, Preprocessing};
use gmm_bench::measurement::{Area, Measurement, Quantity};
use gmm_bench::suite::{Length, fits};
use gmm_bench::timing::Timing;
use gmm_sampler::diagnostics::ess_bulk;

use crate::cli::problem::{Problems, Style};
use crate::engine::errors::FitError;
use crate::engine::experiment::Experiment;
use crate::engine::fit::{Preparation, join_chains};
use crate::engine::progress::{Display, Progress};
use crate::process::clock::process_time;
use crate::storage::atomic::write_bytes;
use crate::study::job::{Job, ModelKey, Variant};

/// Seeds of the long suite. Minimum effective sample sizes of single fits vary by 4 to 19 % about their median
/// (crates/oracle/tests/efficiency.rs).
const SEEDS: u64 = 5;

/// The cost of one fit and its effective draws.
struct Sample {
    /// CPU time.
    seconds: f64,
    effective_draws: f64,
}

/// Times every fit with every seed; the fits take turns.
///
/// # Errors
/// If a fit fails, or a chain is dropped because tied observations trap it: the remaining chains are not comparable.
pub fn measure(length: Length) -> Result<Vec<Measurement>> {
    let seeds = if length == Length::Quick { 1 } else { SEEDS };
    let directory = tempfile::tempdir().context("cannot create a temporary directory for the data")?;
    let experiments =
        fits().map(|(set, components)| experiment(directory.path(), set, components).map(|it| (set, it)));
    let experiments = experiments.into_iter().collect::<Result<Vec<_>>>()?;
    let mut samples: Vec<Vec<Sample>> = experiments.iter().map(|_| Vec::new()).collect();
    for seed in 1..=seeds {
        for ((set, experiment), samples) in experiments.iter().zip(&mut samples) {
            let sample = fit(experiment, seed).with_context(|| format!("{}, seed {seed}", set.name))?;
            samples.push(sample);
        }
    }
    Ok(experiments
        .iter()
        .zip(&samples)
        .flat_map(|((set, experiment), samples)| measurements(set, experiment, samples))
        .collect())
}

fn measurements(set: &DataSet, experiment: &Experiment, samples: &[Sample]) -> [Measurement; 3] {
    let data = &experiment.dataset.data;
    let shape = Shape {
        name: set.name.to_owned(),
        n: data.n_observations(),
        d: data.n_features(),
        k: experiment.spec.model.components[0],
    };
    let timing = |value: fn(&Sample) -> f64| Timing::from_samples(samples.iter().map(value).collect());
    let measurement =
        |quantity, timing| Measurement { area: Area::Fit, shape: shape.clone(), quantity, timing };
    [
        measurement(Quantity::Fit, timing(|sample| sample.seconds)),
        measurement(Quantity::EffectiveDraws, timing(|sample| sample.effective_draws)),
        measurement(
            Quantity::EffectiveDrawsPerSecond,
            timing(|sample| sample.effective_draws / sample.seconds),
        ),
    ]
}

/// An experiment on the data set with default settings.
fn experiment(directory: &Path, set: DataSet, components: usize) -> Result<Experiment> {
    let path = directory.join("data.csv");
    write_bytes(&path, set.csv.as_bytes())?;
    let scale = match set.preprocessing {
        Preprocessing::None => "none",
        Preprocessing::Standardize => "standardize",
    };
    let spec = format!(
        "name = \"bench\"\n[data]\npath = \"data.csv\"\ncolumns = {:?}\nscale = \"{scale}\"\n\
         [model]\ncomponents = [{components}]\n[scoring]\ncriteria = []\n",
        set.columns()
    );
    let words = |problems: Problems| anyhow::anyhow!(problems.render(Style::Plain));
    Experiment::from_text("bench", &spec, |_| path).map_err(words)
}

fn fit(experiment: &Experiment, seed: u64) -> Result<Sample> {
    let components = experiment.spec.model.components[0];
    let job = Job { model: ModelKey::full(components), variant: Variant::AllRows, seed };
    let chains = experiment.spec.sampler.chains;
    let progress = Progress::new("fits", 1, 0, Display::Hidden);
    let fit_progress = progress.fit(job, 0);
    let began = process_time();
    let (preparation, _) = Preparation::for_all_rows(experiment, job.model)?;
    let halt = AtomicBool::new(false);
    let ends = (0..chains).map(|chain| preparation.run_chain(seed, chain, &fit_progress.chain(), &halt));
    let ends = ends.collect::<Result<Vec<_>, FitError>>()?;
    let fit = join_chains(job, experiment.dataset.data.n_features(), ends)?;
    let seconds = (process_time() - began).as_secs_f64();
    anyhow::ensure!(fit.fallen.is_empty(), "a chain is trapped by tied observations");
    let sizes = (0..fit.draws.variables().len()).map(|variable| ess_bulk(fit.draws.column(variable), chains));
    Ok(Sample { seconds, effective_draws: sizes.fold(f64::INFINITY, f64::min) })
}
