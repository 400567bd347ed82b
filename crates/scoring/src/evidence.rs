//! The log evidence of a model, log ∫ p(y | θ) p(θ) dθ, from draws of its posterior.

mod bridge;
mod canonical;
mod laplace;
mod permanent;
mod proposal;

pub use bridge::{Evidence, EvidenceError, log_evidence};
pub use canonical::Canonical;
pub use laplace::{Laplace, LaplaceError, laplace};
