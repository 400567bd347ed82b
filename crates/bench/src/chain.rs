//! One chain: time per gradient, and what of it is the log density with its gradient and what the likelihood's pass, at the positions
//! where it has been.
//!
//! The parts are timed apart, on the recorded positions, and not by a clock within the chain: how many components a pass may leave
//! out depends on where it is, and a clock read twice a gradient would cost 40 to 80 ns of the few microseconds that it measures.

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
use crate::rounds::Work;

/// Iterations before anything is timed. The step size is about right from 150 on, which the sampler's own default is twice of.
const WARMUP: usize = 150;

/// Positions that the parts are timed on: those of some 40 draws of six gradients.
const POSITIONS: usize = 256;

/// The posterior of a case, and where its chain starts.
pub struct Ground {
    pub shape: Shape,
    likelihood: Likelihood,
    prior: Prior,
    start: Start,
    case: Case,
}

/// The positions that a density was asked about, one after the other, up to as many as there is room for.
struct Record {
    positions: Vec<f64>,
    room: usize,
}

struct Recorded<L> {
    density: L,
    record: Rc<RefCell<Record>>,
}

impl<L: LogDensity> LogDensity for Recorded<L> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let mut record = self.record.borrow_mut();
        if record.room > 0 {
            record.room -= 1;
            record.positions.extend_from_slice(position);
        }
        self.density.log_density_and_gradient(position, gradient)
    }
}

/// What is timed of a chain.
pub struct Works<'a> {
    /// The chain goes on by a draw; its unit is a gradient.
    pub draw: Work<'a>,
    /// The posterior's log density and gradient.
    pub density: Work<'a>,
    /// The likelihood's pass alone.
    pub pass: Work<'a>,
}

impl Ground {
    /// Climbs to the posterior mode above the case's mixture, and takes the metric there.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let (likelihood, prior) = (Likelihood::new(&case.data), case.prior());
        let mut posterior =
            Posterior::new(&likelihood, &prior, case.shape.k).expect("the default prior is sound");
        let start = Start::find(&mut posterior, std::slice::from_ref(&case.mixture), |_| false)
            .expect("the density is finite above EM's optimum, and above the truth");
        Self { shape: case.shape.clone(), likelihood, prior, start, case }
    }

    fn posterior(&self) -> Posterior<'_> {
        Posterior::new(&self.likelihood, &self.prior, self.shape.k).expect("the prior was checked before")
    }

    /// A chain that is warmed up, with the positions of its next gradients.
    fn chain(&self) -> (Chain<impl LogDensity + use<'_>>, Vec<f64>) {
        let record = Rc::new(RefCell::new(Record { positions: Vec::new(), room: 0 }));
        let mut rng = self.case.stream_of_chain();
        let position = self.start.disperse(&mut self.posterior(), &mut rng);
        let density = Recorded { density: self.posterior(), record: record.clone() };
        let settings = ChainSettings { warmup: WARMUP, ..ChainSettings::default() };
        let mut chain = Chain::new(density, &position, self.start.metric.clone(), settings, rng)
            .expect("starts have a finite density");
        while chain.is_warming_up() {
            chain.step();
        }
        record.borrow_mut().room = POSITIONS;
        while record.borrow().room > 0 {
            chain.step();
        }
        let positions = std::mem::take(&mut record.borrow_mut().positions);
        (chain, positions)
    }

    /// A chain that is warmed up; its work is a draw, and its unit a gradient.
    #[must_use]
    pub fn draws(&self) -> Work<'_> {
        let mut chain = self.chain().0;
        Box::new(move || gradients(&chain.step()))
    }

    /// The chain and its parts.
    #[must_use]
    pub fn works(&self) -> Works<'_> {
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
            let position = &positions[next.next().expect("it goes round") * dimension..][..dimension];
            black_box(posterior.log_density_and_gradient(black_box(position), &mut gradient));
            1
        };
        let (k, d) = (self.shape.k, self.shape.d);
        let (mut workspace, mut moments) = (Workspace::new(k, d), Moments::new(k, d));
        let mut next = (0..components.len()).cycle();
        let pass = move || {
            let components = black_box(&components[next.next().expect("it goes round")]);
            black_box(self.likelihood.log_likelihood_and_moments(components, &mut workspace, &mut moments));
            1
        };
        Works { draw: Box::new(draw), density: Box::new(density), pass: Box::new(pass) }
    }

    /// The posterior's log density and gradient at the mode.
    #[must_use]
    pub fn gradient_at_mode(&self) -> Work<'_> {
        let mut posterior = self.posterior();
        let mut gradient = vec![0.0; posterior.dimension()];
        Box::new(move || {
            let position = black_box(&self.start.mode.position);
            black_box(posterior.log_density_and_gradient(position, &mut gradient));
            1
        })
    }
}

/// What a draw took.
fn gradients(draw: &DrawStats) -> u64 {
    u64::from(draw.transition.n_steps * GRADIENTS_PER_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Spacing;

    #[test]
    fn positions_are_those_of_the_chains_next_gradients() {
        let ground = Ground::new(Case::on_grid(200, 2, 2, Spacing::Separated));
        let (_, positions) = ground.chain();
        let dimension = ground.posterior().dimension();
        assert_eq!(positions.len(), POSITIONS * dimension);
        // A step moves every coordinate: no two neighbours are alike.
        let mut pairs = positions.chunks_exact(dimension).zip(positions.chunks_exact(dimension).skip(1));
        assert!(pairs.all(|(a, b)| a != b));
    }

    #[test]
    fn a_chains_units_are_gradients() {
        let ground = Ground::new(Case::on_grid(200, 2, 2, Spacing::Separated));
        let mut works = ground.works();
        let gradients: u64 = (0..50).map(|_| (works.draw)()).sum();
        assert!((100..50 * 126).contains(&gradients), "{gradients}");
        assert_eq!([(works.density)(), (works.pass)()], [1, 1]);
    }
}
