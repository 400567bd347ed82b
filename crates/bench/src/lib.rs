//! Benchmarks: how fast the sampler is, how its time grows, and how close it comes to the machine's peak arithmetic rate.
//!
//! No files, no plots: the results are data. Times are CPU times of one thread, taken in interleaved rounds, and reported as median and
//! minimum.
//!
//! | area | what is timed | compared with |
//! |---|---|---|
//! | kernel | one pass of the likelihood: log-likelihood and moments | its arithmetic at the machine's rate of multiply-adds |
//! | chain | one gradient of a chain after warm-up, with everything else that the chain does | the log density with its gradient, and the pass, at positions of the chain |
//! | EM | one iteration | |
//! | fit | data to draws, by the caller, who knows how chains are started | effective draws per second |
//!
//! # The tour
//!
//! 1. [`suite`]: the cases, quick and long, and the time spent on them. [`case`] has their data and mixtures, [`data_set`] the real data.
//! 2. [`timing`]: interleaved rounds of CPU time. [`measurement`]: areas, quantities and units.
//! 3. [`kernel`], [`chain`], [`em`], [`scores`]: the workloads. [`peak`]: the time of the kernel's arithmetic at the peak rate.
//! 4. [`growth`]: exponents in N, K and D, and their limits.
//! 5. [`fixed`]: workloads whose instructions are counted by `tests/instructions.rs`, which detects changes of a few percent.
//!
//! ```no_run
//! use gmm_bench::suite::{Length, run};
//!
//! let results = run(Length::Quick, &mut |area| eprintln!("{}", area.name()));
//! for growth in &results.growths {
//!     println!("{} {}^{:.2}", growth.area.name(), growth.variable.symbol(), growth.exponent());
//! }
//! ```
#![forbid(unsafe_code)]

pub mod case;
pub mod chain;
pub mod clock;
pub mod data_set;
pub mod em;
pub mod fixed;
pub mod growth;
pub mod kernel;
pub mod measurement;
pub mod peak;
pub mod scores;
pub mod suite;
pub mod timing;
