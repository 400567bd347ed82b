//! One Markov chain: its state, its warm-up and its random numbers. The caller asks for one draw at a time.

use libm::log;
use rand::rngs::ChaCha8Rng;
use thiserror::Error;

use super::adaptation::{DualAveraging, Windows};
use super::hamiltonian::{Hamiltonian, PhasePoint};
use super::metric::Metric;
use super::trajectory::{Trajectory, Transition};
use crate::log_density::LogDensity;

/// If a coordinate's variance changes fourfold or more (its log variance by this), the search for a step size starts again.
/// After a smaller change tuning goes on: a restart would leave too few iterations to settle.
const LARGE_CHANGE: f64 = 2.0 * std::f64::consts::LN_2;

/// Settings of a chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainSettings {
    /// Iterations in which step size and metric are tuned. Their draws are not part of the posterior sample.
    pub warmup: usize,
    /// Draws after the warm-up. The chain does not stop there: the caller counts.
    pub draws: usize,
    /// Mean acceptance rate for which the step size is tuned, in (0, 1).
    pub target_accept: f64,
    /// Largest number of doublings, at least 1: a draw takes at most 2^`max_tree_depth` − 1 integrator steps.
    pub max_tree_depth: u32,
}

impl Default for ChainSettings {
    /// Stan's defaults, but with a shorter warm-up: a chain that starts with the curvature at the mode need only find its step
    /// size. Beyond 150 iterations of warm-up, mixtures of 11 to 314 parameters gained nothing.
    fn default() -> Self {
        Self { warmup: 300, draws: 1000, target_accept: 0.8, max_tree_depth: 10 }
    }
}

/// Why a chain cannot start.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ChainError {
    /// The log density, or its gradient, is not finite at the starting point.
    #[error("the log density at the starting point is {log_density}: not a finite number")]
    Start {
        /// The log density there.
        log_density: f64,
    },
}

/// Statistics of one draw, with ArviZ's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawStats {
    /// Log density in unconstrained coordinates, in nats, with the log Jacobian and all constants.
    pub lp: f64,
    /// Step size of the integrator, in the metric's coordinates.
    pub step_size: f64,
    /// Statistics of the trajectory.
    pub transition: Transition,
}

/// A Markov chain that samples a log density by NUTS.
#[derive(Debug)]
pub struct Chain<L> {
    hamiltonian: Hamiltonian<L>,
    state: PhasePoint,
    trajectory: Trajectory,
    settings: ChainSettings,
    windows: Windows,
    /// Draws of the current window, and their gradients in the metric's coordinates.
    window: Vec<f64>,
    gradients: Vec<f64>,
    step: DualAveraging,
    step_size: f64,
    iteration: usize,
    rng: ChaCha8Rng,
}

impl<L: LogDensity> Chain<L> {
    /// Starts a chain at `position` with a first metric and its own random numbers. If the metric's scales are far too small,
    /// trajectories are long until the end of the first window.
    ///
    /// # Errors
    /// If the log density or its gradient is not finite at `position`.
    pub fn new(
        density: L,
        position: &[f64],
        metric: Metric,
        settings: ChainSettings,
        rng: ChaCha8Rng,
    ) -> Result<Self, ChainError> {
        let mut hamiltonian = Hamiltonian::new(density, metric);
        let mut state = PhasePoint::new(position.len());
        state.position.copy_from_slice(position);
        hamiltonian.refresh(&mut state);
        if !state.log_density.is_finite() || state.gradient.iter().any(|gradient| !gradient.is_finite()) {
            return Err(ChainError::Start { log_density: state.log_density });
        }
        let mut chain = Self {
            trajectory: Trajectory::new(position.len(), settings.max_tree_depth),
            windows: Windows::new(settings.warmup),
            window: Vec::new(),
            gradients: Vec::new(),
            step: DualAveraging::new(1.0, settings.target_accept),
            step_size: 1.0,
            iteration: 0,
            hamiltonian,
            state,
            settings,
            rng,
        };
        chain.restart_step_size();
        Ok(chain)
    }

    /// Whether the next draw still belongs to the warm-up.
    #[must_use]
    pub fn is_warming_up(&self) -> bool {
        self.iteration < self.settings.warmup
    }

    /// The current draw, in unconstrained coordinates.
    #[must_use]
    pub fn position(&self) -> &[f64] {
        &self.state.position
    }

    /// Moves to the next draw and returns its statistics. During warm-up, tunes step size and metric.
    pub fn step(&mut self) -> DrawStats {
        let transition =
            self.trajectory.transition(&mut self.hamiltonian, &mut self.state, self.step_size, &mut self.rng);
        let stats = DrawStats { lp: self.state.log_density, step_size: self.step_size, transition };
        if self.is_warming_up() {
            self.adapt(transition.acceptance_rate);
        }
        self.iteration += 1;
        stats
    }

    fn adapt(&mut self, acceptance_rate: f64) {
        self.step.update(acceptance_rate);
        self.step_size = self.step.step_size();
        if self.windows.collects(self.iteration) {
            self.window.extend_from_slice(&self.state.position);
            self.gradients.extend_from_slice(&self.state.gradient);
        }
        if self.windows.closes(self.iteration) {
            if let Some(adapted) = self.hamiltonian.metric.adapt(&self.window, &self.gradients) {
                self.hamiltonian.metric = adapted.metric;
                self.hamiltonian.refresh(&mut self.state);
                if adapted.change > LARGE_CHANGE {
                    self.restart_step_size();
                }
            }
            self.window.clear();
            self.gradients.clear();
        }
        if self.iteration + 1 == self.settings.warmup {
            self.step_size = self.step.averaged_step_size();
            (self.window, self.gradients) = (Vec::new(), Vec::new());
        }
    }

    /// Doubles or halves the step size until the acceptance probability of one step crosses ½ (Hoffman & Gelman 2014, algorithm
    /// 4), then restarts dual averaging from there.
    fn restart_step_size(&mut self) {
        let mut growing = None;
        // A few doublings suffice; the bound only guards against an endless loop.
        for _ in 0..100 {
            let mut point = self.state.clone();
            point.draw_momentum(&mut self.rng);
            let before = point.energy();
            self.hamiltonian.step(&mut point, self.step_size);
            let energy_error = point.energy() - before;
            let accepts = energy_error < -log(0.5);
            if *growing.get_or_insert(accepts) != accepts {
                break;
            }
            self.step_size *= if accepts { 2.0 } else { 0.5 };
        }
        self.step = DualAveraging::new(self.step_size, self.settings.target_accept);
        self.step_size = self.step.step_size();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{mcse_mean, rhat};
    use crate::mixture::triangular::at;
    use rand::SeedableRng;

    /// A normal with unit variances and one correlation between neighbours.
    #[derive(Clone)]
    struct Autoregressive {
        dimension: usize,
        correlation: f64,
    }

    impl LogDensity for Autoregressive {
        fn dimension(&self) -> usize {
            self.dimension
        }

        fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
            let r = self.correlation;
            let precision = 1.0 / (1.0 - r * r);
            gradient[0] = -position[0];
            let mut log_density = -0.5 * position[0] * position[0];
            for i in 1..position.len() {
                let residual = position[i] - r * position[i - 1];
                log_density -= 0.5 * precision * residual * residual;
                gradient[i] = -precision * residual;
                gradient[i - 1] += precision * r * residual;
            }
            log_density
        }
    }

    fn run(metric: &Metric, seed: u64) -> (Vec<Vec<f64>>, f64, Chain<Autoregressive>) {
        let density = Autoregressive { dimension: 10, correlation: 0.9 };
        let settings = ChainSettings { warmup: 600, draws: 2000, ..ChainSettings::default() };
        let mut columns = vec![Vec::new(); 10];
        let mut steps = 0.0;
        let mut last = None;
        for stream in 0..4 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            let mut chain = Chain::new(density.clone(), &[1.0; 10], metric.clone(), settings, rng).unwrap();
            for _ in 0..settings.warmup + settings.draws {
                let warming_up = chain.is_warming_up();
                let stats = chain.step();
                if !warming_up {
                    steps += f64::from(stats.transition.n_steps);
                    columns.iter_mut().zip(chain.position()).for_each(|(column, &x)| column.push(x));
                }
            }
            last = Some(chain);
        }
        (columns, steps / 8000.0, last.unwrap())
    }

    fn dense_identity() -> Metric {
        let covariance: Vec<f64> =
            (0..10).flat_map(|i| (0..=i).map(move |j| f64::from(u8::from(i == j)))).collect();
        Metric::from_covariance(10, &covariance).unwrap()
    }

    #[test]
    fn a_correlated_normal_is_recovered_and_its_metric_learnt() {
        let (columns, steps, chain) = run(&dense_identity(), 5);
        for (index, column) in columns.iter().enumerate() {
            let squares: Vec<f64> = column.iter().map(|x| x * x).collect();
            let mean = squares.iter().sum::<f64>() / squares.len() as f64;
            let mcse = mcse_mean(&squares, 4);
            assert!((mean - 1.0).abs() < 4.0 * mcse, "variable {index}: {mean} ± {mcse}");
            assert!(rhat(column, 4) < 1.01);
        }
        let covariance = chain.hamiltonian.metric.covariance();
        assert!((covariance[at(1, 0)] - 0.9).abs() < 0.25, "{}", covariance[at(1, 0)]);
        let (_, diagonal_steps, _) = run(&Metric::identity(10), 5);
        assert!(steps < 0.5 * diagonal_steps, "dense {steps}, diagonal {diagonal_steps} steps a draw");
    }

    #[test]
    fn the_same_stream_gives_the_same_chain_and_another_stream_another() {
        let density = Autoregressive { dimension: 3, correlation: 0.5 };
        let settings = ChainSettings { warmup: 50, draws: 50, ..ChainSettings::default() };
        let last = |stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            rng.set_stream(stream);
            let mut chain =
                Chain::new(density.clone(), &[0.0; 3], Metric::identity(3), settings, rng).unwrap();
            for _ in 0..100 {
                chain.step();
            }
            chain.position().to_vec()
        };
        assert_eq!(last(0), last(0));
        assert_ne!(last(0), last(1));
    }
}
