//! Log evidence, estimated by bridge sampling from chains and by sequential Monte Carlo from the prior, against known values.
//!
//! The two methods share the likelihood only: one uses the posterior's density with its constants, the other draws from the prior.
//! A wrong constant, or draws that do not match their density, makes them disagree.

mod estimates;
mod galaxies;
mod truth;

pub(crate) use galaxies::{GalaxiesPosterior, chib_case, galaxies_case};
pub(crate) use truth::{enumeration_case, one_component_case, reference_case};
