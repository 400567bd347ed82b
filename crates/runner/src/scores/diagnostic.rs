//! What is wrong with a score, as data; `present::words` has the sentences.

use gmm_scoring::{EvidenceError, LaplaceError};

pub use crate::storage::diagnostic::{Diagnostic, DrawsKey};
use crate::study::job::Variant;

/// What slows a fit, or may surprise, without making it wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Remark {
    /// Trajectories reached the largest tree depth before they turned.
    CutOffTrajectories { cut_off: usize, n_draws: usize },
    /// Share of the draws whose components had changed places.
    LabelsSwitched { share: f64 },
}

/// What is to be said of a score beside the criterion's own diagnostics.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreDiagnostic {
    /// The fit behind it is unreliable.
    Fit(Diagnostic),
    /// All starts of EM ended in a degenerate solution.
    DegenerateStarts { n_starts: usize },
    /// Every optimum of EM depends on a tiny cluster.
    TinyCluster { n_starts: usize, min_count: f64, min_eigenvalue: f64 },
    /// A spurious optimum, so many nats higher, was refused.
    SpuriousOptimum { gain: f64 },
    /// Tied observations make the exact posterior improper.
    ImproperPosterior,
    /// The prior is centred on k-means centroids of the same data.
    PriorFromCentroids,
    /// The prior takes its location or unit from the data.
    PriorUnitFromData,
    /// Bridge sampling found no evidence.
    NoEvidence(EvidenceError),
    /// The Monte Carlo error of log evidence is as large as differences that count.
    LargeEvidenceError,
    /// The halves of the chains give log evidences further apart than their errors allow.
    HalvesDisagree { halves: [f64; 2] },
    /// Laplace's method found no evidence.
    NoLaplace(LaplaceError),
    /// Every way up to a mode led to the spike of tied observations.
    NoRegularMode,
    /// Components coincide at the mode with the most evidence.
    ComponentsCoincide,
    /// The modes of one of two searches have so many nats more evidence than those of the other.
    SearchesDiffer { nats: f64 },
    /// The mean over partitions of the rows, whose estimates have this standard deviation.
    MeanOfPartitions { n: usize, sd: f64 },
    /// The Monte Carlo error of a cross-validated score is too large beside its standard error.
    LargeHeldOutError { mcse: f64, se: f64 },
    /// The fit of a part of the rows is unreliable, and so are those of `n_more` parts.
    UnreliablePart { part: Variant, diagnostics: Vec<Diagnostic>, n_more: usize },
    /// Observations left out by fits: by `n_fits`, the largest without `largest` of them; the estimate changed by `change`.
    Refitted { n: usize, threshold: f64, n_fits: usize, largest: usize, change: f64 },
    /// Refits of `n_refits` that failed or are unreliable.
    BadRefits { n: usize, n_refits: usize, first: RefitProblem },
}

/// Why a refit does not count.
#[derive(Debug, Clone, PartialEq)]
pub enum RefitProblem {
    /// It failed, and why; `None` if it was not run.
    Failed(Option<String>),
    /// It is unreliable.
    Unreliable(Vec<Diagnostic>),
}

impl ScoreDiagnostic {
    /// Whether the score is unreliable for it; the others are told, and change nothing.
    #[must_use]
    pub fn makes_unreliable(&self) -> bool {
        match self {
            Self::Fit(_)
            | Self::DegenerateStarts { .. }
            | Self::TinyCluster { .. }
            | Self::ImproperPosterior
            | Self::NoEvidence(_)
            | Self::LargeEvidenceError
            | Self::HalvesDisagree { .. }
            | Self::NoLaplace(_)
            | Self::NoRegularMode
            | Self::ComponentsCoincide
            | Self::LargeHeldOutError { .. }
            | Self::UnreliablePart { .. } => true,
            // Of refits that do not count the criterion's own diagnostic has counted the observations.
            Self::SpuriousOptimum { .. }
            | Self::SearchesDiffer { .. }
            | Self::PriorFromCentroids
            | Self::PriorUnitFromData
            | Self::MeanOfPartitions { .. }
            | Self::Refitted { .. }
            | Self::BadRefits { .. } => false,
        }
    }
}
