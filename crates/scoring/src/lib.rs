//! How well fitted mixtures predict, and which number of components that speaks for: numbers in, numbers out.
//!
//! Nothing here fits a model or reads a file. Notation: N observations, S posterior draws (chain-major: all draws of chain 0, then
//! of chain 1, …), K components, `log_likelihood` the S values `log p(y_i | θ_s)` of one observation. Scores that need draws work
//! through observations one at a time, so that an S × N matrix never has to exist:
//!
//! ```
//! use gmm_scoring::{LooPoint, loo};
//!
//! # let columns: Vec<Vec<f64>> =
//! #     (0..30).map(|i| (0..400).map(|s| -1.0 - 0.2 * f64::from((s * 7 + i * 3) % 19) / 19.0).collect()).collect();
//! let n_chains = 4;
//! let points: Vec<LooPoint> = columns.iter().map(|column| LooPoint::of(column, n_chains)).collect();
//! let score = loo(&points, columns[0].len());
//! println!("elpd {:.1} ± {:.1}", score.estimate, score.se);
//! # assert!(score.estimate.is_finite());
//! ```
//!
//! | step | module |
//! |---|---|
//! | which scores there are, and which way is better | [`Criterion`] |
//! | one model's score by one criterion | [`Score`] |
//! | from a maximised likelihood | [`aic`], [`bic`], [`icl`] |
//! | from the posterior of all data | [`WaicPoint`], [`waic`]; [`LooPoint`], [`loo`], on [`psis`], and where that fails [`in_doubt`]; both at once [`PointScores`] |
//! | from fits that never saw the observation | [`held_out`], [`held_out_mcse`], [`kfold`], [`logo`] |
//! | of singular models | [`sbic`], [`wbic`] |
//! | log evidence | [`log_evidence`], of a [`Canonical`] copy where components are alike |
//! | the same without draws | [`laplace`] |
//! | several K by one criterion | [`Comparison`], with [`stacking`] weights; [`pseudo_bma`] and [`pseudo_bma_plus`], whose random numbers the caller brings |
//! | how many components own an observation | [`Occupied`] |
//! | what that says in words | [`Verdict`] |
//!
//! Standard errors and variances have denominators n − 1, as in R's `loo`, whose authors wrote the papers; ArviZ divides by n, so
//! its standard errors and p_waic are a little smaller, its elpd_waic a little larger. A tail has the length that the paper gives it,
//! as in `loo`; ArviZ takes every ratio above the cutoff, which are fewer where draws are tied there.
#![forbid(unsafe_code)]

mod column;
mod compare;
mod criterion;
mod evidence;
mod exponential;
mod information;
mod kfold;
mod log_likelihood;
mod log_sum_exp;
mod loo;
mod occupied;
mod pareto;
mod pointwise;
mod pseudo_bma;
mod psis;
mod rand_index;
mod refit;
mod score;
mod singular;
mod stacking;
mod verdict;
mod waic;

pub use compare::{CompareError, Comparison, Row, paired_difference};
pub use criterion::{Basis, Criterion, Scale, UnknownCriterion};
pub use evidence::{Canonical, Evidence, EvidenceError, Laplace, LaplaceError, laplace, log_evidence};
pub use information::{aic, bic, entropy, icl};
pub use kfold::{held_out, held_out_mcse, kfold, logo};
pub use log_likelihood::LogLikelihood;
pub use log_sum_exp::{log_mean_exp, log_sum_exp};
pub use loo::{LooPoint, loo, relative_efficiency};
pub use occupied::Occupied;
pub use pareto::GeneralizedPareto;
pub use pointwise::PointScores;
pub use pseudo_bma::{pseudo_bma, pseudo_bma_plus};
pub use psis::{SmoothedWeights, khat_threshold, psis, tail_length};
pub use rand_index::adjusted_rand_index;
pub use refit::in_doubt;
pub use score::Score;
pub use singular::{Maximised, sbic, sbic_phi, wbic, wbic_power};
pub use stacking::stacking;
pub use verdict::{Flag, SMALL_ELPD_DIFFERENCE, Verdict};
pub use waic::{WaicPoint, waic};

/// Every reported column in prose, and what the number cannot tell. Markdown.
pub const GLOSSARY: &str = include_str!("glossary.md");
