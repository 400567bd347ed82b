//! The No-U-Turn sampler: Hamiltonian trajectories of adaptive length (Hoffman & Gelman 2014; Betancourt 2017).

mod adaptation;
pub mod chain;
pub(crate) mod hamiltonian;
pub mod metric;
mod subtree;
pub mod trajectory;

pub use hamiltonian::GRADIENTS_PER_STEP;
