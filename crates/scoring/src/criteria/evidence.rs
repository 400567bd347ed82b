//! The log evidence of a model, log ∫ p(y | θ) p(θ) dθ, by bridge sampling from draws of its posterior.

mod bridge;
mod canonical;
mod importance;
mod proposal;
mod student;

pub use self::bridge::{Evidence, EvidenceError, log_evidence};
pub use self::canonical::Canonical;
pub use self::importance::{Importance, importance};
use crate::descriptor::{Descriptor, Fits, Scale, Source};

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "evidence",
    title: "Log evidence",
    scale: Scale::Evidence,
    source: Source::Draws(Fits::AllRows),
    terms: None,
    reference: "Meng, X.-L. & Wong, W. H. (1996). Simulating ratios of normalizing constants via a simple identity: a theoretical \
                exploration. Statistica Sinica 6, 831–860.",
    rationale: "has the largest evidence under this prior",
    // Before predictions: it finds a true K more often than they do, which a spare component costs next to nothing.
    rank: Some(20),
    by_default: true,
};
