//! Whitened data, on which EM runs, and the way back to the data's own scale.

use super::optimum::{EmError, EmFit};
use super::regularity::{Regularity, smallest};
use super::run::{EmState, without_rounding};
use crate::data::{Data, Observations};
use crate::mixture::params::Mixture;
use crate::mixture::triangular::{
    at, cholesky, invert, multiply, packed_len, product_with_transpose, rows, symmetric,
};

/// The data with mean zero and identity covariance. On these EM does not depend on units, and thresholds on eigenvalues mean
/// the same for all data.
pub(super) struct Whitened {
    pub(super) data: Data,
    mean: Vec<f64>,
    /// Packed Cholesky factor of the data's covariance (denominator N).
    factor: Vec<f64>,
}

impl Whitened {
    pub(super) fn new(data: &Data) -> Result<Self, EmError> {
        let (n, d) = (data.n_observations(), data.n_features());
        let (mean, factor) = mean_and_factor(data)?;
        let mut inverse = vec![0.0; packed_len(d)];
        invert(d, &factor, &mut inverse);
        let columns: Vec<Vec<f64>> = (0..d)
            .map(|i| {
                (0..n)
                    .map(|row| (0..=i).map(|j| inverse[at(i, j)] * (data.feature(j)[row] - mean[j])).sum())
                    .collect()
            })
            .collect();
        let rounding = data.rounding().and_then(|rounding| rounding.mapped(&rows(d, &inverse)));
        let data = Data::from_columns(&columns).map_err(|_| EmError::Collinear { feature: d - 1 })?;
        Ok(Self { data: data.with_rounding(rounding), mean, factor })
    }

    /// The given rows, in the same coordinates.
    pub(super) fn select_rows(&self, rows: &[usize]) -> Self {
        Self { data: self.data.rows(rows), mean: self.mean.clone(), factor: self.factor.clone() }
    }

    /// The fit on the data's own scale.
    pub(super) fn restore(&self, state: &EmState, log_likelihood: f64, iterations: usize) -> EmFit {
        let (d, k) = (self.data.n_features(), state.log_weights.len());
        let triangle = packed_len(d);
        let mut means = Vec::with_capacity(k * d);
        let mut covariances = vec![0.0; k * triangle];
        let n = self.data.n_observations() as f64;
        let weights: Vec<f64> = state.log_weights.iter().map(|&log_weight| libm::exp(log_weight)).collect();
        // Expected observations, divided by the number that a covariance needs.
        let counts: Vec<f64> = weights.iter().map(|weight| weight * n / (d + 1) as f64).collect();
        let rounding = self.data.rounding();
        let mut eigenvalues = Vec::with_capacity(k);
        for component in 0..k {
            let mean = &state.means[component * d..][..d];
            for i in 0..d {
                let sum: f64 = (0..=i).map(|j| self.factor[at(i, j)] * mean[j]).sum();
                means.push(self.mean[i] + sum);
            }
            let factor = &state.factors[component * triangle..][..triangle];
            eigenvalues.push(smallest_eigenvalue(d, factor));
            let mut exact = factor.to_vec();
            if let Some(rounding) = &rounding {
                // If this fails, the covariance is 0 below, and the mixture an error.
                let covariance = without_rounding(d, factor, rounding);
                cholesky(d, &covariance, &mut exact).unwrap_or_else(|_| exact.fill(0.0));
            }
            let mut restored = vec![0.0; triangle];
            multiply(d, &self.factor, &exact, &mut restored);
            product_with_transpose(d, &restored, &mut covariances[component * triangle..][..triangle]);
        }
        let log_scale: f64 = (0..d).map(|i| libm::log(self.factor[at(i, i)])).sum();
        let mixture = Mixture::from_covariances(d, &weights, &means, &covariances);
        let regularity = match mixture {
            Ok(_) => Regularity::classify(&eigenvalues, &counts),
            Err(_) => Regularity::Degenerate,
        };
        EmFit {
            mixture: mixture.unwrap_or_else(|_| Mixture::standard(k, d)),
            log_likelihood: log_likelihood - n * log_scale,
            regularity,
            min_eigenvalue: smallest(&eigenvalues),
            min_count: smallest(&counts) * (d + 1) as f64,
            iterations,
        }
    }
}

fn smallest_eigenvalue(d: usize, factor: &[f64]) -> f64 {
    let mut covariance = vec![0.0; packed_len(d)];
    product_with_transpose(d, factor, &mut covariance);
    symmetric(d, &covariance).symmetric_eigenvalues().min()
}

/// The mean, and the packed Cholesky factor of the covariance (denominator N).
pub(super) fn mean_and_factor(data: &Data) -> Result<(Vec<f64>, Vec<f64>), EmError> {
    let (n, d) = (data.n_observations(), data.n_features());
    let mean: Vec<f64> = (0..d).map(|i| data.feature(i).iter().map(|value| value / n as f64).sum()).collect();
    let spread: Vec<f64> = (0..d)
        .map(|i| data.feature(i).iter().map(|value| (value - mean[i]).abs()).fold(0.0, f64::max))
        .collect();
    let mut correlation = vec![0.0; packed_len(d)];
    for i in 0..d {
        for j in 0..=i {
            let products = data.feature(i).iter().zip(data.feature(j));
            let sum: f64 =
                products.map(|(a, b)| ((a - mean[i]) / spread[i]) * ((b - mean[j]) / spread[j])).sum();
            correlation[at(i, j)] = sum / n as f64;
        }
    }
    let mut factor = vec![0.0; packed_len(d)];
    cholesky(d, &correlation, &mut factor).map_err(|feature| EmError::Collinear { feature })?;
    for i in 0..d {
        // A pivot this small is a rounding error.
        if factor[at(i, i)] < 1e-7 * correlation[at(i, i)].sqrt() {
            return Err(EmError::Collinear { feature: i });
        }
        factor[at(i, 0)..=at(i, i)].iter_mut().for_each(|entry| *entry *= spread[i]);
    }
    Ok((mean, factor))
}
