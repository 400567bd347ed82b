//! Sequential Monte Carlo from the prior to the posterior: a particles of particles that needs no start, and the evidence.
//!
//! The likelihood is raised to powers that grow from 0 to 1. Each step weighs the particles by what it adds, draws them anew
//! by their weights, and moves them by a few trajectories that keep the tempered posterior (Neal 2001; Del Moral, Doucet &
//! Jasra 2006; powers chosen on the way as in Jasra, Stephens, Doucet & Tsagaris 2011). Where chains of NUTS can be shut in
//! one mode, particles are shared out among modes before barriers between them rise. The product of the mean weights is an
//! estimate of the evidence that owes nothing to any chain.

use rand::{Rng, RngExt};

use crate::mixture::likelihood::Likelihood;
use crate::mixture::posterior::Posterior;
use crate::mixture::prior::{Prior, PriorError};
use crate::mixture::transform::Layout;
use crate::mixture::triangular::{at, packed_len};
use crate::nuts::hamiltonian::{Hamiltonian, MAX_STEP_SIZE, PhasePoint};
use crate::nuts::metric::{MAX_JOINT_DIMENSION, Metric};
use crate::nuts::trajectory::Trajectory;

/// How much work is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnnealSettings {
    pub particles: usize,
    /// Trajectories of each particle at each power.
    pub transitions: usize,
    /// The effective share of the particles after each weighing, in (0, 1): nearer to 1, more powers.
    pub efficiency: f64,
    pub max_tree_depth: u32,
}

impl Default for AnnealSettings {
    fn default() -> Self {
        Self { particles: 1000, transitions: 3, efficiency: 0.7, max_tree_depth: 7 }
    }
}

/// What is left at the power 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Annealed {
    /// log ∫ p(y | θ) p(θ) dθ, nats on the sampler's scale. Its exponential is unbiased for fixed powers.
    pub log_evidence: f64,
    /// Equally weighted positions, each of the posterior, not independent of one another.
    pub positions: Vec<Vec<f64>>,
    /// From 0 to 1, both included.
    pub powers: Vec<f64>,
    /// Mean acceptance rate of the last trajectories.
    pub acceptance_rate: f64,
}

/// The acceptance rate that step sizes follow.
const TARGET_ACCEPT: f64 = 0.8;

/// Change of log step size per unit of acceptance missed, once per pass over the particles.
const STEP_GAIN: f64 = 1.0;

/// Weight of the particles' variances alone, in particles, in the covariance that shapes trajectories: the estimate from a
/// particles of few distinct points is never singular.
const SHRINKAGE: f64 = 5.0;

/// Below this a particles's standard deviation is taken for rounding.
const LEAST_SD: f64 = 1e-10;

/// One run.
///
/// # Errors
/// A hyper-parameter of the prior that is not positive and finite.
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

/// Particles, and the log likelihood of each.
struct Particles {
    positions: Vec<Vec<f64>>,
    log_likelihoods: Vec<f64>,
}

/// Of particles that a higher power weighs.
struct Weights {
    /// log of their mean.
    log_mean: f64,
    /// Each over the largest.
    relative: Vec<f64>,
}

impl Weights {
    fn new(log_likelihoods: &[f64], rise: f64) -> Self {
        let greatest = log_likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let relative: Vec<f64> = log_likelihoods.iter().map(|l| libm::exp(rise * (l - greatest))).collect();
        let mean = relative.iter().sum::<f64>() / relative.len() as f64;
        Self { log_mean: rise * greatest + libm::log(mean), relative }
    }

    /// (Σ w)² / (N Σ w²).
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
            // Beyond double precision no data are likely.
            *log_likelihood = if value.is_nan() { f64::NEG_INFINITY } else { value };
        }
    }

    /// The power, at most 1, that leaves the wanted share of the particles effective, and their weights.
    fn weigh(&self, power: f64, efficiency: f64) -> (f64, Weights) {
        let weights = |next: f64| Weights::new(&self.log_likelihoods, next - power);
        let all = weights(1.0);
        if all.efficiency() >= efficiency {
            return (1.0, all);
        }
        // Efficiency falls as the power rises; bisection on the logarithm of the rise, which may span many decades.
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
        // A rise that vanishes beside the power would never end.
        let next = (power + low).max(power * (1.0 + 1e-9));
        (next, weights(next))
    }

    /// Systematic resampling (Carpenter, Clifford & Fearnhead 1999): one uniform number, a comb of N teeth.
    fn resample(&mut self, relative: &[f64], rng: &mut impl Rng) {
        let spacing = relative.iter().sum::<f64>() / relative.len() as f64;
        let mut tooth = spacing * rng.random::<f64>();
        let mut drawn = Vec::with_capacity(relative.len());
        let mut reached = 0.0;
        for (position, weight) in self.positions.iter().zip(relative) {
            reached += weight;
            while tooth < reached && drawn.len() < relative.len() {
                drawn.push(position.clone());
                tooth += spacing;
            }
        }
        // Rounding may leave the last tooth beyond the last particle.
        while drawn.len() < relative.len() {
            drawn.push(self.positions[relative.len() - 1].clone());
        }
        self.positions = drawn;
    }

    /// The particles's covariance; of many coordinates the variances alone.
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

    /// Where all components are alike: variances pooled over components, so that trajectories treat them alike as well. A metric
    /// of one labelling would be no worse a shape, but particles brought to that labelling before they move, and moved out
    /// of it, are no longer draws of the posterior.
    fn symmetric_metric(&self, layout: Layout) -> Metric {
        let Layout { n_components, n_features } = layout;
        let count = self.positions.len() as f64;
        // Log ratios of weights have mean 0 and, by symmetry, one variance.
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

    /// One trajectory of every particle; their mean acceptance rate.
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
