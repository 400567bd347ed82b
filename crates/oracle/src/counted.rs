//! A density that counts how often it is asked.

use std::cell::Cell;
use std::rc::Rc;

use gmm_sampler::log_density::LogDensity;

/// A log density, with a count of its evaluations that is read from outside of the program that owns it.
#[derive(Debug, Clone)]
pub struct Counted<L> {
    density: L,
    evaluations: Rc<Cell<u64>>,
}

impl<L> Counted<L> {
    pub fn new(density: L) -> Self {
        Self { density, evaluations: Rc::default() }
    }

    /// The running count of gradients, shared with every clone.
    #[must_use]
    pub fn evaluations(&self) -> Rc<Cell<u64>> {
        self.evaluations.clone()
    }
}

impl<L: LogDensity> LogDensity for Counted<L> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluations.set(self.evaluations.get() + 1);
        self.density.log_density_and_gradient(position, gradient)
    }
}
