//! Does the sampler sample from the right distribution? A suite of problems whose truth is known from elsewhere.
//!
//! No files, no threads, no plots: the suite is a list of tasks, which the caller runs wherever there is room, and what their
//! results say is data. Sampling goes the way that a user's fits go: k-means, EM, the mode and its curvature, dispersed starts,
//! chains with the default warm-up. A fault anywhere on that way shows.
//!
//! | part | the truth is | what it cannot see |
//! |---|---|---|
//! | `posteriors` | long runs of another program on three data sets | a fault that both programs share |
//! | `calibration` | the prior that parameters were drawn from | a fault that the prior's draws share with its density |
//! | `closed-forms` | formulas, and quadrature over one variable | more than one component with data |
//! | `enumeration` | the sum over all labels of a few observations | more than one dimension |
//! | `log-evidence` | quadrature, the sum over all labels, other programs, a published posterior of K | a fault of the likelihood |
//! | `invariances` | the sampler itself, in other coordinates | what is wrong in all coordinates alike |
//!
//! # The tour
//!
//! 1. [`suite`]: the cases, quick and long, and their tasks. `problem` is how each is sampled.
//! 2. The parts: `posteriors`, `calibration`, `closed_forms`, `enumeration`, `evidence`, `invariances`; `component` is the quadrature, and
//!    `expectations` what cases with exact expectations have in common.
//! 3. [`z_scores`]: estimates against truths, with the null distribution that correlated estimates have. [`ranks`]: uniformity.
//! 4. [`check`]: what was found, and the verdict over all of it at a family-wise error rate of [`check::FAMILY_WISE`].
//!
//! ```no_run
//! use gmm_accuracy::check::{FAMILY_WISE, Verdict, judge};
//! use gmm_accuracy::suite::{Length, Suite};
//!
//! let suite = Suite::new(Length::Quick);
//! let mut results = vec![Vec::new(); suite.n_cases()];
//! for task in suite.tasks() {
//!     results[task.case].push(suite.run(task));
//! }
//! let checks: Vec<_> =
//!     results.into_iter().enumerate().flat_map(|(case, results)| suite.conclude(case, results).checks).collect();
//! assert!(judge(&checks, FAMILY_WISE).iter().all(|&verdict| verdict == Verdict::Pass));
//! ```
#![forbid(unsafe_code)]

mod calibration;
pub mod case;
pub mod check;
mod closed_forms;
mod component;
mod enumeration;
mod evidence;
mod expectations;
mod invariances;
mod posteriors;
mod problem;
pub mod ranks;
pub mod special;
mod stream;
pub mod suite;
pub mod z_scores;
