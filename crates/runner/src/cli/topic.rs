//! The topics of the documentation that the program carries.

use clap::ValueEnum;

/// A topic. Its file is `crates/runner/guide/<name>.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// From a data file to a number of components, step by step
    FirstStudy,
    /// What each part of the table, the answer and the page means
    ReadingAReport,
    /// What each criterion asks, which one answers, what none can tell
    Criteria,
    /// The model, its priors, and six ways in which mixtures mislead
    PriorsAndTraps,
    /// Every key of a spec, with its default
    Spec,
    /// Files read and written, their columns, and Python that loads them
    FileFormats,
    /// Same bytes, interrupted runs, damaged files, exit status
    ReproducingAndResuming,
    /// Score and diagnose draws of other programs
    DrawsElsewhere,
    /// Studies on simulated data: how often each criterion finds the true K
    Suites,
    /// How the numbers were verified
    Verified,
    /// Speed, memory, and how they grow with the data
    Speed,
    /// Add a criterion, a figure, an output format, a key or a topic
    Extending,
    /// Terms, each in a sentence or two
    Glossary,
    /// What changed in files and messages
    Changes,
}
