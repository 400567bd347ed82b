//! Specs: their keys, types and defaults, and the readers that turn TOML into them.

mod document;
mod experiment;
mod keys;
pub mod limits;
mod preset;
mod read;
mod reference;
pub mod suite;

pub use experiment::{
    Axes, Centre, ComponentsPrior, CorrelationsPrior, DataSpec, MeansPrior, Missing, ModelSpec, PriorSpec,
    Resolution, Sample, Scale, ScalePrior, ScoringSpec, Spec, WeightsPrior,
};
pub use read::{Reading, read};
pub use reference::{REFERENCE_TITLE, reference_markdown};

#[cfg(test)]
mod tests;
