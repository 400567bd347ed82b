//! Mixtures of multivariate t distributions: what importance sampling draws from.

use std::f64::consts::PI;

use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::triangular::{at, solve, times};
use gmm_sampler::start::curvature::inverse_root_at;
use rand::{Rng, RngExt};
use rand_distr::{ChiSquared, Distribution, StandardNormal};

use super::proposal::Proposal;
use crate::log_sum_exp::log_sum_exp;

/// Degrees of freedom: tails that are heavier than a posterior's.
const FREEDOM: f64 = 8.0;

/// A mixture of t distributions on ℝⁿ.
#[derive(Debug, Clone)]
pub(super) struct Students {
    parts: Vec<Student>,
}

#[derive(Debug, Clone)]
struct Student {
    log_weight: f64,
    location: Vec<f64>,
    /// C of the scale matrix C Cᵀ, packed.
    root: Vec<f64>,
    log_determinant: f64,
}

impl Student {
    fn new(weight: f64, location: Vec<f64>, root: Vec<f64>) -> Self {
        let log_determinant = (0..location.len()).map(|i| libm::log(root[at(i, i)])).sum();
        Self { log_weight: libm::log(weight), location, root, log_determinant }
    }

    fn simulate(&self, rng: &mut impl Rng) -> Vec<f64> {
        let n = self.location.len();
        let z: Vec<f64> = (0..n).map(|_| StandardNormal.sample(rng)).collect();
        let chi_squared: f64 = ChiSquared::new(FREEDOM).expect("positive degrees of freedom").sample(rng);
        let stretch = (FREEDOM / chi_squared).sqrt();
        let moved = self.location.iter().zip(times(&self.root, &z));
        moved.map(|(location, along)| location + stretch * along).collect()
    }

    /// Without its constant; `scratch` has length n.
    fn log_density(&self, position: &[f64], scratch: &mut [f64]) -> f64 {
        let n = self.location.len();
        let moved = position.iter().zip(&self.location);
        scratch
            .iter_mut()
            .zip(moved)
            .for_each(|(scratch, (position, location))| *scratch = position - location);
        solve(&self.root, scratch);
        let squares: f64 = scratch.iter().map(|y| y * y).sum();
        self.log_weight - self.log_determinant - 0.5 * (FREEDOM + n as f64) * libm::log1p(squares / FREEDOM)
    }
}

impl Students {
    /// About modes, each with its log density; weights are those of Laplace's method. None if no mode has a scale.
    pub(super) fn about(posterior: &mut Posterior<'_>, modes: &[(Vec<f64>, f64)]) -> Option<Self> {
        let parts = modes.iter().filter_map(|(position, log_density)| {
            let root = inverse_root_at(posterior, position)?;
            let part = Student::new(1.0, position.clone(), root);
            Some((log_density + part.log_determinant, part))
        });
        let (log_masses, mut parts): (Vec<f64>, Vec<Student>) = parts.unzip();
        let total = log_sum_exp(&log_masses);
        if !total.is_finite() {
            return None;
        }
        parts.iter_mut().zip(log_masses).for_each(|(part, mass)| part.log_weight = mass - total);
        Some(Self { parts })
    }

    /// A share of `first`, and t distributions with the locations and scales of the normals of `fitted`.
    pub(super) fn mixed(share: f64, first: &Self, fitted: &Proposal) -> Self {
        let kept = first.parts.iter().cloned().map(|mut part| {
            part.log_weight += libm::log(share);
            part
        });
        let fitted = fitted.mixture();
        let of_normal = |k: usize| {
            let weight = (1.0 - share) * fitted.weight(k);
            Student::new(weight, fitted.mean(k).to_vec(), fitted.scale_factor(k))
        };
        Self { parts: kept.chain((0..fitted.n_components()).map(of_normal)).collect() }
    }

    pub(super) fn simulate(&self, n: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
        let one = |rng: &mut _| {
            let mut left: f64 = RngExt::random(rng);
            let chosen = self.parts.iter().find(|part| {
                left -= libm::exp(part.log_weight);
                left < 0.0
            });
            chosen.unwrap_or(&self.parts[0]).simulate(rng)
        };
        (0..n).map(|_| one(rng)).collect()
    }

    pub(super) fn log_density(&self, position: &[f64]) -> f64 {
        let n = position.len() as f64;
        let mut scratch = vec![0.0; position.len()];
        let parts: Vec<f64> =
            self.parts.iter().map(|part| part.log_density(position, &mut scratch)).collect();
        log_sum_exp(&parts) + libm::lgamma(0.5 * (FREEDOM + n))
            - libm::lgamma(0.5 * FREEDOM)
            - 0.5 * n * libm::log(FREEDOM * PI)
    }
}
