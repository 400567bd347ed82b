//! The mode of a log density and its curvature there: where chains start, and the metric they start with.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::log_density::LogDensity;
use crate::mixture::triangular::{at, cholesky, invert, packed_len};
use crate::nuts::metric::{DENSE_LIMIT, Metric};
use crate::simd::dot;

/// Pairs of steps and gradient changes that the search remembers; more gained nothing on mixtures of a few hundred
/// parameters (Nocedal & Wright 2006 recommend 3 to 20).
const MEMORY: usize = 12;
const MAX_ITERATIONS: usize = 500;

/// Largest change of any coordinate in one step. Coordinates are logarithms or of the data's own spread, so that a longer
/// step would leave the basin that the search started in, perhaps for the spike of tied observations.
const LONGEST_STEP: f64 = 0.5;

/// The search has arrived where the gradient promises less than this many nats.
const TOLERANCE: f64 = 1e-8;

/// Smallest curvature that is believed, as standard deviation 7: directions in which the density is flat, or curved the wrong
/// way, get a bounded scale, and the warm-up has the rest.
const MIN_CURVATURE: f64 = 0.02;

/// Step of the central differences of the gradient: cube root of the machine precision, where rounding and truncation meet.
const DIFFERENCE: f64 = 6e-6;

/// A local maximum of a log density.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    pub position: Vec<f64>,
    pub log_density: f64,
    pub converged: bool,
}

/// Climbs from `start` to the maximum of its basin by L-BFGS (Nocedal & Wright 2006, algorithm 7.4) with backtracking.
pub fn climb(density: &mut impl LogDensity, start: &[f64]) -> Mode {
    let n = start.len();
    let mut position = start.to_vec();
    let mut gradient = vec![0.0; n];
    let mut log_density = density.log_density_and_gradient(&position, &mut gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    let mut candidate = vec![0.0; n];
    let mut candidate_gradient = vec![0.0; n];
    for _ in 0..MAX_ITERATIONS {
        let mut direction = ascent_direction(&gradient, &memory);
        let longest = direction.iter().fold(0.0f64, |longest, step| longest.max(step.abs()));
        if longest > LONGEST_STEP {
            direction.iter_mut().for_each(|step| *step *= LONGEST_STEP / longest);
        }
        let slope = dot(&direction, &gradient);
        if slope.is_nan() || slope < TOLERANCE {
            return Mode { position, log_density, converged: slope.abs() < TOLERANCE };
        }
        let mut length = 1.0;
        let value = loop {
            for i in 0..n {
                candidate[i] = position[i] + length * direction[i];
            }
            let value = density.log_density_and_gradient(&candidate, &mut candidate_gradient);
            // Armijo's condition with the customary constant.
            if value >= log_density + 1e-4 * length * slope {
                break value;
            }
            length *= 0.5;
            if length < 1e-10 {
                return Mode { position, log_density, converged: false };
            }
        };
        let step: Vec<f64> = (0..n).map(|i| candidate[i] - position[i]).collect();
        let change: Vec<f64> = (0..n).map(|i| gradient[i] - candidate_gradient[i]).collect();
        let curvature = dot(&step, &change);
        // Only pairs of positive curvature keep the approximation positive definite.
        if curvature > 1e-12 * dot(&change, &change) {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((step, change, curvature));
        }
        std::mem::swap(&mut position, &mut candidate);
        std::mem::swap(&mut gradient, &mut candidate_gradient);
        log_density = value;
    }
    Mode { position, log_density, converged: false }
}

/// The two-loop recursion: the inverse curvature that the memory implies, times the gradient.
fn ascent_direction(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut direction = gradient.to_vec();
    let mut alphas = Vec::with_capacity(memory.len());
    for (step, change, curvature) in memory.iter().rev() {
        let alpha = dot(step, &direction) / curvature;
        direction.iter_mut().zip(change).for_each(|(d, change)| *d -= alpha * change);
        alphas.push(alpha);
    }
    if let Some((_, change, curvature)) = memory.last() {
        let scale = curvature / dot(change, change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for ((step, change, curvature), alpha) in memory.iter().zip(alphas.iter().rev()) {
        let beta = dot(change, &direction) / curvature;
        direction.iter_mut().zip(step).for_each(|(d, step)| *d += (alpha - beta) * step);
    }
    direction
}

/// The metric of the normal approximation at a position: the inverse of the negative Hessian, which is had from central
/// differences of the gradient. Above [`DENSE_LIMIT`] dimensions, of its diagonal alone.
pub fn curvature_metric(density: &mut impl LogDensity, position: &[f64]) -> Metric {
    let n = position.len();
    let mut moved = position.to_vec();
    let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
    let dense = n <= DENSE_LIMIT;
    let mut curvature = vec![0.0; if dense { packed_len(n) } else { 0 }];
    let mut diagonal = vec![0.0; n];
    for j in 0..n {
        let h = DIFFERENCE * position[j].abs().max(1.0);
        moved[j] = position[j] + h;
        density.log_density_and_gradient(&moved, &mut up);
        moved[j] = position[j] - h;
        density.log_density_and_gradient(&moved, &mut down);
        moved[j] = position[j];
        diagonal[j] = (down[j] - up[j]) / (2.0 * h);
        if dense {
            for i in 0..n {
                // Symmetrised as it is filled; the diagonal is halved and added twice.
                let half = 0.5 * (down[i] - up[i]) / (2.0 * h);
                curvature[at(i.max(j), i.min(j))] += if i == j { 2.0 * half } else { half };
            }
        }
    }
    if dense
        && curvature.iter().all(|entry| entry.is_finite())
        && let Some(metric) = inverse_of(n, &curvature)
    {
        return metric;
    }
    Metric::Diagonal(diagonal.iter().map(|&c| 1.0 / believed(c).sqrt()).collect())
}

/// A direction of no curvature, or of the wrong sign, is given the size of its curvature.
fn believed(curvature: f64) -> f64 {
    if curvature.is_finite() { curvature.abs().max(MIN_CURVATURE) } else { 1.0 }
}

/// The metric whose covariance is the inverse of a curvature, by way of its Cholesky factor where every variance is believed,
/// of its eigenvectors otherwise.
fn inverse_of(n: usize, curvature: &[f64]) -> Option<Metric> {
    // The factor of P = Rᵀ R with R lower triangular is that of the matrix read backwards; then R⁻¹ R⁻ᵀ = P⁻¹.
    let backwards = |i: usize, j: usize| at(n - 1 - j, n - 1 - i);
    let rows = || (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
    let reversed: Vec<f64> = rows().map(|(i, j)| curvature[backwards(i, j)]).collect();
    let mut factor = vec![0.0; packed_len(n)];
    if cholesky(n, &reversed, &mut factor).is_ok() {
        let lower: Vec<f64> = rows().map(|(i, j)| factor[backwards(i, j)]).collect();
        let mut root = vec![0.0; packed_len(n)];
        invert(n, &lower, &mut root);
        let variances = (0..n).map(|i| root[at(i, 0)..=at(i, i)].iter().map(|x| x * x).sum::<f64>());
        if variances.fold(0.0, f64::max) <= 1.0 / MIN_CURVATURE {
            return Some(Metric::from_factor(n, &root));
        }
    }
    let matrix = DMatrix::from_fn(n, n, |i, j| curvature[at(i.max(j), i.min(j))]);
    let SymmetricEigen { eigenvalues, eigenvectors } = SymmetricEigen::new(matrix);
    let mut roots = eigenvectors;
    for (mut root, &eigenvalue) in roots.column_iter_mut().zip(&eigenvalues) {
        root /= believed(eigenvalue).sqrt();
    }
    let product = &roots * roots.transpose();
    let covariance: Vec<f64> = rows().map(|place| product[place]).collect();
    Metric::from_covariance(n, &covariance).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// −½ (x − m)ᵀ P (x − m) − ¼ Σ (x − m)⁴: its mode is m, its curvature there P.
    #[derive(Clone)]
    struct Bent;

    const MODE: [f64; 3] = [1.0, -2.0, 0.5];
    const PRECISION: [[f64; 3]; 3] = [[2.0, 0.5, 0.0], [0.5, 30.0, -1.0], [0.0, -1.0, 1.0]];

    impl LogDensity for Bent {
        fn dimension(&self) -> usize {
            3
        }

        fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
            let x: Vec<f64> = position.iter().zip(MODE).map(|(x, m)| x - m).collect();
            let mut log_density = 0.0;
            for i in 0..3 {
                let px = dot(&PRECISION[i], &x);
                gradient[i] = -px - x[i].powi(3);
                log_density -= 0.5 * x[i] * px + 0.25 * x[i].powi(4);
            }
            log_density
        }
    }

    #[test]
    fn the_mode_is_found_from_afar() {
        let mode = climb(&mut Bent, &[8.0, 5.0, -6.0]);
        assert!(mode.converged);
        assert_relative_eq!(mode.position[..], MODE, epsilon = 1e-4);
        assert_relative_eq!(mode.log_density, 0.0, epsilon = 1e-8);
    }

    #[test]
    fn a_flat_or_falling_direction_is_given_a_bounded_scale() {
        let metric = inverse_of(3, &[4.0, 0.0, 1e-9, 0.0, 0.0, -25.0]).unwrap();
        let covariance = metric.covariance();
        assert_relative_eq!(covariance[at(0, 0)], 0.25, max_relative = 1e-12);
        assert_relative_eq!(covariance[at(1, 1)], 1.0 / MIN_CURVATURE, max_relative = 1e-9);
        assert_relative_eq!(covariance[at(2, 2)], 0.04, max_relative = 1e-9);
    }

    #[test]
    fn the_metric_at_the_mode_is_the_inverse_curvature() {
        let covariance = curvature_metric(&mut Bent, &MODE).covariance();
        let inverse = DMatrix::from_fn(3, 3, |i, j| PRECISION[i][j]).try_inverse().unwrap();
        for i in 0..3 {
            for j in 0..=i {
                assert_relative_eq!(covariance[at(i, j)], inverse[(i, j)], epsilon = 1e-6);
            }
        }
    }
}
