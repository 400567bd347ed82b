//! Laplace's method: the evidence from the height and the curvature of the posterior at its mode, without a draw.
//!
//! Sources: Tierney & Kadane (1986), Journal of the American Statistical Association 81; Kass & Raftery (1995), ibid. 90,
//! section 4.1. What relabelling adds is worked out at [`log_overlap`].

mod conjugate;
mod permanent;

use std::f64::consts::PI;

use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::{at, cholesky, packed_len};
use gmm_sampler::start::curvature::curvature;
use gmm_sampler::start::mode::Mode;
use thiserror::Error;

use self::conjugate::lost;
use self::permanent::{LARGEST, log_permanent};
use crate::descriptor::{Descriptor, Scale, Source};

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "laplace",
    title: "Laplace",
    scale: Scale::Evidence,
    source: Source::Mode,
    terms: None,
    rationale: "has the largest evidence under this prior",
    // After bridge sampling, which it approximates.
    rank: Some(30),
    by_default: false,
};

/// Why there is no log evidence by Laplace's method.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LaplaceError {
    /// No mode, or a highest one at which the log density is not concave.
    #[error("the highest mode found is not a peak, so no normal distribution approximates it")]
    NoPeak,
    /// More components coincide than a permanent can be computed for.
    #[error("{found} components coincide; relabelled copies can be counted for at most {LARGEST}")]
    TooManyAlike {
        /// How many.
        found: usize,
    },
}

/// Log evidence by Laplace's method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Laplace {
    /// log ∫ p(y | θ) p(θ) dθ, nats.
    pub log_evidence: f64,
    /// What Laplace's method loses at the highest mode were the components apart and their prior conjugate, nats: it is part of
    /// `log_evidence`, which is off by about as much again. It vanishes as 1/N, and grows with the parameters for each observation.
    pub correction: f64,
    /// Log of the overlap of the highest mode's normal with its relabellings, itself among them: 0 where its components are far
    /// apart for their errors, log K! where all coincide. Above 0 relabellings lie within one another's width, where the posterior
    /// is no sum of normals, and the evidence comes out too large.
    pub log_overlap: f64,
}

/// Modes that are lower than the highest by more nats than this are left out.
const NEGLIGIBLE: f64 = 12.0;

/// The evidence, were the posterior a sum of normals in unconstrained space, one about each of its modes, or, where
/// all components are alike before the data (`exchangeable`), one about each relabelling of each. The highest mode is the first, as
/// [`modes`](gmm_sampler::start::find_modes) returns them.
///
/// # Errors
/// A highest mode at which the log density is not concave, or of which more than twenty components coincide; no mode at all.
pub fn laplace(
    posterior: &mut Posterior<'_>,
    modes: &[Mode],
    exchangeable: bool,
) -> Result<Laplace, LaplaceError> {
    let (highest, others) = modes.split_first().ok_or(LaplaceError::NoPeak)?;
    let greatest = of_mode(posterior, highest, exchangeable)?;
    let others = others.iter().filter(|mode| mode.log_density > highest.log_density - NEGLIGIBLE);
    // What is no peak adds nothing that is known.
    let parts = others.filter_map(|mode| of_mode(posterior, mode, exchangeable).ok());
    let total: f64 = parts.map(|part| libm::exp(part.log_evidence - greatest.log_evidence)).sum();
    Ok(Laplace { log_evidence: greatest.log_evidence + libm::log1p(total), ..greatest })
}

/// The part of one mode and its relabellings.
fn of_mode(posterior: &mut Posterior<'_>, mode: &Mode, exchangeable: bool) -> Result<Laplace, LaplaceError> {
    let n = mode.position.len();
    let curvature = curvature(posterior, &mode.position);
    let mut factor = vec![0.0; packed_len(n)];
    if cholesky(n, &curvature, &mut factor).is_err() {
        return Err(LaplaceError::NoPeak);
    }
    let log_determinant: f64 = (0..n).map(|i| 2.0 * libm::log(factor[at(i, i)])).sum();
    let layout = posterior.layout();
    let mixture = layout.constrain(&mode.position);
    let n_observations = posterior.effective_observations();
    let counts: Vec<f64> = (0..layout.n_components).map(|k| n_observations * mixture.weight(k)).collect();
    let correction = lost(&counts, layout.n_features, posterior.concentration());
    let of_one = mode.log_density + 0.5 * (n as f64 * libm::log(2.0 * PI) - log_determinant) + correction;
    if !of_one.is_finite() {
        return Err(LaplaceError::NoPeak);
    }
    if !exchangeable {
        return Ok(Laplace { log_evidence: of_one, correction, log_overlap: 0.0 });
    }
    let log_overlap = log_overlap(layout, &mode.position, &factor)?;
    let log_copies = libm::lgamma(layout.n_components as f64 + 1.0) - log_overlap;
    Ok(Laplace { log_evidence: of_one + log_copies, correction, log_overlap })
}

/// Log of Σ_π N(πθ) / N(θ) over the K! permutations π of the components, where N is the normal about the mode θ.
///
/// A density is its unnormalised one over the evidence, so that at the mode the evidence is p(y, θ) / q(θ) for any q that
/// approximates the posterior. One normal about the mode gives Laplace's formula. A posterior that is the same for all labellings
/// is approximated by the mean of N over the permutations, whence the factor K! N(θ) / Σ_π N(πθ). It is K! where no permutation
/// leads near the mode, and 1 where all components coincide, so that permutations change nothing: surplus components do. The sum
/// is the permanent of the matrix whose entry (j, k) is the root of N(πθ) / N(θ) for the exchange of j and k, 1 on the diagonal:
/// right for permutations that exchange pairs, and for all where components coincide or lie far apart.
fn log_overlap(layout: Layout, mode: &[f64], factor: &[f64]) -> Result<f64, LaplaceError> {
    let (k, n) = (layout.n_components, mode.len());
    let mut overlaps = vec![1.0; k * k];
    let mut order: Vec<usize> = (0..k).collect();
    for a in 0..k {
        for b in 0..a {
            order.swap(a, b);
            let moved = layout.reordered(mode, &order);
            order.swap(a, b);
            let change: Vec<f64> = moved.iter().zip(mode).map(|(moved, at)| moved - at).collect();
            // |Lᵀ δ|² of the curvature L Lᵀ.
            let squares = (0..n).map(|j| (j..n).map(|i| factor[at(i, j)] * change[i]).sum::<f64>().powi(2));
            let overlap = libm::exp(-0.25 * squares.sum::<f64>());
            (overlaps[a * k + b], overlaps[b * k + a]) = (overlap, overlap);
        }
    }
    log_permanent(k, &overlaps).map_err(|found| LaplaceError::TooManyAlike { found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use gmm_sampler::mixture::params::Mixture;

    /// How many modes relabelling makes of three components with these weights and means and unit scales, under unit curvature.
    fn copies(weights: [f64; 3], means: [f64; 3]) -> f64 {
        let mixture = Mixture::from_covariances(1, &weights, &means, &[1.0; 3]).unwrap();
        let layout = Layout { n_components: 3, n_features: 1 };
        let n = layout.dimension();
        let mut unit = vec![0.0; packed_len(n)];
        (0..n).for_each(|i| unit[at(i, i)] = 1.0);
        6.0 / libm::exp(log_overlap(layout, &layout.unconstrain(&mixture), &unit).unwrap())
    }

    #[test]
    fn relabellings_that_lie_on_one_another_count_once() {
        let equal = [1.0 / 3.0; 3];
        assert_abs_diff_eq!(copies(equal, [-20.0, 0.0, 20.0]), 6.0, epsilon = 1e-9);
        assert_abs_diff_eq!(copies(equal, [-20.0, 0.0, 0.0]), 3.0, epsilon = 1e-9);
        assert_abs_diff_eq!(copies(equal, [0.0; 3]), 1.0, epsilon = 1e-9);
        // Where one normal is as high as its exchanged copy is at exp(−½ · 2 · 1²), the mean of both is higher by half of that.
        assert_abs_diff_eq!(copies(equal, [-20.0, 0.0, 1.0]), 6.0 / (1.0 + libm::exp(-1.0)), epsilon = 1e-9);
        // Weights that differ tell components apart as well: log ratios change by ln 4 in two places.
        let apart = libm::exp(-(4.0f64.ln().powi(2)));
        assert_abs_diff_eq!(
            copies([0.2, 0.16, 0.64], [-20.0, 0.0, 0.0]),
            6.0 / (1.0 + apart),
            epsilon = 1e-9
        );
    }
}
