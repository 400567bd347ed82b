//! One chain of either program on one density, with its cost.

use std::collections::HashMap;
use std::time::Duration;

use gmm_bench::clock::thread_time;
use gmm_sampler::log_density::LogDensity;
use gmm_sampler::nuts::chain::{Chain, ChainSettings};
use gmm_sampler::nuts::metric::Metric;
use nuts_rs::{
    Chain as _, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, LowRankNutsSettings,
};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use thiserror::Error;

use crate::counting::CountingDensity;

/// A sampler with a kind of metric.
#[derive(Debug, Clone)]
pub enum Program {
    /// This workspace's sampler, from the given metric.
    Ours(Metric),
    /// nuts-rs with a diagonal metric, learnt from draws and gradients.
    Diagonal,
    /// nuts-rs with a diagonal and a low-rank correction, learnt from draws and gradients.
    LowRank,
}

impl Program {
    /// The program's default number of warm-up iterations.
    #[must_use]
    pub fn default_warmup(&self) -> usize {
        match self {
            Self::Ours(_) => ChainSettings::default().warmup,
            Self::Diagonal => DiagNutsSettings::default().num_tune as usize,
            Self::LowRank => LowRankNutsSettings::default().num_tune as usize,
        }
    }

    /// Name in tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ours(metric) if metric.is_diagonal() => "ours, diagonal",
            Self::Ours(_) => "ours, in blocks",
            Self::Diagonal => "nuts-rs, diagonal",
            Self::LowRank => "nuts-rs, low rank",
        }
    }

    /// A chain from `position`, everything but its length and metric as the program has it by default: both aim at an
    /// acceptance of 0.8 and stop at ten doublings.
    pub fn run<L: LogDensity>(
        &self,
        density: L,
        position: &[f64],
        warmup: usize,
        draws: usize,
        mut rng: ChaCha8Rng,
    ) -> ChainRun {
        match self {
            Self::Ours(metric) => {
                let settings = ChainSettings { warmup, draws, ..ChainSettings::default() };
                run_ours(density, position, metric.clone(), settings, rng)
            }
            Self::Diagonal => {
                let settings = DiagNutsSettings {
                    num_tune: warmup as u64,
                    num_draws: draws as u64,
                    ..DiagNutsSettings::default()
                };
                run_nuts_rs(density, position, &settings, &mut rng)
            }
            Self::LowRank => {
                let settings = LowRankNutsSettings {
                    num_tune: warmup as u64,
                    num_draws: draws as u64,
                    ..LowRankNutsSettings::default()
                };
                run_nuts_rs(density, position, &settings, &mut rng)
            }
        }
    }
}

/// Gradients and CPU time of one part of a chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Number of gradient evaluations.
    pub gradients: u64,
    /// CPU time of the thread.
    pub time: Duration,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.gradients += other.gradients;
        self.time += other.time;
    }
}

/// The draws and cost of one chain.
#[derive(Debug, Clone)]
pub struct ChainRun {
    /// Draws after the warm-up, one after the other, unconstrained.
    pub positions: Vec<f64>,
    /// Number of divergent draws.
    pub divergences: usize,
    /// Step size, mean over the draws: nuts-rs varies it by 10 %, uniformly.
    pub step_size: f64,
    /// Cost of the warm-up, with the search for a first step size.
    pub warmup: Cost,
    /// Cost of the draws.
    pub draws: Cost,
}

fn run_ours<L: LogDensity>(
    density: L,
    position: &[f64],
    metric: Metric,
    settings: ChainSettings,
    rng: ChaCha8Rng,
) -> ChainRun {
    let density = CountingDensity::new(density);
    let evaluations = density.evaluations();
    let began = thread_time();
    let mut chain =
        Chain::new(density, position, metric, settings, rng).expect("the start has a finite density");
    while chain.is_warming_up() {
        chain.step();
    }
    let warmup = Cost { gradients: evaluations.get(), time: thread_time() - began };
    let mut positions = Vec::with_capacity(settings.draws * position.len());
    let (mut divergences, mut step_size) = (0, 0.0);
    let began = thread_time();
    for _ in 0..settings.draws {
        let stats = chain.step();
        positions.extend_from_slice(chain.position());
        divergences += usize::from(stats.transition.diverging());
        step_size += stats.step_size / settings.draws as f64;
    }
    let draws = Cost { gradients: evaluations.get() - warmup.gradients, time: thread_time() - began };
    ChainRun { positions, divergences, step_size, warmup, draws }
}

fn run_nuts_rs<L: LogDensity>(
    density: L,
    position: &[f64],
    settings: &impl nuts_rs::Settings,
    rng: &mut ChaCha8Rng,
) -> ChainRun {
    let density = CountingDensity::new(density);
    let evaluations = density.evaluations();
    let began = thread_time();
    let math = CpuMath::new(NutsRsDensity(density));
    let mut chain = settings.new_chain(0, math, rng).expect("the default settings are valid");
    chain.set_position(position).expect("the start has a finite density");
    for _ in 0..settings.hint_num_tune() {
        chain.draw().expect("the density has no errors that end a chain");
    }
    let warmup = Cost { gradients: evaluations.get(), time: thread_time() - began };
    let n_draws = settings.hint_num_draws();
    let mut positions = Vec::with_capacity(n_draws * position.len());
    let (mut divergences, mut step_size) = (0, 0.0);
    let began = thread_time();
    for _ in 0..n_draws {
        let (draw, progress) = chain.draw().expect("the density has no errors that end a chain");
        positions.extend_from_slice(&draw);
        divergences += usize::from(progress.diverging);
        step_size += progress.step_size / n_draws as f64;
    }
    let draws = Cost { gradients: evaluations.get() - warmup.gradients, time: thread_time() - began };
    ChainRun { positions, divergences, step_size, warmup, draws }
}

/// One of our densities with the interface of nuts-rs.
struct NutsRsDensity<L>(CountingDensity<L>);

/// A log density that is not finite. nuts-rs treats it as a divergence, as our chains do.
#[derive(Debug, Error)]
#[error("the log density is {0}")]
struct NotFinite(f64);

impl LogpError for NotFinite {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl<L: LogDensity> HasDims for NutsRsDensity<L> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".to_owned(), self.0.dimension() as u64)])
    }
}

impl<L: LogDensity> CpuLogpFunc for NutsRsDensity<L> {
    type LogpError = NotFinite;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.0.dimension()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, NotFinite> {
        let log_density = self.0.log_density_and_gradient(position, gradient);
        if log_density.is_finite() { Ok(log_density) } else { Err(NotFinite(log_density)) }
    }

    fn expand_vector<R: Rng + ?Sized>(
        &mut self,
        _rng: &mut R,
        position: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}

/// The random numbers of one chain.
#[must_use]
pub fn stream(seed: u64, chain: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(chain);
    rng
}

/// A stream independent of what `rng` yields next.
#[must_use]
pub fn fork(rng: &mut ChaCha8Rng) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(rng.random())
}
