//! The log density that a chain samples, with its gradient on ℝⁿ.

/// A differentiable log density on ℝⁿ, in nats, up to a constant.
pub trait LogDensity {
    /// n, the number of coordinates.
    fn dimension(&self) -> usize;

    /// Returns the log density at `position` (length n) and overwrites `gradient` (length n) by its gradient.
    ///
    /// Returns a value that is not finite outside the support and beyond double precision; `gradient` is then unspecified.
    /// Takes `&mut self` so that implementations can keep buffers instead of allocating.
    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64;
}
