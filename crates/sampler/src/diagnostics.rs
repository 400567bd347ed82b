//! Whether draws can be trusted, and how precisely they pin down an expectation: R-hat, effective sample size, Monte Carlo error.
//!
//! Every function takes one chain-major column (all draws of chain 0, then of chain 1, …) and the number of chains, which are
//! equally long. Chains are cut in half before anything else, so that a drift within a chain counts as disagreement between
//! chains; of an odd number of draws the middle one is left out of the halves. Where a quantity is undefined (a constant or
//! non-finite column, too few draws) the answer is NaN.
//!
//! Source throughout: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16(2), "VGSCB" below; conventions
//! that the paper leaves open (the truncation of the autocorrelations, what is undefined) follow R's `posterior`.

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
