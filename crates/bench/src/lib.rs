//! How fast is it, how does that grow, and how far is it from what the machine can do?
//!
//! No files, no plots: the suite measures, and what it found is data. All times are CPU times of one thread's work, taken in
//! interleaved rounds; every number is a median and a minimum.
//!
//! | area | what is timed | beside it |
//! |---|---|---|
//! | kernel | the likelihood's pass: log-likelihood and moments | its arithmetic at the machine's rate of multiply-adds |
//! | chain | a gradient of a warmed-up chain, all that the chain does included | the log density with its gradient, and the pass, at positions where the chain has been |
//! | EM | an iteration | |
//! | fit | data to draws, by whoever knows how chains are started | effective draws a second |
//!
//! # The tour
//!
//! 1. [`suite`]: the cases, quick and long, and their budgets. [`case`] is what they are measured on, [`data_set`] the real data.
//! 2. [`clock`] and [`rounds`]: how time is taken.
//! 3. [`kernel`], [`chain`], [`em`], [`scores`]: the works. [`floor`]: what the kernel's arithmetic costs at least.
//! 4. [`growth`]: exponents in N, K and D, and what is claimed of them.
//! 5. [`fixed`]: works whose instructions are counted, by `tests/instructions.rs`, which is what a change of a few percent shows in.
//!
//! ```no_run
//! use gmm_bench::suite::{Length, run};
//!
//! let speed = run(Length::Quick, &mut |area| eprintln!("{}", area.name()));
//! for growth in &speed.growths {
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
pub mod floor;
pub mod growth;
pub mod kernel;
pub mod rounds;
pub mod scores;
pub mod suite;
