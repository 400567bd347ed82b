//! The overlap of components: the probabilities that an observation of one is assigned to another.

mod quadratic_form;

use nalgebra::{DMatrix, SymmetricEigen};

use super::params::Mixture;
use super::triangular::{at, invert, multiply, packed_len};
use quadratic_form::QuadraticForm;

/// Misclassification probabilities of a mixture with K components (Maitra & Melnykov 2010, section 2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    n_components: usize,
    /// K × K, row i, column j: ω_{j|i}; the diagonal is 0.
    misclassification: Vec<f64>,
}

impl Overlap {
    /// Computes the probabilities for all pairs of components.
    #[must_use]
    pub fn from_mixture(mixture: &Mixture) -> Self {
        Pairs::from_mixture(mixture).overlap(1.0)
    }

    /// ω_{j|i} = P(w_j φ_j(Y) > w_i φ_i(Y)), Y from component i: the probability that component j is more probable than i for
    /// an observation of i. Accurate to 1e-8; NaN if its integral did not converge.
    #[must_use]
    pub fn misclassification(&self, i: usize, j: usize) -> f64 {
        self.misclassification[i * self.n_components + j]
    }

    /// ω_{j|i} + ω_{i|j}: the overlap of two components.
    #[must_use]
    pub fn pair(&self, i: usize, j: usize) -> f64 {
        self.misclassification(i, j) + self.misclassification(j, i)
    }

    fn pairs(&self) -> impl Iterator<Item = f64> {
        (0..self.n_components).flat_map(move |i| (0..i).map(move |j| self.pair(i, j)))
    }

    /// Mean overlap of all pairs; 0 for a single component.
    #[must_use]
    pub fn average(&self) -> f64 {
        let n_pairs = self.n_components * (self.n_components - 1) / 2;
        self.pairs().sum::<f64>() / n_pairs.max(1) as f64
    }

    /// Largest overlap of any pair; 0 for a single component, NaN if any pair's is NaN.
    #[must_use]
    pub fn maximum(&self) -> f64 {
        self.pairs().fold(0.0, |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { f64::max(a, b) })
    }
}

/// The ordered pairs of a mixture's components, in terms that do not change if all covariances are multiplied by one factor.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    n_components: usize,
    /// In the order of (i, j), i ≠ j.
    pairs: Vec<Pair>,
}

/// Component j in coordinates in which component i is standard normal, along the axes of j's covariance.
#[derive(Debug, Clone)]
struct Pair {
    /// λ_l, the eigenvalues of T_iᵀ Σ_j⁻¹ T_i.
    eigenvalues: Vec<f64>,
    /// δ_l, the coordinates of T_i⁻¹ (μ_i − μ_j).
    shifts: Vec<f64>,
    /// 2 log(w_j / w_i) + Σ log λ_l.
    threshold: f64,
}

impl Pairs {
    pub(super) fn from_mixture(mixture: &Mixture) -> Self {
        let (n_components, d) = (mixture.n_components(), mixture.n_features());
        let factors: Vec<Vec<f64>> = (0..n_components).map(|k| mixture.scale_factor(k)).collect();
        let inverses: Vec<Vec<f64>> = factors
            .iter()
            .map(|factor| {
                let mut inverse = vec![0.0; packed_len(d)];
                invert(d, factor, &mut inverse);
                inverse
            })
            .collect();
        let mut pairs = Vec::with_capacity(n_components * n_components.saturating_sub(1));
        for i in 0..n_components {
            for j in (0..n_components).filter(|&j| j != i) {
                let mut relative = vec![0.0; packed_len(d)];
                multiply(d, &inverses[j], &factors[i], &mut relative);
                let relative =
                    DMatrix::from_fn(
                        d,
                        d,
                        |row, column| if column <= row { relative[at(row, column)] } else { 0.0 },
                    );
                let SymmetricEigen { eigenvalues, eigenvectors } =
                    (relative.transpose() * relative).symmetric_eigen();
                let difference: Vec<f64> =
                    mixture.mean(i).iter().zip(mixture.mean(j)).map(|(a, b)| a - b).collect();
                let whitened =
                    |row: usize| (0..=row).map(|l| inverses[i][at(row, l)] * difference[l]).sum::<f64>();
                let whitened: Vec<f64> = (0..d).map(whitened).collect();
                let along = |axis: usize| (0..d).map(|row| eigenvectors[(row, axis)] * whitened[row]).sum();
                // Positive in exact arithmetic; may round to 0 for a nearly singular covariance.
                let eigenvalues: Vec<f64> =
                    eigenvalues.iter().map(|value| value.max(f64::MIN_POSITIVE)).collect();
                let log_determinant: f64 = eigenvalues.iter().map(|&value| libm::log(value)).sum();
                let log_odds = mixture.log_weights[j] - mixture.log_weights[i];
                pairs.push(Pair {
                    shifts: (0..d).map(along).collect(),
                    threshold: 2.0 * log_odds + log_determinant,
                    eigenvalues,
                });
            }
        }
        Self { n_components, pairs }
    }

    /// The overlap after all covariances are multiplied by `factor`. An infinite factor makes all means coincide.
    pub(super) fn overlap(&self, factor: f64) -> Overlap {
        let k = self.n_components;
        let mut misclassification = vec![0.0; k * k];
        let places = (0..k).flat_map(|i| (0..k).filter(move |&j| j != i).map(move |j| i * k + j));
        for (place, pair) in places.zip(&self.pairs) {
            misclassification[place] = pair.misclassification(factor);
        }
        Overlap { n_components: k, misclassification }
    }
}

impl Pair {
    /// Maitra & Melnykov (2010), theorem 2.1, with each λ_l (Z_l + δ_l)² − Z_l² multiplied out instead of divided by λ_l − 1,
    /// so that equal variances along an axis are no special case: Σ (λ_l − 1) Z_l² + 2 λ_l δ_l Z_l < threshold − Σ λ_l δ_l².
    fn misclassification(&self, factor: f64) -> f64 {
        let shrink = 1.0 / factor.sqrt();
        let shifts: Vec<f64> = self.shifts.iter().map(|shift| shift * shrink).collect();
        let terms = || self.eigenvalues.iter().zip(&shifts);
        let distance: f64 = terms().map(|(lambda, shift)| lambda * shift * shift).sum();
        QuadraticForm {
            squares: self.eigenvalues.iter().map(|lambda| lambda - 1.0).collect(),
            linear: terms().map(|(lambda, shift)| 2.0 * lambda * shift).collect(),
        }
        .probability_below(self.threshold - distance)
    }
}

#[cfg(test)]
mod tests;
