//! A local mode of a log density, by L-BFGS.

use crate::log_density::LogDensity;
use crate::simd::dot;

/// Number of past steps and gradient changes kept. More gained nothing on mixtures of a few hundred parameters (Nocedal &
/// Wright 2006 recommend 3 to 20).
const MEMORY: usize = 12;
const MAX_ITERATIONS: usize = 500;

/// Largest change of any coordinate in one step. Coordinates are logarithms or scaled by the data's spread: a longer step could
/// leave the basin of attraction, perhaps for a collapse onto tied observations.
const MAX_CHANGE: f64 = 0.5;

/// The search has converged when the expected gain of a step is below this, in nats.
const TOLERANCE: f64 = 1e-8;

/// A local maximum of a log density.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// Unconstrained position.
    pub position: Vec<f64>,
    /// Log density there, in nats.
    pub log_density: f64,
    /// Whether the search converged before its limit of 500 iterations.
    pub converged: bool,
}

/// Finds the local mode whose basin contains `start`, by L-BFGS with backtracking (Nocedal & Wright 2006, algorithm 7.4).
pub fn find_mode(density: &mut impl LogDensity, start: &[f64]) -> Mode {
    find_mode_within(density, start, Limits { iterations: MAX_ITERATIONS, gain: TOLERANCE })
}

/// When a search for a mode ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// After this many iterations. A few of them tell which starts are worth more.
    pub iterations: usize,
    /// When the expected gain of a step is below this, in nats: the search has converged.
    pub gain: f64,
}

/// As [`find_mode`], with other limits.
pub fn find_mode_within(density: &mut impl LogDensity, start: &[f64], limits: Limits) -> Mode {
    let n = start.len();
    let mut position = start.to_vec();
    let mut gradient = vec![0.0; n];
    let mut log_density = density.log_density_and_gradient(&position, &mut gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    let mut candidate = vec![0.0; n];
    let mut candidate_gradient = vec![0.0; n];
    for _ in 0..limits.iterations {
        let mut direction = ascent_direction(&gradient, &memory);
        let longest = direction.iter().fold(0.0f64, |longest, step| longest.max(step.abs()));
        if longest > MAX_CHANGE {
            direction.iter_mut().for_each(|step| *step *= MAX_CHANGE / longest);
        }
        let slope = dot(&direction, &gradient);
        if slope.is_nan() || slope < limits.gain {
            return Mode { position, log_density, converged: slope.abs() < limits.gain };
        }
        let mut length = 1.0;
        let value = loop {
            for i in 0..n {
                candidate[i] = position[i] + length * direction[i];
            }
            let value = density.log_density_and_gradient(&candidate, &mut candidate_gradient);
            // Armijo's condition with its usual constant.
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

/// The two-loop recursion: approximate inverse curvature times gradient.
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
        let mode = find_mode(&mut Bent, &[8.0, 5.0, -6.0]);
        assert!(mode.converged);
        assert_relative_eq!(mode.position[..], MODE, epsilon = 1e-4);
        assert_relative_eq!(mode.log_density, 0.0, epsilon = 1e-8);
    }
}
