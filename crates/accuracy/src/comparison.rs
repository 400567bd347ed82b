//! Comparisons of estimates with exact values or with other estimates, in units of Monte Carlo error, one group at a time.
//!
//! The covariance C of a group's z-scores is estimated by batch means, and so includes autocorrelation.

use gmm_sampler::diagnostics::{mcse_mean, mean, rhat, sd};
use nalgebra::{DMatrix, SymmetricEigen};

use crate::case::CaseReport;
use crate::check::{Check, CheckResult, Part};
use crate::stream::{Purpose, stream};
use crate::z_scores::{STATISTICS, Statistics, ZScores, simulate};

/// Batches per chain for the correlation of the estimates. Of a thousand draws, a batch has twenty, which is long compared with the
/// autocorrelation time of a few draws; four chains give two hundred batches.
const BATCHES: usize = 50;

/// Chains with a larger R-hat have not converged (Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021).
const RHAT: f64 = 1.01;

/// The difference of an estimate from the known answer.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) name: String,
    z: f64,
    /// Our standard error divided by that of the difference, from 0 to 1.
    share: f64,
    /// The contribution of each draw to our estimate, up to a constant and a positive factor.
    influence: Vec<f64>,
}

impl Difference {
    /// The mean of a chain-major column against its exact value.
    pub(crate) fn from_exact(name: &str, column: Vec<f64>, n_chains: usize, exact: f64) -> Self {
        let z = (mean(&column) - exact) / mcse_mean(&column, n_chains);
        Self { name: name.to_owned(), z, share: 1.0, influence: column }
    }

    /// An estimate against another estimate, each with its Monte Carlo error.
    pub(crate) fn from_estimates(
        name: &str,
        (ours, our_error): (f64, f64),
        (theirs, their_error): (f64, f64),
        influence: Vec<f64>,
    ) -> Self {
        let error = our_error.hypot(their_error);
        Self { name: name.to_owned(), z: (ours - theirs) / error, share: our_error / error, influence }
    }
}

/// Three checks of a group of differences, and their z-scores.
pub(crate) fn compare(
    part: Part,
    case: &str,
    group: &str,
    n_chains: usize,
    differences: &[Difference],
) -> CaseReport {
    let check = |result| Check { part, case: case.to_owned(), quantity: group.to_owned(), result };
    if let Some(undefined) = differences.iter().find(|difference| !difference.z.is_finite()) {
        let reason = format!("the z-score of {} is undefined", undefined.name);
        return CaseReport { checks: vec![check(CheckResult::Error { reason })], ..CaseReport::default() };
    }
    let z: Vec<f64> = differences.iter().map(|difference| difference.z).collect();
    let root = root(&covariance(differences, n_chains));
    let mut rng = stream(&format!("{case}: {group}"), Purpose::Null, 0);
    let null = simulate(&z, &root, &mut rng);
    let statistics = Statistics::new(&mut z.clone());
    let checks = STATISTICS
        .iter()
        .zip(statistics.0.iter().zip(null.p_values))
        .map(|(statistic, (&value, p_value))| check(CheckResult::Test { statistic, value, p_value }))
        .collect();
    let names = differences.iter().map(|difference| difference.name.clone()).collect();
    let z_scores =
        ZScores { part, case: case.to_owned(), group: group.to_owned(), names, z, envelope: null.envelope };
    CaseReport { checks, z_scores: vec![z_scores], ..CaseReport::default() }
}

/// The check that the chains converged. If they did not, standard errors and z-scores mean nothing.
pub(crate) fn convergence(part: Part, case: &str, n_chains: usize, columns: &[Vec<f64>]) -> Check {
    // Keep NaN, which a constant column has.
    let worse = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
    // Skip indicators: rank-normalised R-hat is undefined for one whose mean is exactly a half. Their quantity is a column too.
    let measured = columns.iter().filter(|column| !takes_two_values(column));
    let largest = measured.map(|column| rhat(column, n_chains)).fold(f64::NEG_INFINITY, worse);
    Check {
        part,
        case: case.to_owned(),
        quantity: "convergence".to_owned(),
        result: CheckResult::Bound { measure: "max R-hat", value: largest, bound: RHAT },
    }
}

fn takes_two_values(column: &[f64]) -> bool {
    let other = column.iter().find(|&&value| value != column[0]);
    other.is_some_and(|other| column.iter().all(|value| *value == column[0] || value == other))
}

/// The covariance C of the z-scores: the correlations of both programs' estimates, weighted by their shares of the standard errors.
/// The other program sampled the same posterior, so its estimates are assumed to have the same correlations as ours.
fn covariance(differences: &[Difference], n_chains: usize) -> DMatrix<f64> {
    let batches: Vec<Vec<f64>> =
        differences.iter().map(|difference| standardized_batches(&difference.influence, n_chains)).collect();
    let their_share = |difference: &Difference| (1.0 - difference.share * difference.share).max(0.0).sqrt();
    DMatrix::from_fn(differences.len(), differences.len(), |i, j| {
        let (a, b) = (&differences[i], &differences[j]);
        let correlation: f64 = batches[i].iter().zip(&batches[j]).map(|(x, y)| x * y).sum();
        correlation * (a.share * b.share + their_share(a) * their_share(b))
    })
}

/// Batch means, centred and scaled to a sum of squares of 1.
fn standardized_batches(column: &[f64], n_chains: usize) -> Vec<f64> {
    let n_draws = column.len() / n_chains;
    let length = (n_draws / BATCHES).max(1);
    let mut means: Vec<f64> =
        column.chunks_exact(n_draws).flat_map(|chain| chain.chunks_exact(length).map(mean)).collect();
    let centre = mean(&means);
    let scale = sd(&means) * ((means.len() - 1) as f64).sqrt();
    means.iter_mut().for_each(|value| *value = if scale > 0.0 { (*value - centre) / scale } else { 0.0 });
    means
}

/// A matrix R with R Rᵀ = `covariance`. By eigenvalues, because C can be singular: weights sum to one.
fn root(covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(covariance.clone());
    let mut root = eigenvectors;
    for (mut column, value) in root.column_iter_mut().zip(eigenvalues.iter()) {
        column *= value.max(0.0).sqrt();
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};

    /// Columns of 4 × 1000 independent draws, correlated between columns by a common part.
    fn columns(n: usize, common: f64, index: usize) -> Vec<Vec<f64>> {
        let mut rng = stream("columns", Purpose::Data, index);
        let shared: Vec<f64> = (0..4000).map(|_| StandardNormal.sample(&mut rng)).collect();
        let mut own = || -> f64 { StandardNormal.sample(&mut rng) };
        (0..n).map(|_| shared.iter().map(|shared| common * shared + own()).collect()).collect()
    }

    fn p_values(columns: Vec<Vec<f64>>, exact: f64) -> Vec<f64> {
        let differences: Vec<Difference> =
            columns.into_iter().map(|column| Difference::from_exact("x", column, 4, exact)).collect();
        let report = compare(Part::ClosedForms, "case", "group", 4, &differences);
        let p_value = |check: &Check| match check.result {
            CheckResult::Test { p_value, .. } => p_value,
            _ => f64::NAN,
        };
        report.checks.iter().map(p_value).collect()
    }

    #[test]
    fn p_values_of_correlated_estimates_are_uniform() {
        let trials: Vec<Vec<f64>> = (0..200).map(|trial| p_values(columns(10, 3.0, trial), 0.0)).collect();
        for statistic in 0..3 {
            for level in [0.1, 0.5] {
                let share =
                    trials.iter().filter(|p_values| p_values[statistic] <= level).count() as f64 / 200.0;
                let se: f64 = (level * (1.0 - level) / 200.0f64).sqrt();
                assert!((share - level).abs() < 4.0 * se, "{}: {share} at {level}", STATISTICS[statistic]);
            }
        }
    }

    #[test]
    fn every_statistic_detects_a_bias_of_a_tenth_of_a_standard_deviation() {
        assert!(p_values(columns(10, 0.0, 0), 0.1).iter().all(|&p_value| p_value < 1e-3));
    }

    #[test]
    fn a_constant_column_is_an_error_and_does_not_pass() {
        let report = compare(
            Part::ClosedForms,
            "case",
            "group",
            4,
            &[Difference::from_exact("x", vec![1.0; 4000], 4, 1.0)],
        );
        assert!(matches!(report.checks[0].result, CheckResult::Error { .. }));
        let check = convergence(Part::ClosedForms, "case", 4, &[vec![1.0; 4000], vec![0.0; 4000]]);
        let CheckResult::Bound { value, .. } = check.result else { unreachable!("a bound was asked for") };
        assert!(value.is_nan());
    }

    #[test]
    fn an_indicator_with_mean_one_half_does_not_fail_convergence() {
        let mut both = columns(1, 0.0, 0);
        both.push((0..4000).map(|draw| f64::from(draw % 2)).collect());
        let check = convergence(Part::ClosedForms, "case", 4, &both);
        assert!(check.result.value().is_some_and(|value| value < RHAT), "{check}");
    }
}
