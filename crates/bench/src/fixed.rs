//! Fixed workloads whose instructions are counted: each run executes exactly the same instructions.

use crate::case::Case;
use crate::chain::ChainCase;
use crate::data_set::{BLOBS, IRIS, OLD_FAITHFUL};
use crate::timing::Workload;
use crate::{em, kernel, scores};

/// A fixed workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedWorkload {
    KernelBlobs,
    KernelOldFaithful,
    KernelIris,
    KernelSimulated,
    GradientBlobs,
    ChainBlobs,
    EmSimulated,
    Scores,
}

impl FixedWorkload {
    /// All of them, in the order of the stored counts.
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

    /// The name in the file of stored counts.
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

    /// The unit. For a chain it is a gradient, because draws differ in their number of gradients.
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

    /// Calls in one count: about ten million instructions, which the simulator runs in a second or less.
    #[must_use]
    pub fn calls(self) -> usize {
        match self {
            Self::KernelBlobs | Self::GradientBlobs => 200,
            Self::KernelOldFaithful | Self::KernelIris => 500,
            Self::KernelSimulated => 1,
            Self::ChainBlobs => 40,
            Self::EmSimulated => 5,
            Self::Scores => 2,
        }
    }

    /// Calls the workload this many times and returns the number of units done.
    #[must_use]
    pub fn run(self, calls: usize) -> u64 {
        let repeat = |mut workload: Workload<'_>| (0..calls).map(|_| workload()).sum();
        match self {
            Self::KernelBlobs => repeat(kernel::workload(&Case::from_data_set(BLOBS, 8))),
            Self::KernelOldFaithful => repeat(kernel::workload(&Case::from_data_set(OLD_FAITHFUL, 3))),
            Self::KernelIris => repeat(kernel::workload(&Case::from_data_set(IRIS, 3))),
            Self::KernelSimulated => repeat(kernel::workload(&Case::with_random_means(20_000, 8, 6))),
            Self::GradientBlobs => repeat(ChainCase::new(Case::from_data_set(BLOBS, 8)).gradient_at_mode()),
            Self::ChainBlobs => repeat(ChainCase::new(Case::from_data_set(BLOBS, 8)).draws()),
            Self::EmSimulated => repeat(em::workload(&Case::with_random_means(4096, 4, 4))),
            Self::Scores => repeat(scores::workload()),
        }
    }
}
