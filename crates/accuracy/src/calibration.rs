//! Simulation-based calibration: parameters drawn from the prior, data drawn from them, a posterior drawn from the data, and the
//! rank of the first among the draws of the last, which is uniform if all three are right.
//!
//! Talts, Betancourt, Simpson, Vehtari & Gelman (2018, "Validating Bayesian inference algorithms with simulation-based
//! calibration"); Modrák et al. (2023, "Simulation-based calibration checking for Bayesian computation: the choice of
//! test quantities shapes sensitivity") for quantities that depend on the data, such as the log-likelihood.
//!
//! Two conditions. The prior's centres are fixed: centres from k-means would have seen the data, and the rule would not hold.
//! And a chain has to reach all of its posterior: one of several modes that chains do not travel between breaks the rule
//! without a fault in the sampler. So cases have few components, whose means the prior holds apart, or a single one; and few
//! observations, which leave the prior, its constants and its Jacobians a say.

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::{Moments, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::at;
use gmm_sampler::nuts::chain::ChainSettings;
use libm::log;

use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::{Check, Evidence, Part};
use crate::problem::Problem;
use crate::ranks::UniformRanks;
use crate::stream::{Purpose, stream};

/// Every so many draws one is ranked, so that those that are, are nearly independent (Talts et al. 2018, section 5.1).
const THINNING: usize = 10;

/// Replicates of one task: some tenths of a second of work.
const PER_TASK: usize = 10;

/// One model, over and over.
pub(crate) struct Calibration {
    pub(crate) name: &'static str,
    pub(crate) n_observations: usize,
    pub(crate) n_features: usize,
    pub(crate) concentration: f64,
    /// K × D, fixed.
    pub(crate) centres: &'static [f64],
    pub(crate) mean_sd: f64,
    pub(crate) scales: ScalePrior,
    pub(crate) lkj_shape: f64,
    pub(crate) replicates: usize,
}

impl Calibration {
    fn layout(&self) -> Layout {
        Layout { n_components: self.centres.len() / self.n_features, n_features: self.n_features }
    }

    fn prior(&self) -> Prior {
        Prior {
            concentration: self.concentration,
            centres: self.centres.to_vec(),
            mean_sd: self.mean_sd,
            scales: self.scales,
            lkj_shape: self.lkj_shape,
        }
    }

    /// The rank of each quantity in one replicate.
    fn replicate(&self, index: usize) -> Result<Vec<usize>, Failure> {
        let prior = self.prior();
        prior.check()?;
        let Layout { n_components, n_features } = self.layout();
        let mut rng = stream(self.name, Purpose::Data, index);
        let truth = prior.simulate(n_components, n_features, &mut rng);
        let (data, _) = truth.simulate(self.n_observations, &mut rng);
        let problem = Problem::new(data, prior, n_components);
        let mut posterior = problem.posterior()?;
        let position = problem.layout.unconstrain(&truth);
        let lp = posterior.log_density_and_gradient(&position, &mut vec![0.0; position.len()]);
        let of_truth = quantities(&problem, &truth, lp);
        let start = problem.start(&mut stream(self.name, Purpose::Start, index))?;
        let rng = stream(self.name, Purpose::Chain, index);
        let mut draw = 0;
        let columns = problem.chain(&start, ChainSettings::default(), rng, |mixture, lp| {
            draw += 1;
            // What is not ranked need not be measured.
            if draw % THINNING == 0 { quantities(&problem, mixture, lp) } else { Vec::new() }
        })?;
        Ok(columns
            .iter()
            .zip(of_truth)
            .map(|(column, truth)| column.iter().filter(|&&value| value < truth).count())
            .collect())
    }
}

/// Draws that are ranked against: their number plus one is that of the ranks.
fn n_ranks() -> usize {
    ChainSettings::default().draws / THINNING + 1
}

/// Label-invariant numbers, as [`names`] has them.
fn quantities(problem: &Problem, mixture: &Mixture, lp: f64) -> Vec<f64> {
    let Layout { n_components, n_features } = problem.layout;
    let components = WhitenedComponents::from_mixture(mixture);
    let mut workspace = Workspace::new(n_components, n_features);
    let mut moments = Moments::new(n_components, n_features);
    let log_likelihood =
        problem.likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
    let of_all = |f: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..n_components).map(f).collect() };
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let means = of_all(&|k| mixture.mean(k)[0]);
    let scales = of_all(&|k| mixture.scales(k)[n_features - 1]);
    let mut values = vec![lp, log_likelihood, least(&means), least(&scales), log_density_at_origin(mixture)];
    if n_components > 1 {
        values.push(largest(&means));
        values.push(largest(&scales));
        values.push(least(&of_all(&|k| mixture.weight(k))));
    }
    if n_features > 1 {
        values.push(largest(&of_all(&|k| mixture.correlation(k, n_features - 1, 0))));
        values.push(of_all(&|k| log_determinant_of_correlations(mixture, k)).iter().sum());
    }
    values
}

fn names(layout: Layout) -> Vec<&'static str> {
    let mut names = vec!["log density", "log likelihood", "smallest mean", "smallest sigma", "log p(0)"];
    if layout.n_components > 1 {
        names.extend(["largest mean", "largest sigma", "smallest weight"]);
    }
    if layout.n_features > 1 {
        names.extend(["largest correlation", "Σ log det omega"]);
    }
    names
}

fn log_determinant_of_correlations(mixture: &Mixture, component: usize) -> f64 {
    let factor = mixture.correlation_factor(component);
    (0..mixture.n_features()).map(|i| 2.0 * log(factor[at(i, i)])).sum()
}

/// log det Σ_k.
fn log_determinant(mixture: &Mixture, component: usize) -> f64 {
    let factor = mixture.scale_factor(component);
    (0..mixture.n_features()).map(|i| 2.0 * log(factor[at(i, i)])).sum()
}

/// log p(y = 0 | θ), by substitution instead of the likelihood's inverses.
fn log_density_at_origin(mixture: &Mixture) -> f64 {
    let d = mixture.n_features();
    let logits: Vec<f64> = (0..mixture.n_components())
        .map(|k| {
            let factor = mixture.scale_factor(k);
            let mut z = vec![0.0; d];
            for i in 0..d {
                let sum: f64 = (0..i).map(|j| factor[at(i, j)] * z[j]).sum();
                z[i] = (-mixture.mean(k)[i] - sum) / factor[at(i, i)];
            }
            let square: f64 = z.iter().map(|z| z * z).sum();
            log(mixture.weight(k)) - 0.5 * (square + log_determinant(mixture, k))
        })
        .collect();
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|logit| libm::exp(logit - largest)).sum();
    largest + log(total) - 0.5 * d as f64 * log(2.0 * std::f64::consts::PI)
}

impl Case for Calibration {
    fn part(&self) -> Part {
        Part::Calibration
    }

    fn name(&self) -> &str {
        self.name
    }

    fn n_tasks(&self) -> usize {
        self.replicates.div_ceil(PER_TASK)
    }

    /// One column of ranks per quantity.
    fn run(&self, task: usize) -> Result<Columns, Failure> {
        let mut columns = vec![Vec::new(); names(self.layout()).len()];
        for index in task * PER_TASK..((task + 1) * PER_TASK).min(self.replicates) {
            let ranks = self.replicate(index)?;
            columns.iter_mut().zip(ranks).for_each(|(column, rank)| column.push(rank as f64));
        }
        Ok(columns)
    }

    fn conclude(&self, results: Vec<Columns>) -> Outcome {
        let uniform = UniformRanks::new(self.replicates, n_ranks());
        let mut outcome = Outcome::default();
        for (quantity, ranks) in names(self.layout()).iter().zip(crate::problem::joined(results)) {
            let ranks = ranks.into_iter().map(|rank| rank as usize).collect();
            let tested = uniform.test(self.name, quantity, ranks);
            let evidence =
                Evidence::Test { statistic: "least tail", value: tested.least_tail, p_value: tested.p_value };
            let quantity = (*quantity).to_owned();
            outcome.checks.push(Check { part: self.part(), case: self.name.to_owned(), quantity, evidence });
            outcome.ranks.push(tested);
        }
        outcome
    }
}
