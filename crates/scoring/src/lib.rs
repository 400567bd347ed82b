//! How well fitted mixtures predict, and which number of components that supports: numbers in, numbers out.
//!
//! Nothing here fits a model or reads a file. Notation: N observations, S posterior draws (chain-major: all draws of chain 0, then
//! of chain 1, …), K components, `log_likelihood` the S values `log p(y_i | θ_s)` of one observation, in nats. Scores that need draws
//! take observations one at a time, so that an S × N matrix never has to exist.
//!
//! Two models from their pointwise log-likelihoods, and how they compare:
//!
//! ```
//! use gmm_scoring::{Comparison, Fingerprint, LooPoint, Score, Verdict, loo};
//!
//! # fn log_likelihoods(level: f64) -> Vec<Vec<f64>> {
//! #     let value = |i: u32, s: u32| level - 0.2 * f64::from((s * 7 + i * 3) % 19) / 19.0;
//! #     (0..30).map(|i| (0..400).map(|s| value(i, s)).collect()).collect()
//! # }
//! # let (of_two, of_three) = (log_likelihoods(-1.5), log_likelihoods(-1.0));
//! # let observations = [1.2; 30];
//! // One column of S log-likelihoods for each observation, four chains one after the other.
//! let score = |columns: &[Vec<f64>]| -> Score {
//!     let points: Vec<LooPoint> = columns.iter().map(|column| LooPoint::new(column, 4)).collect();
//!     loo(&points, columns[0].len()).with_data(Fingerprint::from_columns([&observations[..]]))
//! };
//! let (two, three) = (score(&of_two), score(&of_three));
//! println!("elpd {:.1} ± {:.1}", two.estimate, two.se);
//!
//! let comparison = Comparison::new(&[(2, &two), (3, &three)])?;
//! assert_eq!(comparison.rows[0].model, 3);
//! println!("K = 2: {:.1} ± {:.1}", comparison.rows[1].difference, comparison.rows[1].difference_se);
//! assert_eq!(Verdict::new(&comparison).map(|verdict| verdict.smallest), Some(3));
//! # Ok::<(), gmm_scoring::CompareError<i32>>(())
//! ```
//!
//! | step | items |
//! |---|---|
//! | the criteria, and what each is | [`Criterion`], [`Descriptor`] |
//! | one model's score by one criterion | [`Score`] |
//! | from a maximised likelihood | [`aic`], [`bic`], [`sbic`], [`icl`] |
//! | from the posterior of all data | [`WaicPoint`], [`waic`]; [`LooPoint`], [`loo`], on [`psis`], and where that fails [`in_doubt`]; both at once [`PointScores`] |
//! | from fits that have not seen the observation | [`held_out`], [`held_out_mcse`], [`kfold`], [`logo`] |
//! | from modes that have not seen the observation | [`cv`] |
//! | from a posterior with a tempered likelihood | [`wbic`] |
//! | log evidence | [`log_evidence`], of a [`Canonical`] copy where components are alike |
//! | log evidence without draws | [`laplace`] |
//! | several K by one criterion | [`Comparison`], with [`stacking`] weights; [`pseudo_bma`] and [`pseudo_bma_plus`], whose random numbers the caller brings |
//! | how many components own an observation | [`Occupied`] |
//! | the partition that stands for many | [`PartitionDraws`]; two of them compared: [`adjusted_rand_index`] |
//! | which K a comparison prefers | [`Verdict`] |
//! | every column in prose, and what it cannot tell | [`GLOSSARY`] |
//!
//! Standard errors and variances have denominators n − 1, as in R's `loo`, whose authors wrote the papers; ArviZ divides by n, so
//! its standard errors and p_waic are a little smaller, its elpd_waic a little larger. A tail has the length that the paper gives it,
//! as in `loo`; ArviZ takes every ratio above the cutoff, which are fewer where draws are tied there.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod column;
mod comparison;
mod criteria;
mod criterion;
mod descriptor;
mod diagnostic;
mod exponential;
mod fingerprint;
mod held_out;
mod log_likelihood;
mod log_sum_exp;
mod maximum;
mod occupied;
mod pareto;
mod partition;
mod pointwise;
mod pseudo_bma;
mod psis;
mod rand_index;
mod refit;
mod score;
mod stacking;
mod terms;
mod verdict;

pub use comparison::{CompareError, Comparison, Difference, Row};
pub use criteria::*;
pub use criterion::Criterion;
pub use descriptor::{Basis, Descriptor, Fits, Scale, Source};
pub use diagnostic::Diagnostic;
pub use fingerprint::Fingerprint;
pub use held_out::{held_out, held_out_mcse};
pub use log_likelihood::LogLikelihood;
pub use log_sum_exp::{log_mean_exp, log_sum_exp};
pub use maximum::{Maxima, Maximum};
pub use occupied::Occupied;
pub use pareto::GeneralizedPareto;
pub use partition::PartitionDraws;
pub use pointwise::PointScores;
pub use pseudo_bma::{pseudo_bma, pseudo_bma_plus};
pub use psis::{SmoothedWeights, khat_threshold, psis, tail_length};
pub use rand_index::adjusted_rand_index;
pub use refit::in_doubt;
pub use score::Score;
pub use stacking::stacking;
pub use terms::Terms;
pub use verdict::{FEW_TERMS, Flag, SMALL_ELPD_DIFFERENCE, Verdict};

#[doc = include_str!("glossary.md")]
pub const GLOSSARY: &str = include_str!("glossary.md");
