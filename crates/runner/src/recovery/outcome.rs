//! One data set of a suite: drawn, fitted and scored by the code that every experiment runs, and what is kept of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use gmm_sampler::data::Data;
use gmm_sampler::mixture::params::{Mixture, MixtureError};
use gmm_sampler::mixture::simulate::mixsim::{MAX_ECCENTRICITY, MixSim, TargetOverlap};
use gmm_scoring::{Basis, Comparison, Criterion, LogLikelihood, Row, Scale, Verdict, held_out};
use rand::Rng;

use crate::data::Dataset;
use crate::engine::experiment::Experiment;
use crate::engine::inputs::fit_inputs;
use crate::engine::model::prior_about;
use crate::engine::progress::{Display, Progress};
use crate::engine::scheduler::{EndedFit, RunContext};
use crate::engine::task::Task;
use crate::process::panics::{catch_panic, defect};
use crate::recovery::missed::gain_from_truth;
use crate::scores::failure::Failure;
use crate::scores::findings::Findings;
use crate::scores::ranking::Ranking;
use crate::scores::results::Results;
use crate::scores::stage::{Done, ReusePolicy, Stage};
use crate::storage;
use crate::storage::atomic::DiskError;
use crate::storage::store::{Store, Stored};
use crate::study::design::{Set, columns};
use crate::study::job::{Job, ModelKey, Variant};
use crate::study::spec::suite::{SuiteSpec, Truth};
use crate::study::spec::{DataSpec, Missing, PriorSpec, Resolution, Spec};
use crate::study::streams::{Simulated, Stream};

/// What is kept of a data set: enough for every verdict to be found again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// By prior, then by criterion, then from best to worst.
    pub rows: Vec<OutcomeRow>,
    /// Why some fits, or all, have no result; none if all have one.
    pub failure: Option<String>,
    /// Fits, those of folds included, that their own diagnostics do not trust.
    pub n_unreliable: usize,
    /// By how many nats the log evidence about the mode above the true mixture exceeds that about any mode found, under `model.prior`.
    pub gain_from_truth: Option<f64>,
}

/// One K by one criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRow {
    /// 0: `model.prior`; 1: `suite.contrast`.
    pub prior: usize,
    pub criterion: Criterion,
    pub row: Row<ModelKey>,
    /// What predictive criteria estimate, in nats: the log density of the data set under the truth, less N times the divergence of
    /// the fit to all rows from it, as fresh observations measure that. NaN where no fit was judged so.
    pub expected: f64,
}

impl Outcome {
    /// Of a data set that has no result at all.
    #[must_use]
    pub fn from_failure(reason: String) -> Self {
        Self { failure: Some(reason), ..Self::default() }
    }

    /// The rankings under one prior, as they were found.
    #[must_use]
    pub fn rankings(&self, prior: usize, n_observations: usize) -> Vec<Ranking> {
        let rows: Vec<&OutcomeRow> = self.rows.iter().filter(|row| row.prior == prior).collect();
        rows.chunk_by(|a, b| a.criterion == b.criterion)
            .map(|rows| {
                let criterion = rows[0].criterion;
                let comparison = Comparison {
                    criterion,
                    n_terms: (criterion.scale() == Scale::Prediction).then_some(n_observations),
                    rows: rows.iter().map(|row| row.row.clone()).collect(),
                };
                let verdict = Verdict::new(&comparison);
                Ranking { criterion, comparison, verdict, unscored: Vec::new(), best_by_seed: Vec::new() }
            })
            .collect()
    }
}

/// The priors under which every data set is fitted.
#[must_use]
pub fn priors(spec: &SuiteSpec) -> Vec<&PriorSpec> {
    std::iter::once(&spec.model.prior).chain(&spec.suite.contrast).collect()
}

/// Whether any fit on all rows is needed: criteria of the maximised likelihood need none, and K-fold only those of folds.
#[must_use]
pub fn needs_whole_fits(spec: &SuiteSpec) -> bool {
    spec.suite.fresh > 0 || spec.scoring.needs(Basis::Posterior)
}

/// Why a data set has no outcome, or not all of one.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
    /// The outcome is stored; some of its fits have no result.
    #[error("{0}")]
    SomeFits(String),
    /// A disk that takes no results is no failure of the set.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Simulates and fits one data set. Draws pass through a directory below `scratch` that is removed at the end.
///
/// # Errors
/// The disk takes no draws; a mixture that cannot be simulated, scores that cannot be compared, a panic.
pub fn examine(spec: &SuiteSpec, set: &Set, scratch: &Path) -> Result<Outcome, SetError> {
    catch_panic(|| try_to_examine(spec, set, scratch), |message| SetError::Failed(defect(message)))
}

fn try_to_examine(spec: &SuiteSpec, set: &Set, scratch: &Path) -> Result<Outcome, SetError> {
    let stream = |part| Stream::Simulation { seed: spec.suite.seed, set: set.index, part }.rng();
    let truth = truth(spec, set, &mut stream(Simulated::Mixture))?;
    let (data, _) = truth.simulate(set.n_observations, &mut stream(Simulated::Observations));
    let fresh = (spec.suite.fresh > 0)
        .then(|| Fresh::new(&truth, &data, spec.suite.fresh, &mut stream(Simulated::Fresh)));
    let mut outcome = Outcome::default();
    for (index, prior) in priors(spec).into_iter().enumerate() {
        let directory =
            tempfile::tempdir_in(scratch).map_err(|error| DiskError::new(scratch, "written", error))?;
        let store = Store::new(directory.path().to_path_buf());
        let experiment = experiment(spec, prior, data.clone());
        let (results, expected) = fit(&experiment, needs_whole_fits(spec), &store, fresh.as_ref())?;
        let failures: Vec<String> = results
            .failures
            .iter()
            .map(|Failure { subject, reason }| format!("{subject}: {reason}"))
            .collect();
        if let Some(first) = failures.first() {
            let more = failures.len() - 1;
            outcome.failure =
                Some(if more == 0 { first.clone() } else { format!("{first} (and {more} more)") });
        }
        outcome.n_unreliable += results.unreliable.len();
        if index == 0 {
            outcome.gain_from_truth = gain_from_truth(&experiment, &results, &truth)?;
        }
        for Ranking { criterion, comparison, .. } in results.rankings {
            outcome.rows.extend(comparison.rows.into_iter().map(|row| {
                let expected = expected.iter().find(|(model, _)| *model == row.model);
                OutcomeRow {
                    prior: index,
                    criterion,
                    expected: expected.map_or(f64::NAN, |(_, value)| *value),
                    row,
                }
            }));
        }
    }
    Ok(outcome)
}

/// The true mixture.
fn truth(spec: &SuiteSpec, set: &Set, rng: &mut impl Rng) -> Result<Mixture> {
    let Set { components, n_features, overlap, .. } = *set;
    match spec.suite.truth {
        Truth::Mixsim { least_weight, .. } => {
            let target = TargetOverlap::Average(overlap);
            let eccentricity = MAX_ECCENTRICITY;
            let recipe = MixSim { n_components: components, n_features, target, least_weight, eccentricity };
            Ok(recipe.simulate(rng)?)
        }
        Truth::Prior => {
            let prior = prior_about(&spec.model.prior, n_features, vec![0.0; components * n_features]);
            Ok(prior.simulate(components, n_features, rng))
        }
    }
}

fn experiment(spec: &SuiteSpec, prior: &PriorSpec, data: Data) -> Experiment {
    let columns = columns(&data);
    let data_spec = DataSpec {
        path: "simulated".to_owned(),
        columns: Some(columns.clone()),
        label: None,
        scale: spec.suite.scale,
        resolution: Resolution::None,
        missing: Missing::Error,
    };
    let mut model = spec.model.clone();
    model.prior = prior.clone();
    let spec = Spec {
        name: spec.name.clone(),
        data: data_spec,
        model,
        sampler: spec.sampler.clone(),
        scoring: spec.scoring.clone(),
    };
    let rows = (1..=data.n_observations()).collect();
    let dataset = Dataset {
        steps: vec![0.0; columns.len()],
        columns,
        left_out: Vec::new(),
        data,
        rows,
        classes: None,
        groups: None,
        dropped: 0,
        hash: String::new(),
    };
    Experiment::from_dataset(spec, PathBuf::from("simulated"), dataset)
}

/// Fits and scores as any experiment is, with fits on all rows or without, and compares these with fresh observations.
fn fit(
    experiment: &Experiment,
    whole: bool,
    store: &Store,
    fresh: Option<&Fresh>,
) -> Result<(Results, Vec<(ModelKey, f64)>), SetError> {
    let tasks: Vec<Task> =
        experiment.tasks().into_iter().filter(|task| task.job.variant != Variant::AllRows || whole).collect();
    let context = RunContext::new(experiment, store);
    let run = |tasks: &[Task], findings| {
        let progress = Progress::new("fits", tasks.len(), 1, Display::Hidden);
        // The scratch directory is empty.
        let stage = Stage::new(&context, tasks, findings, ReusePolicy::Nothing)?;
        stage.run(&context, &progress)
    };
    let Done { findings, mut ended, .. } = run(&tasks, Findings::default())?;
    let refits = findings.refits(experiment);
    let done = run(&refits, findings)?;
    let findings = done.findings;
    ended.extend(done.ended);
    let failures = ended.iter().filter_map(Failure::from_ended).collect();
    let mut expected = Vec::new();
    if let Some(fresh) = fresh {
        let scored = |ended: &&EndedFit| ended.job.variant == Variant::AllRows && ended.result.is_ok();
        for EndedFit { job, .. } in ended.iter().filter(scored) {
            expected.push((job.model, fresh.expected(experiment, store, *job)?));
        }
    }
    Ok((Results::new(experiment, findings, failures, Display::Hidden)?, expected))
}

/// Observations from the true mixture that no fit sees, and what the truth says of them and of those that fits do see.
struct Fresh {
    data: Data,
    /// Log densities under the truth: of each fresh observation, and the sum over the data set.
    of_fresh: Vec<f64>,
    of_data_set: f64,
    n_observations: usize,
}

impl Fresh {
    fn new(truth: &Mixture, data: &Data, n: usize, rng: &mut impl Rng) -> Self {
        let (fresh, _) = truth.simulate(n, rng);
        let under_truth = |data: &Data| log_densities(std::slice::from_ref(truth), 1, data);
        Self {
            of_fresh: under_truth(&fresh),
            of_data_set: under_truth(data).iter().sum(),
            n_observations: data.n_observations(),
            data: fresh,
        }
    }

    /// [`OutcomeRow::expected`]. N times the mean log predictive density of fresh observations has the same expectation, but an
    /// estimate less that varies as the data set's own entropy does; here the truth's density is a control variate that takes
    /// this out.
    fn expected(&self, experiment: &Experiment, store: &Store, job: Job) -> Result<f64> {
        let task = Task { job, held_out: Arc::from([]) };
        let Stored::Found(file) = store.find(job, &fit_inputs(experiment, &task))? else {
            bail!("the draws of {job} are gone")
        };
        let fit = storage::fits::fit(&file, job.model.components, self.data.n_features())?;
        let mixtures: Vec<Mixture> = (0..fit.draws.len())
            .map(|s| Mixture::from_values(job.model.components, self.data.n_features(), &fit.draws.draw(s)))
            .collect::<Result<_, _>>()?;
        let predicted = log_densities(&mixtures, fit.draws.n_chains(), &self.data);
        let excess: f64 = predicted.iter().zip(&self.of_fresh).map(|(fit, truth)| fit - truth).sum();
        Ok(self.of_data_set + self.n_observations as f64 * excess / predicted.len() as f64)
    }
}

/// Log densities of observations under the mean of mixtures, per unit of the data's own scale.
fn log_densities(mixtures: &[Mixture], n_chains: usize, data: &Data) -> Vec<f64> {
    let all = mixtures.iter().cloned().map(Ok::<_, MixtureError>);
    let matrix = LogLikelihood::new(all, n_chains, data).expect("every mixture is one");
    (0..matrix.n_blocks()).flat_map(|block| matrix.block(block)).map(|column| held_out(&column)).collect()
}
