//! Recorded values are rounded: y = round(x) for an x that was never seen.
//!
//! A feature recorded in steps of δ has a rounding error of variance δ²/12 (Sheppard 1898), nearly independent of x if δ is no
//! larger than a few σ. A component's density of the recorded values is then MVN(y | μ, Σ + diag(δ²/12)). It is bounded, so
//! that every proper prior gives a proper posterior, ties or not.

use crate::mixture::triangular::{at, packed_len};

/// The covariance R of the rounding error of D features, on the scale of some observations.
#[derive(Debug, Clone, PartialEq)]
pub struct Rounding {
    n_features: usize,
    /// Packed lower triangle of R.
    covariance: Vec<f64>,
    /// Packed lower triangle G, G Gᵀ = R. Columns of exact features are 0.
    factor: Vec<f64>,
}

impl Rounding {
    /// The rounding error of features recorded in steps δ (length D, in the data's units), 0 where values are exact. `None` if
    /// all are.
    ///
    /// # Panics
    /// If a step is negative or not finite.
    #[must_use]
    pub fn from_steps(steps: &[f64]) -> Option<Self> {
        assert!(
            steps.iter().all(|step| *step >= 0.0 && step.is_finite()),
            "steps are finite and not negative"
        );
        let mut covariance = vec![0.0; packed_len(steps.len())];
        steps.iter().enumerate().for_each(|(i, step)| covariance[at(i, i)] = step * step / 12.0);
        Self::from_covariance(steps.len(), covariance)
    }

    /// `None` if the covariance is 0.
    fn from_covariance(n_features: usize, covariance: Vec<f64>) -> Option<Self> {
        if covariance.iter().all(|entry| *entry == 0.0) {
            return None;
        }
        let factor = semidefinite_factor(n_features, &covariance);
        Some(Self { n_features, covariance, factor })
    }

    /// Packed lower triangle of R.
    #[must_use]
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// Whether the values of a feature are rounded.
    #[must_use]
    pub fn is_rounded(&self, feature: usize) -> bool {
        self.covariance[at(feature, feature)] > 0.0
    }

    /// The columns of G that are not 0, each with its index: column i has entries from row i on.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, Vec<f64>)> {
        let d = self.n_features;
        (0..d)
            .map(move |j| (j, (j..d).map(|i| self.factor[at(i, j)]).collect::<Vec<f64>>()))
            .filter(|(_, column)| column.iter().any(|entry| *entry != 0.0))
    }

    /// The error of A y instead of y, for a matrix A given by its rows.
    #[must_use]
    pub fn mapped(&self, rows: &[Vec<f64>]) -> Option<Self> {
        Self::from_covariance(self.n_features, self.mapped_covariance(rows))
    }

    /// A R Aᵀ, packed.
    pub(crate) fn mapped_covariance(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let d = self.n_features;
        // Rows of A G.
        let product: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| (0..d).map(|j| (j..d).map(|i| row[i] * self.factor[at(i, j)]).sum()).collect())
            .collect();
        let mut covariance = vec![0.0; packed_len(d)];
        for i in 0..d {
            for j in 0..=i {
                covariance[at(i, j)] = product[i].iter().zip(&product[j]).map(|(a, b)| a * b).sum();
            }
        }
        covariance
    }

    /// Replaces a packed factor T by that of T Tᵀ + R, with Givens rotations: nothing is subtracted, so that no digit of a small
    /// Σ is lost.
    pub fn widen(&self, factor: &mut [f64]) {
        for (first, mut column) in self.columns() {
            for k in first..self.n_features {
                let diagonal = factor[at(k, k)];
                let length = libm::hypot(diagonal, column[k - first]);
                let (cosine, sine) = (diagonal / length, column[k - first] / length);
                for i in k..self.n_features {
                    let (entry, rest) = (factor[at(i, k)], column[i - first]);
                    factor[at(i, k)] = cosine * entry + sine * rest;
                    column[i - first] = cosine * rest - sine * entry;
                }
            }
        }
    }
}

/// G with G Gᵀ = R for a positive semi-definite R, both packed. A pivot that is a rounding error counts as 0.
fn semidefinite_factor(d: usize, covariance: &[f64]) -> Vec<f64> {
    let mut factor = vec![0.0; packed_len(d)];
    for j in 0..d {
        let square = |i: usize, l: usize, factor: &[f64]| factor[at(i, l)] * factor[at(j, l)];
        let pivot = covariance[at(j, j)] - (0..j).map(|l| square(j, l, &factor)).sum::<f64>();
        if pivot <= 1e-12 * covariance[at(j, j)] {
            continue;
        }
        let root = pivot.sqrt();
        for i in j..d {
            let sum: f64 = (0..j).map(|l| square(i, l, &factor)).sum();
            factor[at(i, j)] = (covariance[at(i, j)] - sum) / root;
        }
    }
    factor
}

/// Differences of recorded values that are below this share of the largest value are rounding errors of doubles.
const DOUBLE_ERROR: f64 = 1e-9;

/// The step in which a feature was recorded, in its units: the greatest common divisor of the differences between its values. 0
/// if no value repeats, or if all are equal. If values repeat but have no common step, the smallest difference.
///
/// The step of shifted or rescaled values is the rescaled step.
#[must_use]
pub fn recorded_step(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let largest = sorted.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let tolerance = DOUBLE_ERROR * largest;
    let gaps: Vec<f64> =
        sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > tolerance).collect();
    let repeats = gaps.len() + 1 < sorted.len();
    let Some(smallest) = gaps.iter().copied().reduce(f64::min).filter(|_| repeats) else { return 0.0 };
    // Euclid's algorithm; remainders are the least absolute ones.
    let mut step = smallest;
    for &gap in &gaps {
        let (mut a, mut b) = (gap, step);
        while b > tolerance {
            (a, b) = (b, (a - (a / b).round() * b).abs());
        }
        step = a;
        if step < 100.0 * tolerance {
            return smallest;
        }
    }
    step
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::mixture::triangular::product_with_transpose;

    #[test]
    fn the_step_of_recorded_values_is_found_in_any_unit() {
        let values: Vec<f64> = [1.4, 1.3, 1.4, 1.9, 2.2, 0.7].to_vec();
        assert_relative_eq!(recorded_step(&values), 0.1, max_relative = 1e-9);
        let inches: Vec<f64> = values.iter().map(|value| (value - 0.613) / 2.54).collect();
        assert_relative_eq!(recorded_step(&inches), 0.1 / 2.54, max_relative = 1e-7);
        assert_relative_eq!(recorded_step(&[10.0, 30.0, 30.0, 60.0]), 10.0);
        assert_relative_eq!(recorded_step(&[0.25, 0.75, 0.25, 1.75]), 0.5);
    }

    #[test]
    fn exact_values_have_no_step() {
        assert_eq!(recorded_step(&[0.1, 0.2, 0.4]), 0.0);
        assert_eq!(recorded_step(&[3.0, 3.0]), 0.0);
        assert_eq!(recorded_step(&[2.5]), 0.0);
    }

    #[test]
    fn repeated_values_without_a_common_step_have_the_smallest_difference() {
        let values = [0.0, 0.0, 0.0, 5.0 + 1.0 / 3.0, 5.0, 4.0 + std::f64::consts::FRAC_1_SQRT_2];
        assert_relative_eq!(
            recorded_step(&values),
            1.0 - std::f64::consts::FRAC_1_SQRT_2,
            max_relative = 1e-12
        );
    }

    proptest! {
        #[test]
        fn a_widened_factor_is_that_of_the_sum(
            entries in prop::collection::vec(-1.0..1.0f64, 6),
            log_scale in -30.0..3.0f64,
            steps in prop::collection::vec(0.0..2.0f64, 3),
            exact in 0usize..4,
        ) {
            let mut factor = entries.clone();
            (0..3).for_each(|i| factor[at(i, i)] = 0.1 + factor[at(i, i)].abs());
            factor.iter_mut().for_each(|entry| *entry *= log_scale.exp());
            let mut steps = steps;
            if exact < 3 { steps[exact] = 0.0; }
            let Some(rounding) = Rounding::from_steps(&steps) else { return Ok(()) };
            let rows = vec![vec![1.0, 0.5, -0.2], vec![0.1, 2.0, 0.0], vec![-0.3, 0.4, 0.8]];
            for rounding in [rounding.clone(), rounding.mapped(&rows).unwrap()] {
                let (mut before, mut after) = (vec![0.0; 6], vec![0.0; 6]);
                product_with_transpose(3, &factor, &mut before);
                let mut widened = factor.clone();
                rounding.widen(&mut widened);
                product_with_transpose(3, &widened, &mut after);
                let scale: f64 = after.iter().fold(0.0, |largest, entry| largest.max(entry.abs()));
                for i in 0..6 {
                    prop_assert!((after[i] - before[i] - rounding.covariance()[i]).abs() < 1e-12 * scale);
                }
            }
        }
    }
}
