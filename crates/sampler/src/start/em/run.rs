//! One run of EM: E-steps and M-steps on whitened moments until convergence.

use nalgebra::DMatrix;

use super::regularity::DEGENERATE_EIGENVALUE;
use crate::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
use crate::mixture::triangular::{
    at, cholesky, invert, multiply, packed_len, product_with_transpose, rows, symmetric,
};
use crate::rounding::Rounding;

/// A run has converged when Aitken's estimate of the remaining gain is below this, in nats per observation.
const TOLERANCE: f64 = 1e-9;

/// With a rounding error R, no covariance Σ is smaller than this share of R: it would tend to 0 without a limit.
pub(super) const SMALLEST_SHARE: f64 = 1e-3;

/// The parameters between two iterations, on the scale of the likelihood's data.
#[derive(Debug, Clone)]
pub struct EmState {
    /// K log weights.
    pub log_weights: Vec<f64>,
    /// K × D means.
    pub means: Vec<f64>,
    /// K packed factors T_k, Σ_k + R = T_k T_kᵀ, where R is the covariance of the rounding error, if there is one.
    pub factors: Vec<f64>,
}

/// One run of EM. All buffers must have the state's K and the likelihood's D.
pub struct EmRun<'a> {
    /// The likelihood to maximise.
    pub likelihood: &'a Likelihood,
    /// The current parameters.
    pub state: EmState,
    /// Buffer for the components.
    pub components: WhitenedComponents,
    /// Buffer of the passes over the data.
    pub workspace: &'a mut Workspace,
    /// Buffer for the moments.
    pub moments: &'a mut Moments,
}

/// How a run of EM went.
pub struct EmProgress {
    /// Log-likelihood in nats, at the parameters before the last M-step.
    pub log_likelihood: f64,
    /// Number of iterations.
    pub iterations: usize,
    /// Why the run ended.
    pub stop_reason: StopReason,
}

/// Why a run of EM ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Nothing is left to gain.
    Converged,
    /// It reached the largest number of iterations.
    OutOfIterations,
    /// A component's covariance became singular, or it lost its observations.
    Degenerate,
}

impl EmRun<'_> {
    /// E-step at the current parameters. Returns their log-likelihood.
    fn expect(&mut self) -> f64 {
        let d = self.likelihood.n_features();
        for k in 0..self.state.log_weights.len() {
            let factor = &self.state.factors[k * packed_len(d)..][..packed_len(d)];
            self.components.set(k, self.state.log_weights[k], &self.state.means[k * d..][..d], factor);
        }
        self.likelihood.log_likelihood_and_moments(&self.components, self.workspace, self.moments)
    }

    /// M-step from whitened moments: μ' = μ + T m and T' = T C, where m is the mean of z under the responsibilities and C Cᵀ
    /// their covariance. Both factors are triangular, so the covariance itself is never formed. With a rounding error R the
    /// covariance is the best one that is not smaller than R. Returns false if a component degenerates.
    fn maximise(&mut self) -> bool {
        let d = self.likelihood.n_features();
        let triangle = packed_len(d);
        let n = self.likelihood.n_observations() as f64;
        let mut covariance = vec![0.0; triangle];
        let mut factor = vec![0.0; triangle];
        let mut moved = vec![0.0; triangle];
        for k in 0..self.state.log_weights.len() {
            let count = self.moments.count(k);
            if count.is_nan() || count < (d + 1) as f64 * 0.5 {
                return false;
            }
            self.state.log_weights[k] = libm::log(count / n);
            let mean: Vec<f64> = self.moments.first(k).iter().map(|sum| sum / count).collect();
            for i in 0..d {
                for j in 0..=i {
                    covariance[at(i, j)] = self.moments.second(k)[at(i, j)] / count - mean[i] * mean[j];
                }
            }
            let rounding = self.likelihood.rounding();
            if rounding.is_some() {
                // Equal observations have no covariance: that of doubles, which is below any R.
                (0..d).for_each(|i| covariance[at(i, i)] += f64::EPSILON);
            }
            if cholesky(d, &covariance, &mut factor).is_err() {
                return false;
            }
            let current = &mut self.state.factors[k * triangle..][..triangle];
            for i in 0..d {
                let sum: f64 = (0..=i).map(|j| current[at(i, j)] * mean[j]).sum();
                self.state.means[k * d + i] += sum;
            }
            multiply(d, current, &factor, &mut moved);
            if let Some(rounding) = rounding {
                keep_above(d, rounding, &mut moved);
            }
            // T's smallest diagonal entry bounds the smallest eigenvalue of T Tᵀ from above.
            if (0..d).any(|i| moved[at(i, i)] * moved[at(i, i)] < 0.01 * DEGENERATE_EIGENVALUE) {
                return false;
            }
            current.copy_from_slice(&moved);
        }
        true
    }

    /// Iterates until convergence, until a component degenerates, or for `max_iterations`.
    pub fn iterate(&mut self, max_iterations: usize) -> EmProgress {
        let tolerance = TOLERANCE * self.likelihood.n_observations() as f64;
        let mut previous = f64::NEG_INFINITY;
        let mut previous_gain = f64::INFINITY;
        for iterations in 0..max_iterations {
            let log_likelihood = self.expect();
            let gain = log_likelihood - previous;
            // Aitken's acceleration: gains shrink like a geometric series, whose remainder is gain · rate / (1 − rate)
            // (Böhning et al. 1994).
            let rate = gain / previous_gain;
            let left = if rate < 1.0 { gain * rate / (1.0 - rate) } else { f64::INFINITY };
            if !log_likelihood.is_finite() {
                return EmProgress {
                    log_likelihood: previous,
                    iterations,
                    stop_reason: StopReason::Degenerate,
                };
            }
            if iterations > 1 && gain < tolerance && left < tolerance {
                return EmProgress { log_likelihood, iterations, stop_reason: StopReason::Converged };
            }
            (previous, previous_gain) = (log_likelihood, gain);
            if !self.maximise() {
                return EmProgress { log_likelihood, iterations, stop_reason: StopReason::Degenerate };
            }
        }
        EmProgress {
            log_likelihood: previous,
            iterations: max_iterations,
            stop_reason: StopReason::OutOfIterations,
        }
    }
}

/// Replaces the factor of a covariance S by that of the covariance C of highest likelihood among those with C ≥ (1 + ε) R.
///
/// In coordinates in which S is the identity and R diagonal, with entries λ, C is diagonal with entries max(1, (1 + ε) λ): along
/// each axis, a variance that is not below its limit.
fn keep_above(d: usize, rounding: &Rounding, factor: &mut [f64]) {
    let mut inverse = vec![0.0; packed_len(d)];
    invert(d, factor, &mut inverse);
    let relative = rounding.mapped_covariance(&rows(d, &inverse));
    let trace: f64 = (0..d).map(|i| relative[at(i, i)]).sum();
    if (1.0 + SMALLEST_SHARE) * trace <= 1.0 {
        return;
    }
    let eigen = symmetric(d, &relative).symmetric_eigen();
    let raised = eigen.eigenvalues.map(|value| ((1.0 + SMALLEST_SHARE) * value).max(1.0));
    let limited = &eigen.eigenvectors * DMatrix::from_diagonal(&raised) * eigen.eigenvectors.transpose();
    let packed: Vec<f64> =
        (0..d).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|place| limited[place]).collect();
    let mut root = vec![0.0; packed_len(d)];
    if cholesky(d, &packed, &mut root).is_ok() {
        let mut limited = vec![0.0; packed_len(d)];
        multiply(d, factor, &root, &mut limited);
        factor.copy_from_slice(&limited);
    }
}

/// The packed covariance Σ = T Tᵀ − R of a component with factor T.
pub(super) fn without_rounding(d: usize, factor: &[f64], rounding: &Rounding) -> Vec<f64> {
    let mut covariance = vec![0.0; packed_len(d)];
    product_with_transpose(d, factor, &mut covariance);
    covariance.iter_mut().zip(rounding.covariance()).for_each(|(entry, error)| *entry -= error);
    covariance
}
