//! Estimates against the truth, or against other estimates, in units of their Monte Carlo error, all of a group at once.
//!
//! The z-scores of one posterior are correlated: its parameters are, and all estimates come from the same draws. Under the null
//! hypothesis they are N(0, C), with C estimated from batch means, so autocorrelation included; what follows for the
//! largest |z|, for the mean z² and for the distance of the z's from the normal distribution is simulated.

use gmm_sampler::diagnostics::{mcse_mean, mean, rhat, sd};
use nalgebra::{DMatrix, SymmetricEigen};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::case::Outcome;
use crate::check::{Check, Evidence, Part};
use crate::special::normal_cdf;
use crate::stream::{Purpose, stream};

/// Batches per chain that the correlation of the estimates is taken from: of a thousand draws that forget within a few, twenty a
/// batch are long enough, and four chains give two hundred batches.
const BATCHES: usize = 50;

/// A p-value is simulated until this many simulations were as extreme (Besag & Clifford 1991, "Sequential Monte Carlo
/// p-values"), which leaves it an error of one part in seven, or until this many simulations.
const ENOUGH: usize = 50;
const SIMULATIONS: usize = 1_000_000;

/// Simulations behind a figure's envelope; as many are run when a bound has already settled the verdict.
const ENVELOPE_SIMULATIONS: usize = 2_000;

/// Bonferroni's bound on the p-value of the largest |z| below which nothing needs to be simulated to know the verdict.
const SETTLED: f64 = 1e-9;

/// R-hat above which chains have not mixed: VGSCB's recommendation (see `gmm_sampler::diagnostics`).
const RHAT: f64 = 1.01;

/// One estimate, compared.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    pub(crate) name: String,
    z: f64,
    /// Our share of the difference's standard error, from 0 to 1: the other share is the root of what is left of 1.
    share: f64,
    /// What each draw adds to our estimate, up to a constant and a positive factor.
    influence: Vec<f64>,
}

impl Compared {
    /// The mean of a chain-major column against its exact value.
    pub(crate) fn with_exact(name: &str, column: Vec<f64>, n_chains: usize, exact: f64) -> Self {
        let z = (mean(&column) - exact) / mcse_mean(&column, n_chains);
        Self { name: name.to_owned(), z, share: 1.0, influence: column }
    }

    /// An estimate with its Monte Carlo error against another that has one too.
    pub(crate) fn with_estimate(
        name: &str,
        (ours, our_error): (f64, f64),
        (theirs, their_error): (f64, f64),
        influence: Vec<f64>,
    ) -> Self {
        let error = our_error.hypot(their_error);
        Self { name: name.to_owned(), z: (ours - theirs) / error, share: our_error / error, influence }
    }
}

/// The z-scores of one group of estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct ZScores {
    pub part: Part,
    pub case: String,
    pub group: String,
    pub names: Vec<String>,
    pub z: Vec<f64>,
    /// For the sorted z-scores, the smallest first: the central 95 % of each under the null hypothesis.
    pub envelope: Vec<[f64; 2]>,
}

/// Three checks of a group of estimates, and their z-scores.
pub(crate) fn compare(
    part: Part,
    case: &str,
    group: &str,
    n_chains: usize,
    compared: &[Compared],
) -> Outcome {
    let check = |evidence| Check { part, case: case.to_owned(), quantity: group.to_owned(), evidence };
    if let Some(undefined) = compared.iter().find(|compared| !compared.z.is_finite()) {
        let reason = format!("{} has no z-score: its draws or their error are undefined", undefined.name);
        return Outcome { checks: vec![check(Evidence::Broken { reason })], ..Outcome::default() };
    }
    let z: Vec<f64> = compared.iter().map(|compared| compared.z).collect();
    let root = root(&covariance(compared, n_chains));
    let mut rng = stream(&format!("{case}: {group}"), Purpose::Null, 0);
    let null = simulate(&z, &root, &mut rng);
    let statistics = Statistics::of(&mut z.clone());
    let checks = NAMES
        .iter()
        .zip(statistics.0.iter().zip(null.p_values))
        .map(|(statistic, (&value, p_value))| check(Evidence::Test { statistic, value, p_value }))
        .collect();
    let names = compared.iter().map(|compared| compared.name.clone()).collect();
    let z_scores =
        ZScores { part, case: case.to_owned(), group: group.to_owned(), names, z, envelope: null.envelope };
    Outcome { checks, z_scores: vec![z_scores], ..Outcome::default() }
}

/// Whether chains agree: standard errors, and with them z-scores, mean nothing where they do not.
pub(crate) fn convergence(part: Part, case: &str, n_chains: usize, columns: &[Vec<f64>]) -> Check {
    // A NaN, of a column that stands still, must not be lost.
    let worse = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
    // R-hat of a share of draws is undefined where it is a half; the quantity that it is a share of is among the columns.
    let measured = columns.iter().filter(|column| !takes_two_values(column));
    let largest = measured.map(|column| rhat(column, n_chains)).fold(f64::NEG_INFINITY, worse);
    Check {
        part,
        case: case.to_owned(),
        quantity: "chains agree".to_owned(),
        evidence: Evidence::Bound { measure: "max R-hat", value: largest, bound: RHAT },
    }
}

fn takes_two_values(column: &[f64]) -> bool {
    let other = column.iter().find(|&&value| value != column[0]);
    other.is_some_and(|other| column.iter().all(|value| *value == column[0] || value == other))
}

/// C: the correlation of the estimates in both runs, weighed by each run's share of the difference's error. The other program's
/// estimates are taken to be correlated as ours are: it sampled the same posterior.
fn covariance(compared: &[Compared], n_chains: usize) -> DMatrix<f64> {
    let batches: Vec<Vec<f64>> =
        compared.iter().map(|compared| standardized_batches(&compared.influence, n_chains)).collect();
    let their_share = |compared: &Compared| (1.0 - compared.share * compared.share).max(0.0).sqrt();
    DMatrix::from_fn(compared.len(), compared.len(), |i, j| {
        let (a, b) = (&compared[i], &compared[j]);
        let correlation: f64 = batches[i].iter().zip(&batches[j]).map(|(x, y)| x * y).sum();
        correlation * (a.share * b.share + their_share(a) * their_share(b))
    })
}

/// Means of the batches, less their mean, scaled to a sum of squares of 1.
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

/// A matrix whose product with its transpose is `covariance`, which may be singular: weights add up to one.
fn root(covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(covariance.clone());
    let mut root = eigenvectors;
    for (mut column, value) in root.column_iter_mut().zip(eigenvalues.iter()) {
        column *= value.max(0.0).sqrt();
    }
    root
}

const NAMES: [&str; 3] = ["max |z|", "mean z²", "EDF W²"];

/// The largest |z|, the mean of z², and the Cramér–von Mises distance W² between the z's and the normal distribution.
struct Statistics([f64; 3]);

impl Statistics {
    /// Sorts the z-scores.
    fn of(z: &mut [f64]) -> Self {
        z.sort_unstable_by(f64::total_cmp);
        let n = z.len() as f64;
        let largest = f64::max(z[z.len() - 1], -z[0]);
        let square = z.iter().map(|z| z * z).sum::<f64>() / n;
        // W² = 1/(12 n) + Σ (Φ(z₍ᵢ₎) − (2i − 1)/(2n))² (Anderson & Darling 1954).
        let terms = z.iter().enumerate().map(|(i, &z)| {
            let difference = normal_cdf(z) - (2.0 * i as f64 + 1.0) / (2.0 * n);
            difference * difference
        });
        Self([largest, square, 1.0 / (12.0 * n) + terms.sum::<f64>()])
    }
}

/// What the null hypothesis says of the z-scores.
struct Null {
    p_values: [f64; 3],
    envelope: Vec<[f64; 2]>,
}

fn simulate(z: &[f64], root: &DMatrix<f64>, rng: &mut impl Rng) -> Null {
    let n = z.len();
    let observed = Statistics::of(&mut z.to_vec()).0;
    let bonferroni = 2.0 * n as f64 * normal_cdf(-observed[0]);
    let simulations = if bonferroni < SETTLED { ENVELOPE_SIMULATIONS } else { SIMULATIONS };
    let mut p_values = [f64::NAN; 3];
    let mut as_extreme = [0; 3];
    let mut sorted = Vec::with_capacity(ENVELOPE_SIMULATIONS);
    let (mut independent, mut simulated) = (vec![0.0; n], vec![0.0; n]);
    for count in 1..=simulations {
        independent.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
        simulated.fill(0.0);
        for (column, x) in root.column_iter().zip(&independent) {
            simulated.iter_mut().zip(column.iter()).for_each(|(sum, entry)| *sum += entry * x);
        }
        let statistics = Statistics::of(&mut simulated).0;
        for which in 0..3 {
            as_extreme[which] += usize::from(statistics[which] >= observed[which]);
            if as_extreme[which] == ENOUGH && p_values[which].is_nan() {
                p_values[which] = ENOUGH as f64 / count as f64;
            }
        }
        if count <= ENVELOPE_SIMULATIONS {
            sorted.push(simulated.clone());
        } else if p_values.iter().all(|p_value| !p_value.is_nan()) {
            break;
        }
    }
    for which in 0..3 {
        if p_values[which].is_nan() {
            p_values[which] = (as_extreme[which] + 1) as f64 / (simulations + 1) as f64;
        }
    }
    // Beyond what was simulated the bound is the better number, and never below the truth.
    p_values[0] = p_values[0].min(bonferroni);
    Null { p_values, envelope: envelope(&sorted) }
}

/// The central 95 % of each order statistic.
fn envelope(sorted: &[Vec<f64>]) -> Vec<[f64; 2]> {
    (0..sorted[0].len())
        .map(|i| {
            let mut values: Vec<f64> = sorted.iter().map(|z| z[i]).collect();
            values.sort_unstable_by(f64::total_cmp);
            [0.025, 0.975].map(|p| gmm_sampler::diagnostics::sorted_quantile(&values, p))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of 4 × 1000 independent draws that share a common part.
    fn columns(n: usize, common: f64, index: usize) -> Vec<Vec<f64>> {
        let mut rng = stream("columns", Purpose::Data, index);
        let shared: Vec<f64> = (0..4000).map(|_| StandardNormal.sample(&mut rng)).collect();
        let mut own = || -> f64 { StandardNormal.sample(&mut rng) };
        (0..n).map(|_| shared.iter().map(|shared| common * shared + own()).collect()).collect()
    }

    fn p_values(columns: Vec<Vec<f64>>, exact: f64) -> Vec<f64> {
        let compared: Vec<Compared> =
            columns.into_iter().map(|column| Compared::with_exact("x", column, 4, exact)).collect();
        let outcome = compare(Part::ClosedForms, "case", "group", 4, &compared);
        let p_value = |check: &Check| match check.evidence {
            Evidence::Test { p_value, .. } => p_value,
            _ => f64::NAN,
        };
        outcome.checks.iter().map(p_value).collect()
    }

    #[test]
    fn p_values_of_correlated_estimates_are_uniform() {
        let of_each: Vec<Vec<f64>> = (0..200).map(|trial| p_values(columns(10, 3.0, trial), 0.0)).collect();
        for statistic in 0..3 {
            for level in [0.1, 0.5] {
                let share =
                    of_each.iter().filter(|p_values| p_values[statistic] <= level).count() as f64 / 200.0;
                let se: f64 = (level * (1.0 - level) / 200.0f64).sqrt();
                assert!((share - level).abs() < 4.0 * se, "{}: {share} at {level}", NAMES[statistic]);
            }
        }
    }

    #[test]
    fn a_bias_of_a_tenth_of_a_standard_deviation_is_told_by_all() {
        assert!(p_values(columns(10, 0.0, 0), 0.1).iter().all(|&p_value| p_value < 1e-3));
    }

    #[test]
    fn a_column_that_stands_still_is_broken_and_not_passed() {
        let outcome = compare(
            Part::ClosedForms,
            "case",
            "group",
            4,
            &[Compared::with_exact("x", vec![1.0; 4000], 4, 1.0)],
        );
        assert!(matches!(outcome.checks[0].evidence, Evidence::Broken { .. }));
        let check = convergence(Part::ClosedForms, "case", 4, &[vec![1.0; 4000], vec![0.0; 4000]]);
        let Evidence::Bound { value, .. } = check.evidence else { unreachable!("a bound was asked for") };
        assert!(value.is_nan());
    }

    #[test]
    fn a_share_of_exactly_a_half_does_not_undo_convergence() {
        let mut both = columns(1, 0.0, 0);
        both.push((0..4000).map(|draw| f64::from(draw % 2)).collect());
        let check = convergence(Part::ClosedForms, "case", 4, &both);
        assert!(check.evidence.value().is_some_and(|value| value < RHAT), "{check}");
    }
}
