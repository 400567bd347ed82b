//! The model: a Gaussian mixture, its priors, its likelihood, and the unconstrained coordinates in which it is sampled.

pub mod likelihood;
pub mod overlap;
pub mod params;
pub mod posterior;
pub mod prior;
pub mod simulate;
pub mod transform;
pub mod triangular;
