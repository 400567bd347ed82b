//! The same problem in other coordinates: densities and gradients transform as they must, posteriors agree.

mod density;
mod runs;
mod transformation;

pub(crate) use density::DensityInvariance;
pub(crate) use runs::PosteriorInvariance;
