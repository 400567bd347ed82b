//! Three real posteriors against long runs of another program, parameter by parameter.

mod reference;

use gmm_sampler::data::Data;
use gmm_sampler::diagnostics::{mcse_mean, mcse_sd, mean, sd};
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use libm::{exp, log};

use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::Part;
use crate::problem::{CHAINS, Problem, joined};
use crate::z_scores::{Compared, compare, convergence};
use reference::Quantity;
pub(crate) use reference::{BLOBS, FAITHFUL, IRIS, Reference};

/// Half the width, in standard deviations, of the window in which a column's density at a quantile is taken. It enters the
/// smaller part of a standard error alone.
const WINDOW: f64 = 0.2;

/// One of the reference posteriors.
pub(crate) struct LongRun {
    reference: Reference,
    problem: Problem,
    /// The points of the reference's predictive densities.
    points: Likelihood,
    draws: usize,
}

impl LongRun {
    /// # Panics
    /// If the embedded tables are damaged.
    pub(crate) fn new(reference: Reference, draws: usize) -> Self {
        let problem = reference.problem();
        let points: Vec<Vec<f64>> = reference.predictions().into_iter().map(|(point, _)| point).collect();
        let columns: Vec<Vec<f64>> =
            (0..problem.layout.n_features).map(|d| points.iter().map(|point| point[d]).collect()).collect();
        let points =
            Likelihood::new(&Data::from_columns(&columns).expect("the reference's points are finite"));
        Self { reference, problem, points, draws }
    }

    /// Parameters, sorted weights, log-likelihood, log joint density: in the reference's order; then log predictive densities.
    fn measure(&self, mixture: &Mixture) -> Vec<f64> {
        let components = WhitenedComponents::from_mixture(mixture);
        let layout = self.problem.layout;
        let mut workspace = Workspace::new(layout.n_components, layout.n_features);
        let mut values = mixture.values();
        let mut weights = values[..layout.n_components].to_vec();
        weights.sort_unstable_by(|a, b| b.total_cmp(a));
        values.extend_from_slice(&weights);

        let mut log_densities = vec![0.0; self.problem.likelihood.n_observations()];
        self.problem.likelihood.pointwise(&components, &mut workspace, &mut log_densities);
        let log_likelihood: f64 = log_densities.iter().sum();
        values.push(log_likelihood);
        values.push(log_likelihood + self.log_prior(mixture));

        let mut predictions = vec![0.0; self.points.n_observations()];
        self.points.pointwise(&components, &mut workspace, &mut predictions);
        values.extend(predictions);
        values
    }

    /// The prior's density of the constrained parameters, of correlations through their Cholesky factors.
    fn log_prior(&self, mixture: &Mixture) -> f64 {
        let prior = &self.problem.prior;
        let components = || 0..mixture.n_components();
        let log_weights: Vec<f64> = components().map(|k| log(mixture.weight(k))).collect();
        let means: Vec<f64> = components().flat_map(|k| mixture.mean(k).to_vec()).collect();
        let scales: Vec<f64> = components().flat_map(|k| mixture.scales(k).to_vec()).collect();
        let correlations = components().map(|k| {
            prior.log_density_of_correlation_factor(mixture.n_features(), mixture.correlation_factor(k))
        });
        prior.log_density_of_weights(&log_weights)
            + prior.log_density_of_means(&means)
            + prior.log_density_of_scales(mixture.n_features(), &scales)
            + correlations.sum::<f64>()
    }

    fn group(&self, name: &str, compared: Vec<Compared>) -> Outcome {
        compare(Part::Posteriors, self.reference.name, name, CHAINS, &compared)
    }
}

impl Case for LongRun {
    fn part(&self) -> Part {
        Part::Posteriors
    }

    fn name(&self) -> &str {
        self.reference.name
    }

    fn n_tasks(&self) -> usize {
        CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, Failure> {
        self.problem.chain_of(self.name(), task, self.draws, |mixture, _| self.measure(mixture))
    }

    fn conclude(&self, results: Vec<Columns>) -> Outcome {
        let columns = joined(results);
        let quantities = self.reference.quantities();
        let n_parameters =
            Mixture::variables(self.problem.layout.n_components, self.problem.layout.n_features).len();
        let check = convergence(Part::Posteriors, self.name(), CHAINS, &columns);
        let mut outcome = Outcome { checks: vec![check], ..Outcome::default() };
        for (of, range) in
            [("parameters", 0..n_parameters), ("label-invariant", n_parameters..quantities.len())]
        {
            let each = |compare: fn(&Quantity, &[f64]) -> Vec<Compared>| -> Vec<Compared> {
                range.clone().flat_map(|index| compare(&quantities[index], &columns[index])).collect()
            };
            outcome.extend(self.group(&format!("{of}: means"), each(means)));
            outcome.extend(self.group(&format!("{of}: spreads"), each(spreads)));
            outcome.extend(self.group(&format!("{of}: quantiles"), each(quantiles)));
        }
        let predictions = self.reference.predictions();
        let compared: Vec<Compared> = predictions
            .iter()
            .zip(&columns[quantities.len()..])
            .enumerate()
            .flat_map(|(index, ((_, [mean_log, its_error, log_mean, error_of_it]), column))| {
                let densities: Vec<f64> = column.iter().map(|&value| exp(value)).collect();
                let average = mean(&densities);
                [
                    Compared::with_estimate(
                        &format!("log p[{index}]"),
                        (mean(column), mcse_mean(column, CHAINS)),
                        (*mean_log, *its_error),
                        column.clone(),
                    ),
                    Compared::with_estimate(
                        &format!("p[{index}]"),
                        (log(average), mcse_mean(&densities, CHAINS) / average),
                        (*log_mean, *error_of_it),
                        densities,
                    ),
                ]
            })
            .collect();
        outcome.extend(self.group("predictive densities", compared));
        outcome
    }
}

fn means(theirs: &Quantity, column: &[f64]) -> Vec<Compared> {
    let ours = (mean(column), mcse_mean(column, CHAINS));
    vec![Compared::with_estimate(&theirs.name, ours, (theirs.mean, theirs.mcse_mean), column.to_vec())]
}

fn spreads(theirs: &Quantity, column: &[f64]) -> Vec<Compared> {
    let centre = mean(column);
    let squares = column.iter().map(|value| (value - centre) * (value - centre)).collect();
    let ours = (sd(column), mcse_sd(column, CHAINS));
    vec![Compared::with_estimate(&theirs.name, ours, (theirs.sd, theirs.mcse_sd), squares)]
}

/// The share of our draws below their quantiles, less what it should be. Its own error is that of a mean; theirs is carried over
/// by our density there. What falls below grows as our quantile sinks, which is a matter of sign alone.
fn quantiles(theirs: &Quantity, column: &[f64]) -> Vec<Compared> {
    let window = WINDOW * sd(column);
    theirs
        .quantiles
        .iter()
        .map(|&(probability, quantile, error)| {
            let below: Vec<f64> =
                column.iter().map(|&value| f64::from(u8::from(value <= quantile))).collect();
            let near = column.iter().filter(|&&value| (value - quantile).abs() <= window).count();
            let density = near as f64 / column.len() as f64 / (2.0 * window);
            let name = format!("{} at {:.0} %", theirs.name, 100.0 * probability);
            let ours = (mean(&below), mcse_mean(&below, CHAINS));
            Compared::with_estimate(&name, ours, (probability, error * density), below)
        })
        .collect()
}
