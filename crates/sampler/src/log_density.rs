//! What a chain samples from: a log density with its gradient on ℝⁿ.

/// A differentiable log density on ℝⁿ, up to a constant.
pub trait LogDensity {
    /// n.
    fn dimension(&self) -> usize;

    /// The log density at `position` (length n), and its gradient, which overwrites `gradient` (length n).
    ///
    /// A point outside the support, or beyond double precision, gives a value that is not finite; the gradient is then
    /// unspecified. Mutable because an implementation keeps its buffers: no evaluation allocates.
    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64;
}
