//! Specs: their keys, types and defaults, and the readers that turn TOML into them.

mod document;
mod experiment;
pub mod limits;
mod read;
pub mod suite;

pub use experiment::{
    Centre, CorrelationsPrior, DataSpec, MeansPrior, Missing, PriorSpec, Scale, ScalePrior, ScoringSpec,
    Spec, WeightsPrior,
};
pub use read::{Reading, read};

#[cfg(test)]
mod tests;
