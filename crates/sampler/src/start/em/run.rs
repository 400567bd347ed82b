//! One run of EM: E-steps and M-steps on whitened moments until convergence.

use nalgebra::DMatrix;

use super::regularity::DEGENERATE_EIGENVALUE;
use crate::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
use crate::mixture::transform::normalise;
use crate::mixture::triangular::{
    at, cholesky, invert, multiply, packed_len, product_with_transpose, rows, symmetric,
};
use crate::rounding::Rounding;

/// A run has converged when Aitken's estimate of the remaining gain is below this, in nats per observation.
const TOLERANCE: f64 = 1e-9;

/// Runs that are longer than this are accelerated: the short ones that rank starts are plain EM.
const ACCELERATED: usize = 30;

/// An accelerated run has converged when so many iterations that could tell, one after each extrapolation, have said so.
const SETTLED: usize = 2;

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

    /// Iterates until convergence, until a component degenerates, or for `max_iterations`. From the thirtieth on, every third iteration
    /// is followed by an extrapolation, which is undone if it lowers the likelihood.
    pub fn iterate(&mut self, max_iterations: usize) -> EmProgress {
        let tolerance = TOLERANCE * self.likelihood.n_observations() as f64;
        let ended =
            |log_likelihood, iterations, stop_reason| EmProgress { log_likelihood, iterations, stop_reason };
        let mut previous = f64::NEG_INFINITY;
        let mut previous_gain = None;
        let mut settled = 0;
        let mut path: Vec<EmState> = Vec::new();
        let mut before_extrapolation: Option<EmState> = None;
        for iterations in 0..max_iterations {
            let log_likelihood = self.expect();
            if let Some(before) = before_extrapolation.take() {
                if log_likelihood < previous || !log_likelihood.is_finite() {
                    self.state = before;
                    (previous, previous_gain) = (f64::NEG_INFINITY, None);
                    continue;
                }
                (previous, previous_gain) = (log_likelihood, None);
            } else {
                if !log_likelihood.is_finite() {
                    return ended(previous, iterations, StopReason::Degenerate);
                }
                let gain = log_likelihood - previous;
                if let Some(earlier) = previous_gain {
                    let is_settled = gain < tolerance && left(gain, earlier) < tolerance;
                    settled = if is_settled { settled + 1 } else { 0 };
                    // What is left where an extrapolation has just led is not yet a geometric series.
                    if settled == if iterations < ACCELERATED { 1 } else { SETTLED } {
                        return ended(log_likelihood, iterations, StopReason::Converged);
                    }
                }
                previous_gain = previous.is_finite().then_some(gain);
                previous = log_likelihood;
            }
            if iterations >= ACCELERATED {
                path.push(self.state.clone());
            }
            if !self.maximise() {
                return ended(log_likelihood, iterations, StopReason::Degenerate);
            }
            if let [_, first, second] = &path[..] {
                if let Some(extrapolated) = self.extrapolated(first, second) {
                    before_extrapolation = Some(std::mem::replace(&mut self.state, extrapolated));
                }
                path.clear();
            }
        }
        ended(previous, max_iterations, StopReason::OutOfIterations)
    }

    /// Where two iterations, from `first` to `second` to the state, lead if they go on as they do (SQUAREM, Varadhan & Roland 2008,
    /// Scandinavian Journal of Statistics 35, scheme S3): θ − 2αr + α²v with r the first step, v what the second differs from it
    /// by, and α = −|r| / |v|. `None` if that is no farther than the state.
    fn extrapolated(&self, first: &EmState, second: &EmState) -> Option<EmState> {
        let d = self.likelihood.n_features();
        let [start, middle, end] = [first, second, &self.state].map(|state| state.coordinates(d));
        let steps = start.iter().zip(&middle).zip(&end);
        let (squares, changes) = steps.fold((0.0, 0.0), |(squares, changes), ((a, b), c)| {
            (squares + (b - a).powi(2), changes + (c - 2.0 * b + a).powi(2))
        });
        let length = (squares / changes).sqrt();
        if !length.is_finite() || length <= 1.0 {
            return None;
        }
        let along = |((a, b), c): ((&f64, &f64), &f64)| {
            a + 2.0 * length * (b - a) + length * length * (c - 2.0 * b + a)
        };
        let mut state = self.state.clone();
        state.set_coordinates(d, &start.iter().zip(&middle).zip(&end).map(along).collect::<Vec<_>>());
        if let Some(rounding) = self.likelihood.rounding() {
            state.factors.chunks_exact_mut(packed_len(d)).for_each(|factor| keep_above(d, rounding, factor));
        }
        Some(state)
    }
}

/// What is left to gain if gains shrink like a geometric series: Aitken's gain · rate / (1 − rate) (Böhning et al. 1994).
fn left(gain: f64, earlier: f64) -> f64 {
    let rate = gain / earlier;
    if rate < 1.0 { gain * rate / (1.0 - rate) } else { f64::INFINITY }
}

impl EmState {
    /// Coordinates that may have any value: log weights, means, factors with the logarithms of their diagonals.
    fn coordinates(&self, d: usize) -> Vec<f64> {
        let mut factors = self.factors.clone();
        for factor in factors.chunks_exact_mut(packed_len(d)) {
            (0..d).for_each(|i| factor[at(i, i)] = libm::log(factor[at(i, i)]));
        }
        [&self.log_weights[..], &self.means, &factors].concat()
    }

    /// The weights are made to sum to one.
    fn set_coordinates(&mut self, d: usize, coordinates: &[f64]) {
        let k = self.log_weights.len();
        let (log_weights, others) = coordinates.split_at(k);
        let (means, factors) = others.split_at(k * d);
        self.log_weights.copy_from_slice(log_weights);
        normalise(&mut self.log_weights);
        self.means.copy_from_slice(means);
        self.factors.copy_from_slice(factors);
        for factor in self.factors.chunks_exact_mut(packed_len(d)) {
            (0..d).for_each(|i| factor[at(i, i)] = libm::exp(factor[at(i, i)]));
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

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;
    use crate::mixture::params::Mixture;

    /// Two components of one normal's observations: plain EM creeps, and its steps become no shorter for a long time.
    #[test]
    fn an_accelerated_run_ends_where_a_plain_one_does_and_sooner() {
        let truth = Mixture::from_covariances(1, &[0.5, 0.5], &[-1.0, 1.0], &[1.0; 2]).unwrap();
        let (data, _) = truth.simulate(500, &mut ChaCha8Rng::seed_from_u64(4));
        let likelihood = Likelihood::new(&data);
        let (mut workspace, mut moments) = (Workspace::new(2, 1), Moments::new(2, 1));
        let mut run = EmRun {
            likelihood: &likelihood,
            state: EmState {
                log_weights: vec![0.5f64.ln(); 2],
                means: vec![-1.5, 1.0],
                factors: vec![1.0, 0.8],
            },
            components: WhitenedComponents::new(2, 1),
            workspace: &mut workspace,
            moments: &mut moments,
        };
        let start = run.state.clone();
        let found = run.iterate(5000);
        assert_eq!(found.stop_reason, StopReason::Converged);
        run.state = start;
        let plain: Vec<f64> = (0..20_000)
            .map(|_| {
                let log_likelihood = run.expect();
                assert!(run.maximise());
                log_likelihood
            })
            .collect();
        assert_relative_eq!(found.log_likelihood, plain[plain.len() - 1], epsilon = 1e-5);
        let as_high = plain.iter().position(|&height| height >= found.log_likelihood - 1e-6).unwrap();
        assert!(found.iterations * 3 < as_high, "{} iterations instead of {as_high}", found.iterations);
    }
}
