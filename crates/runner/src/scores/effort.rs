//! What it costs to look for maxima of the likelihood and modes of the posterior, before and while it is done.

use std::time::{Duration, Instant};

use gmm_sampler::data::Observations;
use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_scoring::{Basis, Criterion};

use crate::cli::messages::say;
use crate::engine::experiment::Experiment;
use crate::engine::model::{Model, scalings};
use crate::engine::progress::{Display, Progress};
use crate::study::job::{ModelKey, Variant};

const WHAT: &str = "looking for modes";

/// Seconds from which on it is said beforehand.
const LONG_WAIT: f64 = 10.0;

/// More rows than this are searched by a sample.
pub const SAMPLE: usize = 10_000;

/// More parameters than this are too many for importance sampling.
pub const MOST_SAMPLED: usize = 40;

/// One kind of step, taken for every K.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// EM from all its starts.
    Em,
    /// The first search's modes before splits and merges.
    Begin,
    /// The second's.
    BeginAgain,
    /// Modes above splits of the next smaller K.
    Splits,
    /// Modes above merges of the next larger K.
    Merges,
    /// The evidence about the modes.
    Weigh,
    /// Cross-validation of one fold.
    Fold,
}

/// The work of an experiment's searches, counted as it is done.
pub struct Effort {
    n_rows: f64,
    n_features: f64,
    progress: Progress,
}

impl Effort {
    /// None of it done.
    #[must_use]
    pub fn new(experiment: &Experiment, display: Display) -> Self {
        let data = &experiment.dataset.data;
        let scoring = &experiment.spec.scoring;
        let mut effort = Self {
            n_rows: data.n_observations() as f64,
            n_features: data.n_features() as f64,
            progress: Progress::of_work(WHAT, 0, Display::Hidden),
        };
        let n_folds = scoring.folds.min(data.n_observations()) as u64;
        let n_systems = scalings(&experiment.spec, data).map_or(1, |scalings| scalings.len()) as u64;
        let models = experiment.models();
        let of =
            |step: Step, models: &[ModelKey]| models.iter().map(|model| effort.of(step, *model)).sum::<u64>();
        let mut work = 0;
        if scoring.needs_optima() {
            work += of(Step::Em, &models);
        }
        if scoring.needs(Basis::Mode) {
            let whole = of(Step::Begin, &models) + of(Step::BeginAgain, &models) + of(Step::Weigh, &models);
            let (larger, smaller) = (models.split_first(), models.split_last());
            let splits = larger.map_or(0, |(_, larger)| of(Step::Splits, larger));
            let merges = smaller.map_or(0, |(_, smaller)| of(Step::Merges, smaller));
            work += n_systems * (whole + 2 * (2 * splits + merges));
        }
        if experiment.scores_by(Criterion::Cv) {
            work += n_folds * of(Step::Fold, &models);
        }
        effort.progress = Progress::of_work(WHAT, work, display);
        effort
    }

    /// Says how long it will take on the threads of this pool, if that is long.
    pub fn announce(&self, experiment: &Experiment) {
        let seconds = self.estimate(experiment).map_or(0.0, |estimate| estimate.as_secs_f64());
        let seconds = seconds / rayon::current_num_threads() as f64;
        if seconds > LONG_WAIT {
            say!("{WHAT}: about {}", duration(seconds));
        }
    }

    /// All of the work, and how much of it is done.
    #[cfg(test)]
    pub fn work_and_done(&self) -> (u64, u64) {
        (self.progress.work(), self.progress.work_done())
    }

    /// Counts a step.
    pub fn did(&self, step: Step, model: ModelKey) {
        self.progress.advance(self.of(step, model));
    }

    /// The time that one thread would take, from that of a few gradients.
    ///
    /// # Errors
    /// A constant column.
    pub fn estimate(&self, experiment: &Experiment) -> anyhow::Result<Duration> {
        let data = &experiment.dataset.data;
        let Some(&model) = experiment.models().last() else { return Ok(Duration::ZERO) };
        let scaling = scalings(&experiment.spec, data)?.swap_remove(0);
        let rows = data.rows(&data.spread_rows(SAMPLE));
        let fitted = Model::on_scale(experiment, model, Variant::AllRows, &rows, scaling)?;
        let likelihood = Likelihood::new(&fitted.scaling.view(&rows));
        let mut posterior = Posterior::new(&likelihood, &fitted.prior, model.components)?;
        let position = posterior.layout().unconstrain(&fitted.beginnings(&[])[0]);
        let mut gradient = vec![0.0; position.len()];
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let began = Instant::now();
            posterior.log_density_and_gradient(&position, &mut gradient);
            fastest = fastest.min(began.elapsed());
        }
        Ok(fastest.mul_f64(self.progress.work() as f64 / self.of_gradient(model)))
    }

    /// Of one gradient on as many rows as are searched, in the unit of all that follows.
    fn of_gradient(&self, model: ModelKey) -> f64 {
        let rows = self.n_rows.min(SAMPLE as f64);
        (rows + ROWS) * model.components as f64 * (self.n_features + FEATURES).powi(2)
    }

    fn of(&self, step: Step, model: ModelKey) -> u64 {
        let k = model.components as f64;
        let of_component = 2.0 * self.n_features + 0.5 * self.n_features * (self.n_features - 1.0);
        let parameters = k * (of_component + 1.0);
        let followed = |n: f64| n * (LONG + 2.0 * of_component);
        let gradients = match step {
            Step::Em => EM / (self.n_features + 3.0),
            Step::Begin => 4.0 * followed(9.0),
            Step::BeginAgain => 2.0 * (12.0 * SHORT + followed(4.0)),
            Step::Splits => 8.0 * k * SHORT + followed(4.0),
            Step::Merges => 2.0 * k * SHORT + followed(4.0),
            Step::Weigh => {
                let is_sampled = parameters <= MOST_SAMPLED as f64 && self.n_rows < MOST_ROWS_SAMPLED;
                let of_curvatures = 16.0 * parameters * (self.n_rows / SAMPLE as f64).max(1.0);
                of_curvatures + if is_sampled { SAMPLED } else { 0.0 }
            }
            Step::Fold => 2.0 * LONG,
        };
        (gradients * self.of_gradient(model)) as u64
    }
}

impl Drop for Effort {
    fn drop(&mut self) {
        self.progress.finish();
    }
}

/// In seconds, minutes or hours, by two digits.
#[must_use]
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3600.0),
    }
}

/// Rows and features that cost as much as what does not depend on their number.
const ROWS: f64 = 30.0;
const FEATURES: f64 = 2.0;

/// Gradients of a short and of a long search.
const SHORT: f64 = 40.0;
const LONG: f64 = 120.0;

/// Those that EM is worth with D + 3 = 1, and importance sampling. All such numbers are from runs on five data sets with 2 to 13
/// columns; EM varies most, because it slows down where components overlap.
const EM: f64 = 200_000.0;
const SAMPLED: f64 = 8_000.0;

/// With more rows importance sampling is hardly ever needed.
const MOST_ROWS_SAMPLED: f64 = 1000.0;
