//! What a directory holds of a study: its spec, its data as they are now, and its results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::engine::experiment::Experiment;
use crate::recovery::outcome::Outcome;
use crate::recovery::results::SuiteResults;
use crate::recovery::stored::outcome_of;
use crate::recovery::work::find;
use crate::scores::failure::Failure;
use crate::scores::findings::Findings;
use crate::storage::atomic::DiskResult;
use crate::storage::provenance::Provenance;
use crate::storage::store::{Store, Stored, Unavailable};
use crate::study::design::sets;
use crate::study::job::Job;
use crate::study::load::Study;
use crate::study::spec::Reading;
use crate::study::spec::suite::SuiteSpec;

/// Where results go unless `--out` is given.
#[must_use]
pub fn default_out(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// The study that was run in a directory.
///
/// # Errors
/// A directory that holds no results, a spec that cannot be read.
pub fn load(directory: &Path) -> Result<Study> {
    let spec = directory.join("spec.toml");
    if !spec.is_file() {
        bail!("{} holds no results of gmm", directory.display());
    }
    Ok(Study::load(&spec)?)
}

/// The experiment that was run in a directory, with its data as they are now, and where its results came from.
///
/// # Errors
/// A directory that holds no results, a spec or data that cannot be read.
pub fn load_experiment(directory: &Path, reading: Reading) -> Result<(Experiment, Provenance)> {
    let provenance = Provenance::read(directory)
        .with_context(|| format!("{} holds no results of gmm", directory.display()))?;
    Ok((Experiment::new(reading, |_| provenance.data.clone())?, provenance))
}

/// The experiment that was run in a directory, with the data that it was run on.
///
/// # Errors
/// As [`load_experiment`]; data that have changed since.
pub fn load_unchanged_experiment(directory: &Path, reading: Reading) -> Result<Experiment> {
    let (experiment, provenance) = load_experiment(directory, reading)?;
    if experiment.dataset.hash != provenance.data_hash {
        bail!(
            "{} has changed since it was fitted: run the experiment again to fit its present content",
            provenance.data.display()
        );
    }
    Ok(experiment)
}

/// Everything that is stored of an experiment, and why the rest is unavailable; call it inside the pool whose threads it may use.
///
/// # Errors
/// The disk.
pub fn read_experiment(
    experiment: &Experiment,
    store: &Store,
) -> DiskResult<(Findings, BTreeMap<Job, Unavailable>)> {
    let (findings, mut unavailable) = Findings::default().read(experiment, store, &experiment.tasks())?;
    let refits = findings.refits(experiment);
    let (findings, of_refits) = findings.read(experiment, store, &refits)?;
    unavailable.extend(of_refits);
    Ok((findings, unavailable))
}

/// The results of the data sets of a suite that are done, and why the others are unavailable.
///
/// # Errors
/// A file that may not be read; a suite without any result.
pub fn read_suite(spec: SuiteSpec, directory: &Path) -> Result<(SuiteResults, Vec<Failure>)> {
    let (mut done, mut outcomes, mut unavailable) = (Vec::new(), Vec::new(), Vec::new());
    for set in sets(&spec) {
        let outcome = match find(&spec, directory, &set)? {
            Stored::Found(file) => {
                outcome_of(&file).map_err(|error| Unavailable::Damaged(format!("{error:#}")))
            }
            Stored::Unavailable(Unavailable::Failed { reason, .. }) => Ok(Outcome::from_failure(reason)),
            Stored::Unavailable(unavailable) => Err(unavailable),
        };
        match outcome {
            Ok(outcome) => {
                outcomes.push(outcome);
                done.push(set);
            }
            Err(why) => unavailable.push(Failure { subject: set.to_string(), reason: why.to_string() }),
        }
    }
    if done.is_empty() {
        bail!("{} holds no result of a data set: run `gmm run` to compute them", directory.display());
    }
    Ok((SuiteResults::new(spec, done, outcomes), unavailable))
}
