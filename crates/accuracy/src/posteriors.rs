//! Three real posteriors against long runs of another program, parameter by parameter.

mod tables;

use gmm_sampler::data::Data;
use gmm_sampler::diagnostics::{mcse_mean, mcse_sd, mean, sd};
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use libm::{exp, log};

use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::Part;
use crate::comparison::{Difference, compare, convergence};
use crate::problem::{CHAINS, Problem, join_chains};
use tables::Quantity;
pub(crate) use tables::{BLOBS, FAITHFUL, IRIS, ReferenceTables};

/// Half the width, in standard deviations, of the window that estimates a column's density at a quantile. The density affects only
/// the smaller part of the standard error.
const WINDOW: f64 = 0.2;

/// A posterior with reference tables.
pub(crate) struct ReferencePosterior {
    tables: ReferenceTables,
    problem: Problem,
    /// The points at which predictive densities are compared.
    points: Likelihood,
    draws: usize,
}

impl ReferencePosterior {
    /// # Panics
    /// If the embedded tables are damaged.
    pub(crate) fn new(tables: ReferenceTables, draws: usize) -> Self {
        let problem = tables.problem();
        let points: Vec<Vec<f64>> = tables.predictions().into_iter().map(|(point, _)| point).collect();
        let columns: Vec<Vec<f64>> =
            (0..problem.layout.n_features).map(|d| points.iter().map(|point| point[d]).collect()).collect();
        let points =
            Likelihood::new(&Data::from_columns(&columns).expect("the reference's points are finite"));
        Self { tables, problem, points, draws }
    }

    /// Parameters, sorted weights, log-likelihood and log joint density, in the order of the tables; then log predictive densities.
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

    /// The log prior density of the constrained parameters, where correlations are given by Cholesky factors.
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

    fn group(&self, name: &str, differences: &[Difference]) -> CaseReport {
        compare(Part::Posteriors, self.tables.name, name, CHAINS, differences)
    }
}

impl Case for ReferencePosterior {
    fn part(&self) -> Part {
        Part::Posteriors
    }

    fn name(&self) -> &str {
        self.tables.name
    }

    fn n_tasks(&self) -> usize {
        CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        self.problem.run_case_chain(self.name(), task, self.draws, |mixture, _| self.measure(mixture))
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        let columns = join_chains(results);
        let quantities = self.tables.quantities();
        let n_parameters =
            Mixture::variables(self.problem.layout.n_components, self.problem.layout.n_features).len();
        let check = convergence(Part::Posteriors, self.name(), CHAINS, &columns);
        let mut report = CaseReport { checks: vec![check], ..CaseReport::default() };
        for (kind, range) in
            [("parameters", 0..n_parameters), ("label-invariant", n_parameters..quantities.len())]
        {
            let each = |compare: fn(&Quantity, &[f64]) -> Vec<Difference>| -> Vec<Difference> {
                range.clone().flat_map(|index| compare(&quantities[index], &columns[index])).collect()
            };
            report.extend(self.group(&format!("{kind}: means"), &each(means)));
            report.extend(self.group(&format!("{kind}: spreads"), &each(standard_deviations)));
            report.extend(self.group(&format!("{kind}: quantiles"), &each(quantiles)));
        }
        let predictions = self.tables.predictions();
        let differences: Vec<Difference> = predictions
            .iter()
            .zip(&columns[quantities.len()..])
            .enumerate()
            .flat_map(|(index, ((_, [mean_log, mean_log_error, log_mean, log_mean_error]), column))| {
                let densities: Vec<f64> = column.iter().map(|&value| exp(value)).collect();
                let average = mean(&densities);
                [
                    Difference::from_estimates(
                        &format!("log p[{index}]"),
                        (mean(column), mcse_mean(column, CHAINS)),
                        (*mean_log, *mean_log_error),
                        column.clone(),
                    ),
                    Difference::from_estimates(
                        &format!("p[{index}]"),
                        (log(average), mcse_mean(&densities, CHAINS) / average),
                        (*log_mean, *log_mean_error),
                        densities,
                    ),
                ]
            })
            .collect();
        report.extend(self.group("predictive densities", &differences));
        report
    }
}

fn means(theirs: &Quantity, column: &[f64]) -> Vec<Difference> {
    let ours = (mean(column), mcse_mean(column, CHAINS));
    vec![Difference::from_estimates(&theirs.name, ours, (theirs.mean, theirs.mcse_mean), column.to_vec())]
}

fn standard_deviations(theirs: &Quantity, column: &[f64]) -> Vec<Difference> {
    let centre = mean(column);
    let squares = column.iter().map(|value| (value - centre) * (value - centre)).collect();
    let ours = (sd(column), mcse_sd(column, CHAINS));
    vec![Difference::from_estimates(&theirs.name, ours, (theirs.sd, theirs.mcse_sd), squares)]
}

/// The share of our draws below each of their quantiles against the quantile's probability. Our standard error is that of a mean;
/// theirs is multiplied by our density at the quantile.
fn quantiles(theirs: &Quantity, column: &[f64]) -> Vec<Difference> {
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
            Difference::from_estimates(&name, ours, (probability, error * density), below)
        })
        .collect()
}
