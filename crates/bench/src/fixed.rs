//! Fixed pieces of work whose instructions are counted: the same to the instruction each time.

use crate::case::Case;
use crate::chain::Ground;
use crate::data_set::{BLOBS, IRIS, OLD_FAITHFUL};
use crate::rounds::Work;
use crate::{em, kernel, scores};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    KernelBlobs,
    KernelOldFaithful,
    KernelIris,
    KernelSimulated,
    GradientBlobs,
    ChainBlobs,
    EmSimulated,
    Scores,
}

impl Fixed {
    pub const ALL: [Self; 8] = [
        Self::KernelBlobs,
        Self::KernelOldFaithful,
        Self::KernelIris,
        Self::KernelSimulated,
        Self::GradientBlobs,
        Self::ChainBlobs,
        Self::EmSimulated,
        Self::Scores,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KernelBlobs => "kernel-blobs-k8",
            Self::KernelOldFaithful => "kernel-old-faithful-k3",
            Self::KernelIris => "kernel-iris-k3",
            Self::KernelSimulated => "kernel-simulated-n20000-d8-k6",
            Self::GradientBlobs => "gradient-blobs-k8",
            Self::ChainBlobs => "chain-blobs-k8",
            Self::EmSimulated => "em-simulated-n4096-d4-k4",
            Self::Scores => "scores-4-chains-of-1000-draws",
        }
    }

    /// What is counted by. A chain's draws differ in their gradients, and any change of its random numbers would change how many there are.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::KernelBlobs | Self::KernelOldFaithful | Self::KernelIris | Self::KernelSimulated => "pass",
            Self::GradientBlobs => "gradient",
            Self::ChainBlobs => "gradient",
            Self::EmSimulated => "iteration",
            Self::Scores => "observation",
        }
    }

    /// How often it is done to be counted: some ten million instructions, which a simulator runs in a second or less.
    #[must_use]
    pub fn times(self) -> usize {
        match self {
            Self::KernelBlobs | Self::GradientBlobs => 200,
            Self::KernelOldFaithful | Self::KernelIris => 500,
            Self::KernelSimulated => 1,
            Self::ChainBlobs => 40,
            Self::EmSimulated => 5,
            Self::Scores => 2,
        }
    }

    /// Does it so many times; returns how many units that were.
    #[must_use]
    pub fn run(self, times: usize) -> u64 {
        let again = |mut work: Work<'_>| (0..times).map(|_| work()).sum();
        match self {
            Self::KernelBlobs => again(kernel::work(&Case::real(BLOBS, 8))),
            Self::KernelOldFaithful => again(kernel::work(&Case::real(OLD_FAITHFUL, 3))),
            Self::KernelIris => again(kernel::work(&Case::real(IRIS, 3))),
            Self::KernelSimulated => again(kernel::work(&Case::scattered(20_000, 8, 6))),
            Self::GradientBlobs => again(Ground::new(Case::real(BLOBS, 8)).gradient_at_mode()),
            Self::ChainBlobs => again(Ground::new(Case::real(BLOBS, 8)).draws()),
            Self::EmSimulated => again(em::work(&Case::scattered(4096, 4, 4))),
            Self::Scores => again(scores::work()),
        }
    }
}
