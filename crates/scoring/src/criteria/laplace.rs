//! Laplace's method: the evidence from the height and the curvature of the posterior at its mode, without a draw.
//!
//! Sources: Tierney & Kadane (1986), Journal of the American Statistical Association 81; Kass & Raftery (1995), ibid. 90,
//! section 4.1. What relabelling adds is worked out at [`log_overlap`].

mod conjugate;
mod permanent;

use std::f64::consts::PI;

use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::start::curvature::log_determinant_of_groups;
use gmm_sampler::start::mode::Mode;
use gmm_sampler::start::normal::NormalApproximation;
use thiserror::Error;

use self::permanent::{LARGEST, log_permanent};
use crate::descriptor::{Descriptor, Scale, Source};
use crate::log_sum_exp::log_sum_exp;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "laplace",
    title: "Laplace",
    scale: Scale::Evidence,
    source: Source::Mode,
    terms: None,
    reference: "Tierney, L. & Kadane, J. B. (1986). Accurate approximations for posterior moments and marginal densities. Journal \
                of the American Statistical Association 81, 82–86.",
    rationale: "has the largest evidence under this prior",
    // After bridge sampling, which it approximates.
    rank: Some(30),
    by_default: false,
};

/// Why there is no log evidence by Laplace's method.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LaplaceError {
    /// The log density is not concave at the mode.
    #[error("no mode found is a peak, so no normal distribution approximates one")]
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
    /// What Laplace's method loses at the mode of the largest part were the components apart and their prior conjugate, nats: it is
    /// part of `log_evidence`, which is off by about as much again. It vanishes as 1/N, and grows with the parameters for each
    /// observation.
    pub correction: f64,
    /// Log of the overlap of that mode's normal with its relabellings, itself among them: 0 where its components are far apart for
    /// their errors, log K! where all coincide. Above 0 relabellings lie within one another's width, where the posterior is no sum of
    /// normals, and the evidence comes out too large.
    pub log_overlap: f64,
}

impl Laplace {
    /// The evidence, were the posterior a sum of the normals about these modes; `None` of no modes.
    #[must_use]
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let parts: Vec<Self> = parts.into_iter().collect();
        let largest = parts.iter().copied().max_by(|a, b| a.log_evidence.total_cmp(&b.log_evidence))?;
        let log_evidence = log_sum_exp(&parts.iter().map(|part| part.log_evidence).collect::<Vec<_>>());
        Some(Self { log_evidence, ..largest })
    }
}

/// The part of the evidence about one mode: the integral of the normal that has the posterior's height and curvature there, in
/// unconstrained space. Where all components are alike before the data (`exchangeable`) its relabellings are counted too.
///
/// # Errors
/// More than twenty components that coincide; a mode beyond the range of doubles.
pub fn laplace(
    posterior: &Posterior<'_>,
    mode: &Mode,
    normal: &NormalApproximation,
    exchangeable: bool,
) -> Result<Laplace, LaplaceError> {
    let layout = posterior.layout();
    let counts = counts(posterior, &layout.constrain(&mode.position));
    let correction = conjugate::lost(&counts, layout.n_features, posterior.concentration());
    let n = mode.position.len();
    let of_one = of_normal(mode.log_density, n, normal.log_determinant()) + correction;
    if !of_one.is_finite() {
        return Err(LaplaceError::NoPeak);
    }
    if !exchangeable {
        return Ok(Laplace { log_evidence: of_one, correction, log_overlap: 0.0 });
    }
    let log_overlap = log_overlap(layout, normal)?;
    let log_copies = libm::lgamma(layout.n_components as f64 + 1.0) - log_overlap;
    Ok(Laplace { log_evidence: of_one + log_copies, correction, log_overlap })
}

/// The log evidence about one mode in a fraction of the time, nats, relabellings not counted: components are taken not to overlap, so
/// that the curvature falls into blocks. Negative infinity where the log density is not concave. On the wine data with three to six
/// components it is 0 to 15 nats above that of [`laplace`], where heights mislead by 80: a component of few observations has a flat
/// peak, and the mass of it.
#[must_use]
pub fn log_evidence_by_blocks(posterior: &mut Posterior<'_>, mode: &Mode) -> f64 {
    let n = mode.position.len();
    let groups = posterior.layout().coordinates_of_components();
    let of_all =
        |posterior: &mut _| log_determinant_of_groups(posterior, &mode.position, &[(0..n).collect()]);
    let log_determinant =
        log_determinant_of_groups(posterior, &mode.position, &groups).or_else(|| of_all(posterior));
    log_determinant.map_or(f64::NEG_INFINITY, |found| of_normal(mode.log_density, n, found))
}

/// The same without a pass over the data, from near a mode: with the curvature that labelled observations and a conjugate prior would
/// have. It tells which of many candidates to follow.
#[must_use]
pub fn log_evidence_of_labelled(posterior: &Posterior<'_>, near: &Mode) -> f64 {
    let mixture = posterior.layout().constrain(&near.position);
    let log_determinant = conjugate::log_determinant(&counts(posterior, &mixture), &mixture);
    of_normal(near.log_density, near.position.len(), log_determinant)
}

fn counts(posterior: &Posterior<'_>, mixture: &Mixture) -> Vec<f64> {
    let n = posterior.effective_observations();
    (0..mixture.n_components()).map(|k| n * mixture.weight(k)).collect()
}

/// Log of the integral of a normal, in n dimensions and not normalised, from its height and the determinant of its curvature.
fn of_normal(log_density: f64, n: usize, log_determinant: f64) -> f64 {
    log_density + 0.5 * (n as f64 * libm::log(2.0 * PI) - log_determinant)
}

/// Log of Σ_π N(πθ) / N(θ) over the K! permutations π of the components, where N is the normal about the mode θ.
///
/// A density is its unnormalised one over the evidence, so that at the mode the evidence is p(y, θ) / q(θ) for any q that
/// approximates the posterior. One normal about the mode gives Laplace's formula. A posterior that is the same for all labellings
/// is approximated by the mean of N over the permutations, whence the factor K! N(θ) / Σ_π N(πθ). It is K! where no permutation
/// leads near the mode, and 1 where all components coincide, so that permutations change nothing: surplus components do. The sum
/// is the permanent of the matrix whose entry (j, k) is the root of N(πθ) / N(θ) for the exchange of j and k, 1 on the diagonal:
/// right for permutations that exchange pairs, and for all where components coincide or lie far apart.
fn log_overlap(layout: Layout, normal: &NormalApproximation) -> Result<f64, LaplaceError> {
    let (k, mode) = (layout.n_components, normal.mean());
    let mut overlaps = vec![1.0; k * k];
    let mut order: Vec<usize> = (0..k).collect();
    for a in 0..k {
        for b in 0..a {
            order.swap(a, b);
            let moved = layout.reordered(mode, &order);
            order.swap(a, b);
            let overlap = libm::exp(-0.25 * normal.square_distance(&moved, mode));
            (overlaps[a * k + b], overlaps[b * k + a]) = (overlap, overlap);
        }
    }
    log_permanent(k, &overlaps).map_err(|found| LaplaceError::TooManyAlike { found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use gmm_sampler::log_density::LogDensity;

    /// −½ |θ − mode|².
    #[derive(Clone)]
    struct Round {
        mode: Vec<f64>,
    }

    impl LogDensity for Round {
        fn dimension(&self) -> usize {
            self.mode.len()
        }

        fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.iter_mut().zip(position.iter().zip(&self.mode)).for_each(|(g, (x, m))| *g = m - x);
            -0.5 * gradient.iter().map(|g| g * g).sum::<f64>()
        }
    }

    /// How many modes relabelling makes of three components with these weights and means and unit scales, under unit curvature.
    fn copies(weights: [f64; 3], means: [f64; 3]) -> f64 {
        let mixture = Mixture::from_covariances(1, &weights, &means, &[1.0; 3]).unwrap();
        let layout = Layout { n_components: 3, n_features: 1 };
        let mode = layout.unconstrain(&mixture);
        let normal = NormalApproximation::at_mode(&mut Round { mode: mode.clone() }, &mode).unwrap();
        6.0 / libm::exp(log_overlap(layout, &normal).unwrap())
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
