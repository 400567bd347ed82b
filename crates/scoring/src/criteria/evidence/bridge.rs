//! Bridge sampling: the ratio of two normalising constants, of which one is known, from draws of both densities.
//!
//! Sources: Meng & Wong (1996), Statistica Sinica 6, "MW" below; Frühwirth-Schnatter (2004), Econometrics Journal 7, "FS"; in
//! unconstrained space with a normal proposal from half of the draws, Gronau et al. (2017), Journal of Mathematical
//! Psychology 81. Here either half of the draws shapes a proposal for the other, and a proposal is a normal mixture.

use gmm_sampler::diagnostics::{ess_mean, sd};
use gmm_sampler::log_density::LogDensity;
use rand::Rng;
use thiserror::Error;

use super::proposal::Proposal;

/// Changes of the logarithm below this end the fixed-point iteration, which always converges (MW, theorem 2).
const TOLERANCE: f64 = 1e-10;
const MAX_ITERATIONS: usize = 1000;

/// Fewest draws of a chain, so that a half has something to tell.
const FEWEST_DRAWS: usize = 20;

/// Log evidence, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// log ∫ of the density, nats; the mean of the two halves'.
    pub log_evidence: f64,
    /// Monte Carlo standard error of `log_evidence` (FS, section 3.3, for dependent draws). It assumes that the draws are of
    /// the whole posterior.
    pub mcse: f64,
    /// From the second halves of the chains with a proposal shaped by the first, and the other way round.
    pub halves: [f64; 2],
    /// Normals in either proposal.
    pub normals: [usize; 2],
}

/// Why there is no log evidence.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EvidenceError {
    /// Chains too short to be halved.
    #[error("{found} draws per chain are too few; at least {FEWEST_DRAWS} are needed")]
    TooFewDraws {
        /// Draws of a chain.
        found: usize,
    },
    /// The draws' covariance is singular.
    #[error("the draws lie in a plane, so no normal distribution fits them")]
    Flat,
    /// Posterior and proposal share no region.
    #[error("posterior and proposal do not overlap: no draw of the proposal has a posterior density")]
    NoOverlap,
}

impl Evidence {
    /// How far the halves are apart, in standard errors of their difference: beyond 3 the error is unreliable.
    #[must_use]
    pub fn disagreement(&self) -> f64 {
        // The mean of two estimates of equal error has half the variance of one, their difference twice.
        (self.halves[0] - self.halves[1]).abs() / (2.0 * self.mcse)
    }
}

/// Log evidence of an unnormalised density from S draws of it, chain-major.
///
/// # Errors
/// Too few draws, draws in a plane, no overlap.
pub fn log_evidence(
    density: &mut impl LogDensity,
    positions: &[Vec<f64>],
    n_chains: usize,
    rng: &mut impl Rng,
) -> Result<Evidence, EvidenceError> {
    let n_draws = positions.len() / n_chains;
    if n_draws < FEWEST_DRAWS {
        return Err(EvidenceError::TooFewDraws { found: n_draws });
    }
    let middle = n_draws / 2;
    let halves = |range: std::ops::Range<usize>| -> Vec<&[f64]> {
        positions.chunks_exact(n_draws).flat_map(|chain| &chain[range.clone()]).map(Vec::as_slice).collect()
    };
    let (first, second) = (halves(0..middle), halves(n_draws - middle..n_draws));
    let a = one_half(density, &first, &second, n_chains, rng)?;
    let b = one_half(density, &second, &first, n_chains, rng)?;
    Ok(Evidence {
        log_evidence: 0.5 * (a.log_evidence + b.log_evidence),
        mcse: 0.5 * (a.variance + b.variance).sqrt(),
        halves: [a.log_evidence, b.log_evidence],
        normals: [a.normals, b.normals],
    })
}

struct Half {
    log_evidence: f64,
    variance: f64,
    normals: usize,
}

fn one_half(
    density: &mut impl LogDensity,
    shaping: &[&[f64]],
    draws: &[&[f64]],
    n_chains: usize,
    rng: &mut impl Rng,
) -> Result<Half, EvidenceError> {
    let proposal = Proposal::fit(shaping, rng).ok_or(EvidenceError::Flat)?;
    let mut gradient = vec![0.0; density.dimension()];
    let mut log_density = |position: &[f64]| {
        let value = density.log_density_and_gradient(position, &mut gradient);
        // Beyond double precision there is no mass.
        if value.is_nan() { f64::NEG_INFINITY } else { value }
    };
    let (proposed, of_proposed) = proposal.simulate(draws.len(), rng);
    // log p/q of the posterior's draws and of the proposal's, MW's l₁ and l₂.
    let of_draws: Vec<f64> = proposal.log_densities(draws);
    let of_draws: Vec<f64> = draws.iter().zip(of_draws).map(|(x, q)| log_density(x) - q).collect();
    let of_proposed: Vec<f64> = proposed.iter().zip(of_proposed).map(|(x, q)| log_density(x) - q).collect();
    let (log_evidence, variance) =
        bridge(&of_draws, &of_proposed, n_chains).ok_or(EvidenceError::NoOverlap)?;
    Ok(Half { log_evidence, variance, normals: proposal.size() })
}

/// Log of the ratio of the normalising constants of p and q, and the variance of that, from log p/q (unnormalised) at draws
/// of p (chain-major) and at independent draws of q. None where the two do not overlap.
fn bridge(of_draws: &[f64], of_proposed: &[f64], n_chains: usize) -> Option<(f64, f64)> {
    let middle = median(of_draws);
    // Dependent draws count as their effective number, both in the optimal bridge (MW, eq. 4.1) and in its error.
    let effective = |values: &[f64]| {
        let ess = ess_mean(values, n_chains);
        if ess.is_nan() { values.len() as f64 } else { ess }
    };
    let (n1, n2) = (effective(of_draws), of_proposed.len() as f64);
    let (s1, s2) = (n1 / (n1 + n2), n2 / (n1 + n2));
    // p/q over its median; and, with r the ratio of constants over it too, p / (s₁ p + s₂ r q) and q r / (s₁ p + s₂ r q).
    let relative = |l: &f64| libm::exp(l - middle);
    let (at_draws, at_proposed): (Vec<f64>, Vec<f64>) =
        (of_draws.iter().map(relative).collect(), of_proposed.iter().map(relative).collect());
    let share = |l: f64, r: f64| {
        if l.is_infinite() { 1.0 / s1 } else { l / (s1 * l + s2 * r) }
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut r = 1.0_f64;
    for _ in 0..MAX_ITERATIONS {
        let above = mean(&at_proposed.iter().map(|&l| share(l, r)).collect::<Vec<_>>());
        let below = mean(&at_draws.iter().map(|&l| 1.0 / (s1 * l + s2 * r)).collect::<Vec<_>>());
        let next = above / below;
        if !(next > 0.0 && next.is_finite()) {
            return None;
        }
        let change = libm::log(next / r).abs();
        r = next;
        if change < TOLERANCE {
            break;
        }
    }
    // FS, eq. 17: relative variances of the two means, the posterior's divided by the effective number of its terms.
    let above: Vec<f64> = at_proposed.iter().map(|&l| share(l, r) / r).collect();
    let below: Vec<f64> = at_draws.iter().map(|&l| 1.0 / (s1 * l + s2 * r)).collect();
    let relative_variance = |values: &[f64], n: f64| (sd(values) / mean(values)).powi(2) / n;
    let variance = relative_variance(&above, n2) + relative_variance(&below, effective(&below));
    Some((middle + libm::log(r), variance))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
