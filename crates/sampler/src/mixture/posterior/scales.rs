//! The prior of the standard deviations for eight σ at a time, without its constant, and a hierarchical prior's shared term.

use libm::{lgamma, log};
use std::f64::consts::{FRAC_2_PI, LN_2, PI};

use crate::mixture::prior::ScalePrior;
use crate::simd::elementary::ln;
use crate::simd::lanes::Lanes;

/// [`ScalePrior::log_density`] in the form that a chain evaluates.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaleDensity {
    shape: Shape,
    /// The constant of the log density of one σ.
    pub(super) constant: f64,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    /// −power · log(1 + (σ / width)²).
    Student { power: f64, inverse_width: f64 },
    /// −½ (σ / scale)².
    Normal { inverse_scale: f64 },
    /// −rate · σ.
    Exponential { rate: f64 },
    /// −log σ − ½ ((log σ − mu) / spread)².
    LogNormal { mu: f64, inverse_spread: f64 },
    /// −power · log σ − scale / σ.
    InverseGamma { power: f64, scale: f64 },
    /// −power · log σ.
    Power { power: f64 },
}

/// The term that a hierarchical prior adds for all components together, once its rate β is integrated out:
/// −power · log(rate + Σ_k 1/σ_k²) for each feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedRate {
    power: f64,
    rate: f64,
    /// The constant for one feature.
    pub(super) constant: f64,
}

impl SharedRate {
    /// `None` unless the prior is hierarchical.
    pub(super) fn from_prior(prior: ScalePrior, n_components: usize) -> Option<Self> {
        let ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate } = prior else { return None };
        let power = hyper_shape + n_components as f64 * shape;
        let constant = hyper_shape * log(hyper_rate) - lgamma(hyper_shape) + lgamma(power);
        Some(Self { power, rate: hyper_rate, constant })
    }

    /// The log density without its constant, and its derivative in each precision 1/σ_k², from the sum of the precisions.
    pub(super) fn log_density_and_slope(&self, precisions: f64) -> (f64, f64) {
        let total = self.rate + precisions;
        (-self.power * log(total), -self.power / total)
    }
}

impl ScaleDensity {
    pub(super) fn new(prior: ScalePrior) -> Self {
        let (shape, constant) = match prior {
            ScalePrior::HalfCauchy { scale } => {
                (Shape::Student { power: 1.0, inverse_width: 1.0 / scale }, log(FRAC_2_PI / scale))
            }
            ScalePrior::HalfNormal { scale } => {
                (Shape::Normal { inverse_scale: 1.0 / scale }, 0.5 * log(2.0 / PI) - log(scale))
            }
            ScalePrior::HalfStudentT { nu, scale } => {
                let power = 0.5 * (nu + 1.0);
                let constant = LN_2 + lgamma(power) - lgamma(0.5 * nu) - 0.5 * log(nu * PI) - log(scale);
                (Shape::Student { power, inverse_width: 1.0 / (nu.sqrt() * scale) }, constant)
            }
            ScalePrior::Exponential { rate } => (Shape::Exponential { rate }, log(rate)),
            ScalePrior::LogNormal { mu, sigma } => {
                let shape = Shape::LogNormal { mu, inverse_spread: 1.0 / sigma };
                (shape, -0.5 * log(2.0 * PI) - log(sigma))
            }
            ScalePrior::InverseGamma { shape, scale } => {
                let constant = shape * log(scale) - lgamma(shape);
                (Shape::InverseGamma { power: shape + 1.0, scale }, constant)
            }
            ScalePrior::Hierarchical { shape, .. } => {
                (Shape::Power { power: 2.0 * shape + 1.0 }, LN_2 - lgamma(shape))
            }
        };
        Self { shape, constant }
    }

    /// log p(σ) without its constant, and its derivative in log σ.
    #[inline(always)]
    pub(super) fn log_density_and_slope<V: Lanes>(&self, log_sigma: V, sigma: V, inverse: V) -> (V, V) {
        match self.shape {
            Shape::Student { power, inverse_width } => {
                let ratio = sigma.times(V::splat(inverse_width));
                let sum = ratio.multiply_add(ratio, V::splat(1.0));
                let slope = V::splat(-2.0 * power).times(ratio.times(ratio).over(sum));
                (V::splat(-power).times(ln(sum)), slope)
            }
            Shape::Normal { inverse_scale } => {
                let ratio = sigma.times(V::splat(inverse_scale));
                let slope = V::splat(0.0).minus(ratio.times(ratio));
                (V::splat(0.5).times(slope), slope)
            }
            Shape::Exponential { rate } => {
                let slope = V::splat(-rate).times(sigma);
                (slope, slope)
            }
            Shape::LogNormal { mu, inverse_spread } => {
                let z = log_sigma.minus(V::splat(mu)).times(V::splat(inverse_spread));
                let log_density = z.times(V::splat(-0.5)).multiply_add(z, V::splat(0.0)).minus(log_sigma);
                (log_density, V::splat(-inverse_spread).multiply_add(z, V::splat(-1.0)))
            }
            Shape::InverseGamma { power, scale } => {
                let ratio = V::splat(scale).times(inverse);
                let log_density = V::splat(-power).multiply_add(log_sigma, V::splat(0.0)).minus(ratio);
                (log_density, ratio.minus(V::splat(power)))
            }
            Shape::Power { power } => {
                let slope = V::splat(-power);
                (slope.times(log_sigma), slope)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::lanes::Vector;
    use crate::simd::portable::Portable;
    use approx::assert_relative_eq;

    #[test]
    fn eight_at_a_time_agree_with_one_by_one() {
        let first = |lanes: Portable| {
            let mut vector = Vector::ZERO;
            lanes.store(&mut vector);
            vector.0[0]
        };
        for prior in [
            ScalePrior::HalfCauchy { scale: 1.3 },
            ScalePrior::HalfNormal { scale: 0.7 },
            ScalePrior::HalfStudentT { nu: 4.0, scale: 2.0 },
            ScalePrior::Exponential { rate: 1.5 },
            ScalePrior::LogNormal { mu: -0.3, sigma: 0.8 },
            ScalePrior::InverseGamma { shape: 2.5, scale: 1.2 },
        ] {
            for log_sigma in [-9.0f64, -2.0, -0.4, 0.0, 0.9, 2.5, 8.0] {
                let sigma = log_sigma.exp();
                let density = ScaleDensity::new(prior);
                let (value, slope) = density.log_density_and_slope(
                    Portable::splat(log_sigma),
                    Portable::splat(sigma),
                    Portable::splat(1.0 / sigma),
                );
                let (expected, expected_slope) = prior.log_density(sigma);
                let value = first(value) + density.constant;
                assert_relative_eq!(value, expected, max_relative = 1e-13, epsilon = 1e-14);
                assert_relative_eq!(first(slope), expected_slope, max_relative = 1e-13);
            }
        }
    }
}
