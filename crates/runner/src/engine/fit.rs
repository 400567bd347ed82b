//! One fit: from rows to prior, starting point and metric, and through chains to draws on the data's own scale.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use gmm_sampler::collapse::CollapseMonitor;
use gmm_sampler::data::{Data, Observations, Scaling};
use gmm_sampler::draws::Draws;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::nuts::chain::{Chain, ChainSettings, DrawStats};
use gmm_sampler::start::Start;
use gmm_sampler::start::em::{DEFAULT_STARTS, EmOptimum, Regularity, em, em_on_subsample};
use gmm_sampler::ties::Ties;
use gmm_scoring::wbic_power;

use crate::engine::errors::FitError;
use crate::engine::experiment::Experiment;
use crate::engine::model::{Model, improper_with};
use crate::engine::progress::ChainProgress;
use crate::engine::task::Task;
use crate::storage::fits::Fit;
use crate::study::job::{Job, ModelKey, Variant};
use crate::study::spec::Spec;
use crate::study::streams::Stream;

/// Starts of EM where its optimum is only a place to start chains from. On six data sets with K ≤ 8 the posterior mode above
/// it is that of 200 starts, or a higher one, but for iris and galaxies at K = 5 (4.5 and 3.5 nats lower); with ten starts
/// wine's at K = 3 is 27 nats lower. No criterion enters: whichever are asked for, the draws are the same.
const STARTS_OF_CHAINS: usize = 30;

/// Most iterations of warm-up of a fit that is only scored on rows held out: its chains start with the curvature at a mode.
/// They are one window of 98 draws for the metric between two short buffers. On seven fits of K = 3 to 10 ten folds took 9 % less
/// time with 100 iterations and 15 % more with 150, which by the rule of long warm-ups have a window of 25; both made more
/// divergences.
const WARMUP_WITHOUT: usize = 130;

/// What all seeds and chains of one K and part of the rows share: the model itself, and where to start.
pub struct Preparation {
    key: ModelKey,
    variant: Variant,
    likelihood: Likelihood,
    /// What the likelihood is raised to.
    power: f64,
    prior: Prior,
    scaling: Scaling,
    start: Start,
    settings: ChainSettings,
    watch: CollapseMonitor,
    /// Whether a chain on the spike has left the posterior: under a prior that vanishes at 0 fast enough the spike is a mode
    /// like others, and its draws belong to it.
    watched: bool,
}

/// What the search for a start on all rows has found, for the fits that see a part of them, in place of one as wide. Which of
/// several modes is the highest may change with a few rows, so more than the highest is kept.
#[derive(Debug, Clone)]
pub struct Reference {
    model: Model,
    /// On the data's own scale: the posterior's mode, EM's best optimum, other optima.
    promising: Vec<Mixture>,
}

/// How a chain ended.
pub enum ChainEnd {
    Done(ChainDraws),
    /// In the spike of tied observations, at this iteration: its draws are of nothing.
    Fallen(usize),
    /// It was stopped with the run.
    Halted,
}

impl ChainEnd {
    /// Draws that it left.
    fn len(&self) -> usize {
        match self {
            Self::Done(chain) => chain.stats.len(),
            Self::Fallen(_) | Self::Halted => 0,
        }
    }
}

/// What a log says of it.
impl fmt::Display for ChainEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(chain) => {
                let divergent = chain.stats.iter().filter(|draw| draw.transition.diverging()).count();
                write!(f, "{} draws, {divergent} of them divergent", chain.stats.len())
            }
            Self::Fallen(iteration) => {
                write!(f, "fell into the spike of tied observations at iteration {iteration}")
            }
            Self::Halted => f.write_str("halted"),
        }
    }
}

/// One chain's draws, variable by variable, on the data's own scale, with their statistics.
pub struct ChainDraws {
    columns: Vec<Vec<f64>>,
    stats: Vec<DrawStats>,
}

/// The sampler's settings, as the spec gives them for a part of the rows. Draws of a fit that is only scored on rows held out
/// are kept by nobody, and a mean of densities needs fewer than quantiles and tails do.
#[must_use]
pub fn settings(spec: &Spec, variant: Variant) -> ChainSettings {
    let (warmup, draws) = match variant {
        Variant::AllRows | Variant::Tempered => (spec.sampler.warmup, spec.sampler.draws),
        Variant::Fold { .. } | Variant::Group(_) | Variant::LeaveOut(_) => {
            (spec.sampler.warmup.min(WARMUP_WITHOUT), spec.scoring.fold_draws)
        }
    };
    ChainSettings {
        warmup,
        draws,
        target_accept: spec.sampler.target_accept,
        max_tree_depth: spec.sampler.max_tree_depth as u32,
    }
}

/// Iterations of all chains of some fits.
#[must_use]
pub fn iterations(experiment: &Experiment, tasks: &[Task]) -> usize {
    let of_chain = |task: &Task| {
        let settings = settings(&experiment.spec, task.job.variant);
        settings.warmup + settings.draws
    };
    experiment.spec.sampler.chains * tasks.iter().map(of_chain).sum::<usize>()
}

/// The maximised likelihood of K components on all rows.
///
/// # Errors
/// Collinear columns.
pub fn maximise(experiment: &Experiment, key: ModelKey) -> Result<EmOptimum> {
    let mut rng = Stream::Em { model: key }.rng();
    Ok(em(&experiment.dataset.data, key.components, DEFAULT_STARTS, &mut rng)?)
}

impl Preparation {
    /// Everything that precedes sampling of all rows, and what it lends to fits of parts of them.
    ///
    /// # Errors
    /// Rows that no mixture can be started on: collinear, constant, or every start on a spike.
    pub fn for_all_rows(experiment: &Experiment, key: ModelKey) -> Result<(Self, Reference), FitError> {
        let rows = &experiment.dataset.data;
        let mut rng = Stream::Em { model: key }.rng();
        let optimum = em_on_subsample(rows, key.components, STARTS_OF_CHAINS, &mut rng);
        let (best, others) = match optimum {
            Ok(EmOptimum { best: Some(best), others, .. }) if best.regularity == Regularity::Regular => {
                (Some(best.mixture), others)
            }
            _ => (None, Vec::new()),
        };
        let model = Model::from_rows(experiment, key, Variant::AllRows, rows)?;
        let preparation = Self::from_model(experiment, key, Variant::AllRows, rows, &model, best.as_slice())?;
        let promising = std::iter::once(preparation.mode()).chain(best).chain(others).collect();
        Ok((preparation, Reference { model, promising }))
    }

    /// The same without the rows that a task holds out. They move neither centroids nor scaling, but for LOO's refits. Where fits of all rows may
    /// start are candidates for a mode, beside the clusters of the rows that are left.
    ///
    /// # Errors
    /// As [`for_all_rows`](Self::for_all_rows).
    pub fn for_part(
        experiment: &Experiment,
        task: &Task,
        reference: Option<&Reference>,
    ) -> Result<Self, FitError> {
        let Job { model: key, variant, .. } = task.job;
        let all = &experiment.dataset.data;
        let training: Vec<usize> =
            (0..all.n_observations()).filter(|row| task.held_out.binary_search(row).is_err()).collect();
        let rows = all.rows(&training);
        let promising = reference.map_or(&[][..], |reference| &reference.promising);
        // LOO is of the posterior under the prior as it was given for all rows; cross-validation is of all that is done with rows.
        let model = match (variant, reference) {
            (Variant::LeaveOut(_) | Variant::Tempered, Some(reference)) => reference.model.clone(),
            (Variant::Tempered, None) => Model::from_rows(experiment, key, Variant::AllRows, &rows)?,
            (Variant::LeaveOut(_), None) => return Err(FitError::NoStartOfAllRows),
            _ => Model::from_rows(experiment, key, variant, &rows)?,
        };
        Self::from_model(experiment, key, variant, &rows, &model, promising)
    }

    /// The posterior's mode, on the data's own scale.
    fn mode(&self) -> Mixture {
        let layout = Layout { n_components: self.key.components, n_features: self.likelihood.n_features() };
        layout.constrain(&self.start.mode.position).on_data_scale(&self.scaling)
    }

    /// From the rows that a fit sees, its model, and mixtures, on the data's own scale, to look for modes above.
    fn from_model(
        experiment: &Experiment,
        key: ModelKey,
        variant: Variant,
        rows: &Data,
        model: &Model,
        promising: &[Mixture],
    ) -> Result<Self, FitError> {
        let (spec, components) = (&experiment.spec, key.components);
        let Model { scaling, prior, .. } = model.clone();
        let scaled = scaling.view(rows);
        // Threads that a fit's chains leave idle share the passes over many observations.
        let idle = rayon::current_num_threads() / spec.sampler.chains;
        let likelihood = Likelihood::new(&scaled).with_threads(idle);
        let power = match variant {
            Variant::Tempered => wbic_power(rows.n_observations()),
            _ => 1.0,
        };
        let mut posterior =
            Posterior::new(&likelihood, &prior, components)?.with_likelihood(&likelihood, power);
        let ties = Ties::from_data(rows);
        let watched = improper_with(&prior.scales, components, &ties);
        let watch = CollapseMonitor::new(components, &ties);
        let on_spike = |mixture: &Mixture| watch.is_collapsed(&mixture.on_data_scale(&scaling));
        let Some(start) = Start::find(&mut posterior, &model.beginnings(promising), on_spike) else {
            return Err(FitError::NoRegularMode);
        };
        let settings = settings(spec, variant);
        Ok(Self { key, variant, prior, scaling, start, settings, watch, watched, likelihood, power })
    }

    /// Iterations of one chain.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.settings.warmup + self.settings.draws
    }

    /// Runs one chain to its end, or until `halt` is set.
    ///
    /// # Errors
    /// A starting point without a finite density.
    pub fn run_chain(
        &self,
        seed: u64,
        chain: usize,
        progress: &ChainProgress,
        halt: &AtomicBool,
    ) -> Result<ChainEnd, FitError> {
        let (model, variant) = (self.key, self.variant);
        let mut rng = Stream::Chain { model, seed, variant, chain }.rng();
        let posterior = Posterior::new(&self.likelihood, &self.prior, model.components)?;
        let mut posterior = posterior.with_likelihood(&self.likelihood, self.power);
        let layout = posterior.layout();
        let position = self.start.disperse(&mut posterior, &mut rng);
        let mut chain = Chain::new(posterior, &position, self.start.metric.clone(), self.settings, rng)?;
        let n_variables = Mixture::variables(model.components, layout.n_features).len();
        let mut columns: Vec<Vec<f64>> =
            (0..n_variables).map(|_| Vec::with_capacity(self.settings.draws)).collect();
        let mut stats = Vec::with_capacity(self.settings.draws);
        let watched = self.watched;
        let mut watch = self.watch.clone();
        for iteration in 0..self.iterations() {
            if halt.load(Ordering::Relaxed) {
                return Ok(ChainEnd::Halted);
            }
            let warming_up = chain.is_warming_up();
            let draw = chain.step();
            progress.step(warming_up, &draw);
            if warming_up && !watched {
                continue;
            }
            let mixture = layout.constrain(chain.position()).on_data_scale(&self.scaling);
            if watched && watch.has_collapsed(&mixture) {
                return Ok(ChainEnd::Fallen(iteration));
            }
            if !warming_up {
                columns.iter_mut().zip(mixture.values()).for_each(|(column, value)| column.push(value));
                stats.push(draw);
            }
        }
        Ok(ChainEnd::Done(ChainDraws { columns, stats }))
    }
}

/// Joins the chains of a fit, in their order.
///
/// # Errors
/// If none is left.
pub fn join_chains(job: Job, n_features: usize, chains: Vec<ChainEnd>) -> Result<Fit, FitError> {
    let variables = Mixture::variables(job.model.components, n_features);
    let n_chains = chains.len();
    let length = chains.iter().map(ChainEnd::len).sum();
    let mut columns: Vec<Vec<f64>> = variables.iter().map(|_| Vec::with_capacity(length)).collect();
    let mut stats = Vec::with_capacity(length);
    let mut fallen = Vec::new();
    for (index, chain) in chains.into_iter().enumerate() {
        match chain {
            ChainEnd::Fallen(_) => fallen.push(index),
            ChainEnd::Halted => return Err(FitError::Halted),
            ChainEnd::Done(chain) => {
                columns.iter_mut().zip(chain.columns).for_each(|(column, values)| column.extend(values));
                stats.extend(chain.stats);
            }
        }
    }
    if fallen.len() == n_chains {
        return Err(FitError::EveryChainOnSpike);
    }
    Ok(Fit { draws: Draws::from_columns(n_chains - fallen.len(), variables, columns), stats, fallen })
}
