//! The same problem in other coordinates: densities and gradients change as they should, posteriors do not.

mod change;
mod density;
mod runs;

pub(crate) use density::Density;
pub(crate) use runs::Runs;
