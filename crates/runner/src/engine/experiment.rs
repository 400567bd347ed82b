//! An experiment that can run: a spec and its data, each checked, and checked against each other.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use gmm_sampler::data::Data;
use gmm_scoring::{Criterion, Fits};

use crate::cli::problem::{Problem, Problems};
use crate::data::{self, Dataset};
use crate::study::spec::{self, Centre, Reading, Spec};

/// What can run.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// As typed, but `data.columns` names the columns that were chosen by default.
    pub spec: Spec,
    /// The file that `data.path` means, seen from the spec's directory.
    pub data_path: PathBuf,
    pub dataset: Dataset,
    /// BLAKE3 of what fits see of the data: the observations that were kept, in their order, column by column.
    pub observations_hash: String,
}

impl Experiment {
    /// From a spec's reading and its data, for which `locate` finds the file that the spec's `data.path` means.
    ///
    /// # Errors
    /// All that is wrong with the spec and, as far as the spec can tell which they are, with the data.
    pub fn new(reading: Reading, locate: impl FnOnce(&str) -> PathBuf) -> Result<Self, Problems> {
        let data_path = locate(&reading.draft().data.path);
        let mut problems = reading.problems();
        let dataset = if reading.is_sound("data") && reading.is_sound("scoring.groups") {
            let draft = reading.draft();
            let dataset = data::read(&data_path, &draft.data, draft.scoring.groups.as_deref());
            dataset
                .map_err(|found| problems.extend(found.into_iter().map(|problem| reading.place(problem))))
                .ok()
        } else {
            None
        };
        if let Some(dataset) = &dataset {
            let clashes = clashes(&reading, dataset);
            problems.extend(clashes.into_iter().map(|problem| reading.place(problem)));
        }
        Problems::check(problems)?;
        let mut spec = reading.spec()?;
        let dataset = dataset.expect("without problems there is a dataset");
        spec.data.columns = Some(dataset.columns.clone());
        Ok(Self::from_dataset(spec, data_path, dataset))
    }

    /// From the text of a spec. Problems call the spec `shown`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_text(
        shown: &str,
        text: &str,
        locate: impl FnOnce(&str) -> PathBuf,
    ) -> Result<Self, Problems> {
        Self::new(spec::read(shown, text)?, locate)
    }

    /// From the spec at `path` and the data beside it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn beside(path: &Path, reading: Reading) -> Result<Self, Problems> {
        Self::new(reading, |typed| path.parent().unwrap_or(Path::new("")).join(typed))
    }

    /// From a spec and a dataset that are known to go together.
    #[must_use]
    pub fn from_dataset(spec: Spec, data_path: PathBuf, dataset: Dataset) -> Self {
        let observations_hash = observations_hash(&dataset.data);
        Self { spec, data_path, dataset, observations_hash }
    }
}

/// Two files with the same observations are the same data to every fit, whatever else is in them.
fn observations_hash(data: &Data) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(data.n_features() as u64).to_le_bytes());
    for feature in 0..data.n_features() {
        data.feature(feature).iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        });
    }
    hasher.finalize().to_hex().to_string()
}

/// Fits of one experiment: far above any use, and low enough that their list fits in memory.
const MOST_FITS: usize = 1_000_000;

/// Fits of each K and seed, but for those that LOO may ask for.
fn parts(spec: &Spec, dataset: &Dataset) -> usize {
    let mut needed: Vec<Fits> =
        spec.scoring.criteria.iter().filter_map(|criterion| criterion.fits()).collect();
    needed.sort_unstable();
    needed.dedup();
    let parts = |fits: Fits| match fits {
        Fits::AllRows | Fits::AllRowsAndRefits => 0,
        Fits::Tempered => 1,
        Fits::Folds => spec.scoring.folds.saturating_mul(spec.scoring.repeats),
        Fits::Groups => {
            dataset.groups.as_ref().map_or(0, |groups| groups.iter().collect::<HashSet<_>>().len())
        }
    };
    needed.into_iter().map(parts).fold(1, usize::saturating_add)
}

/// What the spec asks of this dataset that it cannot give. Keys that are wrong in themselves are not looked at.
fn clashes(reading: &Reading, dataset: &Dataset) -> Vec<Problem> {
    let spec = reading.draft();
    let (n, d) = (dataset.data.n_observations(), dataset.data.n_features());
    let problem = |key: &str, message: String| Problem::with_key(&spec.data.path, key, message);
    let mut problems = Vec::new();
    let is_sound = |key: &str| reading.is_sound(key);

    // None if the components are wrong in themselves; then nothing can be said about the largest.
    let largest = spec.model.components.iter().copied().max().filter(|_| is_sound("model.components"));
    let distinct = data::distinct_rows(&dataset.data);
    if let Some(largest) = largest.filter(|&largest| largest > distinct) {
        let message = format!("{largest} components for {distinct} different observations");
        problems.push(problem("model.components", message).label(format!("allowed: at most {distinct}")));
    }
    let folds = spec.scoring.folds;
    if is_sound("scoring") && spec.scoring.criteria.contains(&Criterion::Kfold) {
        // The largest fold holds ⌈N / folds⌉ rows; the rest train.
        let training = n - n.div_ceil(folds);
        if folds > n {
            let problem = problem("scoring.folds", format!("{folds} folds for {n} observations"));
            problems.push(problem.label(format!("allowed: at most {n}")));
        } else if let Some(largest) = largest.filter(|&largest| largest > training && largest <= distinct) {
            let message = format!("{largest} components for the {training} rows that train beside one fold");
            problems.push(problem("scoring.folds", message).help("more folds leave more rows to train on"));
        }
    }
    if let Some(groups) = dataset.groups.as_ref().filter(|_| spec.scoring.criteria.contains(&Criterion::Logo))
    {
        let mut sizes = BTreeMap::new();
        groups.iter().for_each(|group| *sizes.entry(group).or_insert(0) += 1);
        let training = n - sizes.values().copied().max().unwrap_or(0);
        if sizes.len() < 2 {
            let message = format!("all {n} rows are of one group");
            problems.push(problem("scoring.groups", message).label("allowed: a column of at least two"));
        } else if let Some(largest) = largest.filter(|&largest| largest > training && largest <= distinct) {
            let message = format!("{largest} components for the {training} rows beside the largest group");
            problems.push(problem("scoring.groups", message));
        }
    }
    let sound = ["model.components", "sampler", "scoring"].into_iter().all(is_sound);
    let fits = parts(spec, dataset).saturating_mul(spec.model.components.len() * spec.sampler.seeds.len());
    if sound && fits > MOST_FITS {
        let message = format!("{fits} fits, at most {MOST_FITS} can be run");
        let help = "fewer values of K, seeds, folds, repeats or groups make fewer fits";
        problems.push(problem("scoring", message).help(help));
    }
    if let Centre::Explicit(centres) = &spec.model.prior.means.centre {
        let found = centres.first().map_or(0, Vec::len);
        if is_sound("model.prior.means") && found != d {
            let message = format!("centres of {found} numbers for {d} columns");
            let problem = problem("model.prior.means.centre", message);
            problems.push(problem.note(format!("the columns: {}", dataset.columns.join(", "))));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
