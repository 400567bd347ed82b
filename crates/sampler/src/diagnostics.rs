//! Convergence and precision of draws: R-hat, effective sample size, Monte Carlo standard error.
//!
//! Every function takes one chain-major column (all draws of chain 0, then of chain 1, …) and the number of chains, all of one
//! length. Chains are split in half first, so that a drift within a chain counts as disagreement between chains. If a chain has
//! an odd number of draws, its middle draw belongs to no half. Undefined quantities (constant or non-finite columns, too few
//! draws) are NaN.
//!
//! The source is Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16(2), "VGSCB" below. What the paper
//! leaves open (the truncation of the autocorrelations, what is undefined) follows R's `posterior`.

mod autocovariance;
mod effective_size;
mod ess;
mod fourier;
mod mcse;
mod moments;
mod quantile;
mod ranks;
mod rhat;
mod special;
mod split;
mod summary;

pub use effective_size::{ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail};
pub use ess::ess_unsplit;
pub use mcse::{mcse_mean, mcse_quantile, mcse_sd};
pub use moments::{mean, sd, sum_by};
pub use quantile::{quantile, sorted_quantile};
pub use rhat::{rhat, rhat_basic};
pub use summary::Summary;

#[cfg(test)]
mod tests;
