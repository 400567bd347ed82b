//! Simulation-based calibration: the rank of parameters drawn from the prior among posterior draws is uniform.
//!
//! Each replicate draws parameters from the prior, data given the parameters, and draws from the posterior given the data.
//! //! Talts, Betancourt, Simpson, Vehtari & Gelman (2018, "Validating Bayesian inference algorithms with simulation-based
//! calibration"); Modrák et al. (2023, "Simulation-based calibration checking for Bayesian computation: the choice of
//! test quantities shapes sensitivity") for quantities that depend on the data, such as the log-likelihood.
//!
//! Ranks are uniform under two conditions. The centres of the prior must not depend on the data, so they are fixed and not taken from
//! k-means. And a chain must reach the whole posterior: with several modes ranks are not uniform even if the sampler is correct. So
//! cases have one component, or a few whose means the prior separates. They have few observations, so that the prior, its constants
//! and its Jacobians matter.

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::{Moments, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::at;
use gmm_sampler::nuts::chain::ChainSettings;
use libm::log;

use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::{Check, CheckResult, Part};
use crate::problem::{Problem, join_chains};
use crate::ranks::UniformRanks;
use crate::stream::{Purpose, stream};

/// Ranks use every tenth draw, so that these draws are nearly independent (Talts et al. 2018, section 5.1).
const THINNING: usize = 10;

/// Replicates of one task, which then takes a few tenths of a second.
const PER_TASK: usize = 10;

/// One model with many replicates.
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

    /// The rank of each quantity's true value in one replicate.
    fn replicate(&self, index: usize) -> Result<Vec<usize>, CaseError> {
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
        let true_values = quantities(&problem, &truth, lp);
        let start = problem.start(&mut stream(self.name, Purpose::Start, index))?;
        let rng = stream(self.name, Purpose::Chain, index);
        let mut draw = 0;
        let columns = problem.run_chain(&start, ChainSettings::default(), rng, |mixture, lp| {
            draw += 1;
            // Draws that are not ranked need no quantities.
            if draw % THINNING == 0 { quantities(&problem, mixture, lp) } else { Vec::new() }
        })?;
        Ok(columns
            .iter()
            .zip(true_values)
            .map(|(column, truth)| column.iter().filter(|&&value| value < truth).count())
            .collect())
    }
}

/// The number of possible ranks: one more than the number of draws that are ranked.
fn n_ranks() -> usize {
    ChainSettings::default().draws / THINNING + 1
}

/// The label-invariant quantities that [`names`] lists.
fn quantities(problem: &Problem, mixture: &Mixture, lp: f64) -> Vec<f64> {
    let Layout { n_components, n_features } = problem.layout;
    let components = WhitenedComponents::from_mixture(mixture);
    let mut workspace = Workspace::new(n_components, n_features);
    let mut moments = Moments::new(n_components, n_features);
    let log_likelihood =
        problem.likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
    let all = |f: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..n_components).map(f).collect() };
    let smallest = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let means = all(&|k| mixture.mean(k)[0]);
    let scales = all(&|k| mixture.scales(k)[n_features - 1]);
    let mut values =
        vec![lp, log_likelihood, smallest(&means), smallest(&scales), log_density_at_origin(mixture)];
    if n_components > 1 {
        values.push(largest(&means));
        values.push(largest(&scales));
        values.push(smallest(&all(&|k| mixture.weight(k))));
    }
    if n_features > 1 {
        values.push(largest(&all(&|k| mixture.correlation(k, n_features - 1, 0))));
        values.push(all(&|k| log_determinant_of_correlations(mixture, k)).iter().sum());
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

/// log p(y = 0 | θ), by forward substitution, independently of the likelihood's inverse factors.
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
    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        let mut columns = vec![Vec::new(); names(self.layout()).len()];
        for index in task * PER_TASK..((task + 1) * PER_TASK).min(self.replicates) {
            let ranks = self.replicate(index)?;
            columns.iter_mut().zip(ranks).for_each(|(column, rank)| column.push(rank as f64));
        }
        Ok(columns)
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        let uniform = UniformRanks::new(self.replicates, n_ranks());
        let mut report = CaseReport::default();
        for (quantity, ranks) in names(self.layout()).iter().zip(join_chains(results)) {
            let ranks = ranks.into_iter().map(|rank| rank as usize).collect();
            let tested = uniform.test(self.name, quantity, ranks);
            let result = CheckResult::Test {
                statistic: "smallest tail",
                value: tested.smallest_tail,
                p_value: tested.p_value,
            };
            let quantity = (*quantity).to_owned();
            report.checks.push(Check { part: self.part(), case: self.name.to_owned(), quantity, result });
            report.ranks.push(tested);
        }
        report
    }
}
