//! Sequential Monte Carlo from the prior to the posterior. It needs no starting point, and estimates the evidence.
//!
//! The likelihood is raised to powers that grow from 0 to 1. Each step weights the particles by the increase, resamples them by
//! their weights, and moves them by a few trajectories that leave the tempered posterior invariant (Neal 2001; Del Moral,
//! Doucet & Jasra 2006; adaptive powers as in Jasra, Stephens, Doucet & Tsagaris 2011). A chain of NUTS can be trapped in one
//! mode; particles spread over modes before the barriers between them rise. The product of the mean weights estimates the
//! evidence without any chain.

use rand::{Rng, RngExt};

use crate::mixture::likelihood::Likelihood;
use crate::mixture::posterior::Posterior;
use crate::mixture::prior::{Prior, PriorError};
use crate::mixture::transform::Layout;
use crate::mixture::triangular::{at, packed_len};
use crate::nuts::hamiltonian::{Hamiltonian, MAX_STEP_SIZE, PhasePoint};
use crate::nuts::metric::{MAX_JOINT_DIMENSION, Metric};
use crate::nuts::trajectory::Trajectory;

/// Settings of [`anneal`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnnealSettings {
    /// Number of particles.
    pub particles: usize,
    /// Number of trajectories per particle and power.
    pub transitions: usize,
    /// Effective share of the particles after each weighting, in (0, 1). Nearer to 1 means more powers.
    pub efficiency: f64,
    /// Largest number of doublings of a trajectory.
    pub max_tree_depth: u32,
}

impl Default for AnnealSettings {
    fn default() -> Self {
        Self { particles: 1000, transitions: 3, efficiency: 0.7, max_tree_depth: 7 }
    }
}

/// The particles at power 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Annealed {
    /// log ∫ p(y | θ) p(θ) dθ in nats, on the sampler's scale. Its exponential is unbiased if the powers are fixed.
    pub log_evidence: f64,
    /// Unconstrained positions with equal weights, distributed as the posterior but not independent of one another.
    pub positions: Vec<Vec<f64>>,
    /// The powers, ascending from 0 to 1, both included.
    pub powers: Vec<f64>,
    /// Mean acceptance rate of the last trajectories, in [0, 1].
    pub acceptance_rate: f64,
}

/// The acceptance rate for which the step size is tuned.
const TARGET_ACCEPT: f64 = 0.8;

/// Change of the log step size per unit of acceptance above the target, once per pass over the particles.
const STEP_GAIN: f64 = 1.0;

/// Shrinkage of the covariance towards its diagonal, in particles: an estimate from few distinct particles is then never
/// singular.
const SHRINKAGE: f64 = 5.0;

/// Standard deviations below this are rounding errors.
const LEAST_SD: f64 = 1e-10;

/// Runs sequential Monte Carlo for a mixture of K components.
///
/// # Errors
/// If a hyper-parameter of the prior is not positive and finite.
///
/// # Panics
/// If the prior's centres are not K × D numbers.
pub fn anneal(
    likelihood: &Likelihood,
    prior: &Prior,
    n_components: usize,
    settings: AnnealSettings,
    rng: &mut impl Rng,
) -> Result<Annealed, PriorError> {
    let mut posterior = Posterior::new(likelihood, prior, n_components)?;
    let layout = posterior.layout();
    let mut particles = Particles::from_prior(prior, layout, settings.particles, rng);
    let mut trajectory = Trajectory::new(layout.dimension(), settings.max_tree_depth);
    let exchangeable = prior.is_exchangeable(n_components);
    let (mut log_evidence, mut powers, mut step_size) = (0.0, vec![0.0], MAX_STEP_SIZE);
    let mut acceptance_rate = f64::NAN;
    while let Some(&power) = powers.last().filter(|&&power| power < 1.0) {
        particles.evaluate(&mut posterior);
        let (next, weights) = particles.weigh(power, settings.efficiency);
        log_evidence += weights.log_mean;
        particles.resample(&weights.relative, rng);
        let metric = if exchangeable { particles.symmetric_metric(layout) } else { particles.metric() };
        let mut hamiltonian = Hamiltonian::new(posterior.with_likelihood(likelihood, next), metric);
        for _ in 0..settings.transitions {
            acceptance_rate = particles.advance(&mut hamiltonian, &mut trajectory, step_size, rng);
            step_size =
                (step_size * libm::exp(STEP_GAIN * (acceptance_rate - TARGET_ACCEPT))).min(MAX_STEP_SIZE);
        }
        powers.push(next);
    }
    Ok(Annealed { log_evidence, positions: particles.positions, powers, acceptance_rate })
}

/// Particles, and the log-likelihood of each.
struct Particles {
    positions: Vec<Vec<f64>>,
    log_likelihoods: Vec<f64>,
}

/// The particles' weights for a step to a higher power.
struct Weights {
    /// log of the mean weight.
    log_mean: f64,
    /// Weights divided by the largest.
    relative: Vec<f64>,
}

impl Weights {
    fn new(log_likelihoods: &[f64], rise: f64) -> Self {
        let greatest = log_likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let relative: Vec<f64> = log_likelihoods.iter().map(|l| libm::exp(rise * (l - greatest))).collect();
        let mean = relative.iter().sum::<f64>() / relative.len() as f64;
        Self { log_mean: rise * greatest + libm::log(mean), relative }
    }

    /// Effective share of the particles: (Σ w)² / (N Σ w²).
    fn efficiency(&self) -> f64 {
        let sum: f64 = self.relative.iter().sum();
        let squares: f64 = self.relative.iter().map(|w| w * w).sum();
        sum * sum / (squares * self.relative.len() as f64)
    }
}

impl Particles {
    fn from_prior(prior: &Prior, layout: Layout, particles: usize, rng: &mut impl Rng) -> Self {
        let Layout { n_components, n_features } = layout;
        let mut draw = || layout.unconstrain(&prior.simulate(n_components, n_features, rng));
        Self { positions: (0..particles).map(|_| draw()).collect(), log_likelihoods: vec![0.0; particles] }
    }

    fn evaluate(&mut self, posterior: &mut Posterior<'_>) {
        for (log_likelihood, position) in self.log_likelihoods.iter_mut().zip(&self.positions) {
            let (_, value) = posterior.log_prior_and_likelihood(position);
            // A mixture beyond double precision has likelihood 0.
            *log_likelihood = if value.is_nan() { f64::NEG_INFINITY } else { value };
        }
    }

    /// The next power, at most 1, which leaves the given share of the particles effective, and the weights.
    fn weigh(&self, power: f64, efficiency: f64) -> (f64, Weights) {
        let weights = |next: f64| Weights::new(&self.log_likelihoods, next - power);
        let all = weights(1.0);
        if all.efficiency() >= efficiency {
            return (1.0, all);
        }
        // Efficiency falls as the power rises. Bisection on the logarithm of the rise, which may span many decades.
        let (mut low, mut high) = (f64::MIN_POSITIVE, 1.0 - power);
        for _ in 0..200 {
            let middle = (low * high).sqrt();
            if weights(power + middle).efficiency() >= efficiency {
                low = middle
            } else {
                high = middle
            }
            if high / low < 1.0 + 1e-3 {
                break;
            }
        }
        // A rise lost to rounding would never end.
        let next = (power + low).max(power * (1.0 + 1e-9));
        (next, weights(next))
    }

    /// Systematic resampling (Carpenter, Clifford & Fearnhead 1999): one uniform number sets N equally spaced points.
    fn resample(&mut self, relative: &[f64], rng: &mut impl Rng) {
        let spacing = relative.iter().sum::<f64>() / relative.len() as f64;
        let mut threshold = spacing * rng.random::<f64>();
        let mut drawn = Vec::with_capacity(relative.len());
        let mut reached = 0.0;
        for (position, weight) in self.positions.iter().zip(relative) {
            reached += weight;
            while threshold < reached && drawn.len() < relative.len() {
                drawn.push(position.clone());
                threshold += spacing;
            }
        }
        // Rounding may leave the last point beyond the last particle.
        while drawn.len() < relative.len() {
            drawn.push(self.positions[relative.len() - 1].clone());
        }
        self.positions = drawn;
    }

    /// The particles' covariance; of many coordinates the variances alone.
    fn metric(&self) -> Metric {
        let dimension = self.positions[0].len();
        let count = self.positions.len() as f64;
        let mean: Vec<f64> =
            (0..dimension).map(|i| self.positions.iter().map(|x| x[i]).sum::<f64>() / count).collect();
        let covariance = |i: usize, j: usize| {
            self.positions.iter().map(|x| (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>() / count
        };
        let sds =
            || Metric::diagonal((0..dimension).map(|i| covariance(i, i).sqrt().max(LEAST_SD)).collect());
        if dimension > MAX_JOINT_DIMENSION {
            return sds();
        }
        let mut packed = vec![0.0; packed_len(dimension)];
        for i in 0..dimension {
            for j in 0..=i {
                let shrunk = if i == j { 1.0 } else { count / (count + SHRINKAGE) };
                packed[at(i, j)] = shrunk * covariance(i, j);
            }
        }
        Metric::from_covariance(dimension, &packed).unwrap_or_else(|_| sds())
    }

    /// For exchangeable components: variances pooled over components, so that trajectories treat all alike. A metric for one
    /// labelling would fit as well, but particles relabelled before they move, and moved out of that labelling, are no longer
    /// draws from the posterior.
    fn symmetric_metric(&self, layout: Layout) -> Metric {
        let Layout { n_components, n_features } = layout;
        let count = self.positions.len() as f64;
        // Log ratios of weights have mean 0 and, by symmetry, equal variances.
        let mut scales = Vec::with_capacity(layout.dimension());
        let squares: f64 = self.positions.iter().flat_map(|x| &x[..layout.mu_start()]).map(|x| x * x).sum();
        let sd = (squares / (count * (n_components - 1).max(1) as f64)).sqrt();
        scales.resize(layout.mu_start(), sd.max(LEAST_SD));
        let mut start = layout.mu_start();
        for width in [n_features, n_features, layout.n_correlations()] {
            let block: Vec<f64> = (0..width)
                .map(|i| {
                    let place = move |k: usize| start + k * width + i;
                    let values =
                        || self.positions.iter().flat_map(|x| (0..n_components).map(move |k| x[place(k)]));
                    let mean = values().sum::<f64>() / (count * n_components as f64);
                    let squares = values().map(|x| (x - mean) * (x - mean)).sum::<f64>();
                    (squares / (count * n_components as f64)).sqrt().max(LEAST_SD)
                })
                .collect();
            (0..n_components).for_each(|_| scales.extend_from_slice(&block));
            start += n_components * width;
        }
        Metric::diagonal(scales)
    }

    /// Moves every particle by one trajectory; returns the mean acceptance rate.
    fn advance(
        &mut self,
        hamiltonian: &mut Hamiltonian<Posterior<'_>>,
        trajectory: &mut Trajectory,
        step_size: f64,
        rng: &mut impl Rng,
    ) -> f64 {
        let mut point = PhasePoint::new(self.positions[0].len());
        let mut acceptance = 0.0;
        for position in &mut self.positions {
            point.position.copy_from_slice(position);
            hamiltonian.refresh(&mut point);
            acceptance += trajectory.transition(hamiltonian, &mut point, step_size, rng).acceptance_rate;
            position.copy_from_slice(&point.position);
        }
        acceptance / self.positions.len() as f64
    }
}
