//! One chain: the time per gradient, and its shares for the log density with its gradient and for the likelihood's pass.
//!
//! The parts are timed separately at recorded positions of the chain. A clock inside the chain, read twice per gradient, would add 40
//! to 80 ns to the few microseconds it measures. Recorded positions are needed because the number of components that a pass skips
//! depends on the position.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::Prior;
use gmm_sampler::nuts::GRADIENTS_PER_STEP;
use gmm_sampler::nuts::chain::{Chain, ChainSettings, DrawStats};
use gmm_sampler::start::Start;

use crate::case::{Case, Shape};
use crate::timing::Workload;

/// Warm-up iterations, half of the sampler's default. The step size has settled by then.
const WARMUP: usize = 150;

/// Number of recorded positions: those of about 40 draws of six gradients.
const POSITIONS: usize = 256;

/// The posterior of a case and the start of its chain.
pub struct ChainCase {
    pub shape: Shape,
    likelihood: Likelihood,
    prior: Prior,
    start: Start,
    case: Case,
}

/// The positions at which a density was evaluated, in order.
struct PositionLog {
    positions: Vec<f64>,
    /// Number of positions still to record.
    remaining: usize,
}

/// A density that records the positions at which it is evaluated.
struct RecordingDensity<L> {
    density: L,
    log: Rc<RefCell<PositionLog>>,
}

impl<L: LogDensity> LogDensity for RecordingDensity<L> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let mut log = self.log.borrow_mut();
        if log.remaining > 0 {
            log.remaining -= 1;
            log.positions.extend_from_slice(position);
        }
        self.density.log_density_and_gradient(position, gradient)
    }
}

/// The workloads of one chain.
pub struct ChainWorkloads<'a> {
    /// One draw of the chain; its unit is a gradient.
    pub draw: Workload<'a>,
    /// Log density and gradient of the posterior.
    pub density: Workload<'a>,
    /// The pass of the likelihood alone.
    pub pass: Workload<'a>,
}

impl ChainCase {
    /// Finds the posterior mode from the case's mixture and the metric at the mode.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let (likelihood, prior) = (Likelihood::new(&case.data), case.prior());
        let mut posterior =
            Posterior::new(&likelihood, &prior, case.shape.k).expect("the default prior is valid");
        let start = Start::find(&mut posterior, std::slice::from_ref(&case.mixture), |_| false)
            .expect("the density is finite at EM's optimum and at the true mixture");
        Self { shape: case.shape.clone(), likelihood, prior, start, case }
    }

    fn posterior(&self) -> Posterior<'_> {
        Posterior::new(&self.likelihood, &self.prior, self.shape.k).expect("the prior was checked before")
    }

    /// A chain after warm-up, with the positions of its next gradients.
    fn chain(&self) -> (Chain<impl LogDensity + use<'_>>, Vec<f64>) {
        let log = Rc::new(RefCell::new(PositionLog { positions: Vec::new(), remaining: 0 }));
        let mut rng = self.case.chain_stream();
        let position = self.start.disperse(&mut self.posterior(), &mut rng);
        let density = RecordingDensity { density: self.posterior(), log: log.clone() };
        let settings = ChainSettings { warmup: WARMUP, ..ChainSettings::default() };
        let mut chain = Chain::new(density, &position, self.start.metric.clone(), settings, rng)
            .expect("starts have a finite density");
        while chain.is_warming_up() {
            chain.step();
        }
        log.borrow_mut().remaining = POSITIONS;
        while log.borrow().remaining > 0 {
            chain.step();
        }
        let positions = std::mem::take(&mut log.borrow_mut().positions);
        (chain, positions)
    }

    /// One draw of a chain after warm-up; its unit is a gradient.
    #[must_use]
    pub fn draws(&self) -> Workload<'_> {
        let mut chain = self.chain().0;
        Box::new(move || gradients(&chain.step()))
    }

    /// The chain and its parts.
    #[must_use]
    pub fn workloads(&self) -> ChainWorkloads<'_> {
        let (mut chain, positions) = self.chain();
        let draw = move || gradients(&chain.step());
        let mut posterior = self.posterior();
        let dimension = posterior.dimension();
        let layout = posterior.layout();
        let components: Vec<WhitenedComponents> = positions
            .chunks_exact(dimension)
            .map(|position| WhitenedComponents::from_mixture(&layout.constrain(position)))
            .collect();
        let mut gradient = vec![0.0; dimension];
        let mut next = (0..components.len()).cycle();
        let density = move || {
            let position = &positions[next.next().expect("the cycle is endless") * dimension..][..dimension];
            black_box(posterior.log_density_and_gradient(black_box(position), &mut gradient));
            1
        };
        let (k, d) = (self.shape.k, self.shape.d);
        let (mut workspace, mut moments) = (Workspace::new(k, d), Moments::new(k, d));
        let mut next = (0..components.len()).cycle();
        let pass = move || {
            let components = black_box(&components[next.next().expect("the cycle is endless")]);
            black_box(self.likelihood.log_likelihood_and_moments(components, &mut workspace, &mut moments));
            1
        };
        ChainWorkloads { draw: Box::new(draw), density: Box::new(density), pass: Box::new(pass) }
    }

    /// Log density and gradient of the posterior at the mode.
    #[must_use]
    pub fn gradient_at_mode(&self) -> Workload<'_> {
        let mut posterior = self.posterior();
        let mut gradient = vec![0.0; posterior.dimension()];
        Box::new(move || {
            let position = black_box(&self.start.mode.position);
            black_box(posterior.log_density_and_gradient(position, &mut gradient));
            1
        })
    }
}

/// The number of gradients of one draw.
fn gradients(draw: &DrawStats) -> u64 {
    u64::from(draw.transition.n_steps * GRADIENTS_PER_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Spacing;

    #[test]
    fn positions_are_those_of_the_chains_next_gradients() {
        let case = ChainCase::new(Case::from_grid(200, 2, 2, Spacing::Separated));
        let (_, positions) = case.chain();
        let dimension = case.posterior().dimension();
        assert_eq!(positions.len(), POSITIONS * dimension);
        // A step moves every coordinate, so successive positions differ.
        let mut pairs = positions.chunks_exact(dimension).zip(positions.chunks_exact(dimension).skip(1));
        assert!(pairs.all(|(a, b)| a != b));
    }

    #[test]
    fn the_unit_of_a_chain_is_a_gradient() {
        let case = ChainCase::new(Case::from_grid(200, 2, 2, Spacing::Separated));
        let mut workloads = case.workloads();
        let gradients: u64 = (0..50).map(|_| (workloads.draw)()).sum();
        assert!((100..50 * 126).contains(&gradients), "{gradients}");
        assert_eq!([(workloads.density)(), (workloads.pass)()], [1, 1]);
    }
}
