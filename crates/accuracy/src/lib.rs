//! Tests of the sampler on problems with known answers.
//!
//! No files, no threads, no plots: the suite is a list of tasks, the caller decides where they run, and the results are data.
//! Chains start as in a user's fit: k-means, EM, the mode and its curvature, dispersed starts, the default warm-up. A fault in any of
//! these steps shows.
//!
//! | part | source of the known answer | what it cannot detect |
//! |---|---|---|
//! | `posteriors` | long runs of another program on three data sets | a fault that both programs share |
//! | `calibration` | the prior that parameters were drawn from | a fault that draws from the prior share with its density |
//! | `closed-forms` | formulas, and quadrature over one variable | faults that need data and more than one component |
//! | `enumeration` | the sum over all labels of a few observations | faults that need more than one dimension |
//! | `log-evidence` | quadrature, enumeration, other programs, a published posterior of K | a fault of the likelihood |
//! | `invariances` | the sampler itself, in other coordinates | a fault that is the same in all coordinates |
//!
//! # The tour
//!
//! 1. [`suite`]: the cases, quick and long, and their tasks. `problem` samples the posterior of a case.
//! 2. The parts: `posteriors`, `calibration`, `closed_forms`, `enumeration`, `evidence`, `invariances`. `component` does the quadrature;
//!    `expectations` is the common form of cases with exact expectations.
//! 3. `comparison`: estimates against known answers. [`z_scores`]: the joint null distribution of correlated z-scores. [`ranks`]: the
//!    test of uniformity.
//! 4. [`check`]: results and verdicts, at the family-wise error rate [`check::FAMILY_WISE_ERROR_RATE`].
//!
//! ```no_run
//! use gmm_accuracy::check::{FAMILY_WISE_ERROR_RATE, Verdict, verdicts};
//! use gmm_accuracy::suite::{Length, Suite};
//!
//! let suite = Suite::new(Length::Quick);
//! let mut results = vec![Vec::new(); suite.n_cases()];
//! for task in suite.tasks() {
//!     results[task.case].push(suite.run(task));
//! }
//! let checks: Vec<_> =
//!     results.into_iter().enumerate().flat_map(|(case, results)| suite.conclude(case, results).checks).collect();
//! assert!(verdicts(&checks, FAMILY_WISE_ERROR_RATE).iter().all(|&verdict| verdict == Verdict::Pass));
//! ```
#![forbid(unsafe_code)]

mod calibration;
pub mod case;
pub mod check;
mod closed_forms;
mod comparison;
mod component;
mod enumeration;
mod evidence;
mod expectations;
mod invariances;
mod normal;
mod posteriors;
mod problem;
pub mod ranks;
mod stream;
pub mod suite;
pub mod z_scores;
