//! A log density that counts its evaluations.

use std::cell::Cell;
use std::rc::Rc;

use gmm_sampler::log_density::LogDensity;

/// A log density with a count of its evaluations, which can be read while a program owns the density.
#[derive(Debug, Clone)]
pub struct CountingDensity<L> {
    density: L,
    evaluations: Rc<Cell<u64>>,
}

impl<L> CountingDensity<L> {
    /// Starts counting at 0.
    pub fn new(density: L) -> Self {
        Self { density, evaluations: Rc::default() }
    }

    /// The running number of gradients, shared with all clones.
    #[must_use]
    pub fn evaluations(&self) -> Rc<Cell<u64>> {
        self.evaluations.clone()
    }
}

impl<L: LogDensity> LogDensity for CountingDensity<L> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluations.set(self.evaluations.get() + 1);
        self.density.log_density_and_gradient(position, gradient)
    }
}
