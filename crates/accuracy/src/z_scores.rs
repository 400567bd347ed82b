//! The z-scores of a group of estimates, and their joint distribution if the sampler is correct.
//!
//! The z-scores of one posterior are correlated, because its parameters are and because all estimates come from the same draws.
//! If the sampler is correct they are N(0, C). The distribution of three statistics under N(0, C) is simulated.

use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::check::Part;
use crate::normal;

/// A p-value is simulated until this many simulations are as extreme as the observation (Besag & Clifford 1991, "Sequential Monte
/// Carlo p-values"). Its relative standard error is then one in seven.
const ENOUGH: usize = 50;

/// Simulations after which a p-value's simulation stops in any case.
const SIMULATIONS: usize = 1_000_000;

/// Simulations for the envelope of a figure. No more are run if Bonferroni's bound has settled the verdict.
const ENVELOPE_SIMULATIONS: usize = 2_000;

/// If Bonferroni's bound on the p-value of the largest |z| is below this, the check fails whatever a simulation says.
const SETTLED: f64 = 1e-9;

/// The z-scores of one group of estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct ZScores {
    pub part: Part,
    pub case: String,
    pub group: String,
    /// The name of each estimate.
    pub names: Vec<String>,
    /// The z-score of each estimate, in the order of the names.
    pub z: Vec<f64>,
    /// The central 95 % of each order statistic of the z-scores, smallest first, if the sampler is correct.
    pub envelope: Vec<[f64; 2]>,
}

impl ZScores {
    /// The normal quantiles that the sorted z-scores are plotted against: Φ⁻¹((i − ½) / n), i = 1 … n.
    #[must_use]
    pub fn normal_quantiles(&self) -> Vec<f64> {
        let n = self.z.len() as f64;
        (0..self.z.len()).map(|i| normal::quantile((i as f64 + 0.5) / n)).collect()
    }
}

/// The names of [`Statistics`].
pub(crate) const STATISTICS: [&str; 3] = ["max |z|", "mean z²", "Cramér–von Mises"];

/// The largest |z|, the mean of z², and Cramér and von Mises' distance W² of the z-scores from the standard normal distribution.
pub(crate) struct Statistics(pub(crate) [f64; 3]);

impl Statistics {
    /// Sorts the z-scores in place.
    pub(crate) fn new(z: &mut [f64]) -> Self {
        z.sort_unstable_by(f64::total_cmp);
        let n = z.len() as f64;
        let largest = f64::max(z[z.len() - 1], -z[0]);
        let square = z.iter().map(|z| z * z).sum::<f64>() / n;
        // W² = 1/(12 n) + Σ (Φ(z₍ᵢ₎) − (2i − 1)/(2n))² (Anderson & Darling 1954).
        let terms = z.iter().enumerate().map(|(i, &z)| {
            let difference = normal::cdf(z) - (2.0 * i as f64 + 1.0) / (2.0 * n);
            difference * difference
        });
        Self([largest, square, 1.0 / (12.0 * n) + terms.sum::<f64>()])
    }
}

/// The null distribution N(0, C), compared with the observed z-scores.
pub(crate) struct Null {
    pub(crate) p_values: [f64; 3],
    pub(crate) envelope: Vec<[f64; 2]>,
}

/// Simulates N(0, C), where C is `root` times its transpose.
pub(crate) fn simulate(z: &[f64], root: &DMatrix<f64>, rng: &mut impl Rng) -> Null {
    let n = z.len();
    let observed = Statistics::new(&mut z.to_vec()).0;
    let bonferroni = 2.0 * n as f64 * normal::cdf(-observed[0]);
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
        let statistics = Statistics::new(&mut simulated).0;
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
    // For very small p-values the bound is more precise than the simulation, and it never understates the p-value.
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
