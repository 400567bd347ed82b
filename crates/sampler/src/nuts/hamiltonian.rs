//! Phase points, energy and the leapfrog step, in whitened momenta.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::metric::{Metric, Room};
use crate::log_density::LogDensity;
use crate::simd::dot;

/// A position with its momentum and what the next step needs of the density there.
#[derive(Debug, Clone)]
pub(crate) struct PhasePoint {
    pub(crate) position: Vec<f64>,
    /// Whitened: standard normal in equilibrium.
    pub(crate) momentum: Vec<f64>,
    /// Cᵀ ∇ log p: the gradient in the metric's coordinates.
    pub(crate) gradient: Vec<f64>,
    pub(crate) log_density: f64,
}

impl PhasePoint {
    pub(crate) fn new(dimension: usize) -> Self {
        let zeros = || vec![0.0; dimension];
        Self { position: zeros(), momentum: zeros(), gradient: zeros(), log_density: f64::NEG_INFINITY }
    }

    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.position.copy_from_slice(&other.position);
        self.momentum.copy_from_slice(&other.momentum);
        self.gradient.copy_from_slice(&other.gradient);
        self.log_density = other.log_density;
    }

    /// H = −log p + ½|p|² (Betancourt 2017, eq. 14, in whitened momenta).
    pub(crate) fn energy(&self) -> f64 {
        0.5 * dot(&self.momentum, &self.momentum) - self.log_density
    }

    pub(crate) fn draw_momentum(&mut self, rng: &mut impl Rng) {
        self.momentum.iter_mut().for_each(|p| *p = StandardNormal.sample(rng));
    }
}

/// The density in the coordinates of a metric.
#[derive(Debug, Clone)]
pub(crate) struct Hamiltonian<L> {
    pub(crate) density: L,
    pub(crate) metric: Metric,
    raw_gradient: Vec<f64>,
    velocity: Vec<f64>,
    room: Room,
}

impl<L: LogDensity> Hamiltonian<L> {
    pub(crate) fn new(density: L, metric: Metric) -> Self {
        let dimension = density.dimension();
        Self {
            density,
            metric,
            raw_gradient: vec![0.0; dimension],
            velocity: vec![0.0; dimension],
            room: Room::new(dimension),
        }
    }

    /// Evaluates the density at the point's position.
    pub(crate) fn refresh(&mut self, point: &mut PhasePoint) {
        point.log_density = self.density.log_density_and_gradient(&point.position, &mut self.raw_gradient);
        self.metric.apply_transpose(&self.raw_gradient, &mut self.room, &mut point.gradient);
    }

    /// One leapfrog step of (signed) size `step`: half a kick, a drift, half a kick.
    pub(crate) fn leapfrog(&mut self, point: &mut PhasePoint, step: f64) {
        kick(point, 0.5 * step);
        self.metric.apply(&point.momentum, &mut self.velocity);
        for (x, velocity) in point.position.iter_mut().zip(&self.velocity) {
            *x += step * velocity;
        }
        self.refresh(point);
        kick(point, 0.5 * step);
    }
}

fn kick(point: &mut PhasePoint, step: f64) {
    for (p, gradient) in point.momentum.iter_mut().zip(&point.gradient) {
        *p += step * gradient;
    }
}
