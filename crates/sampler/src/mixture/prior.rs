//! The priors, with all normalising constants: the log evidence and comparisons with other programs need them.

use std::f64::consts::{FRAC_2_PI, LN_2, PI};

use libm::{lgamma, log, log1p};
use thiserror::Error;

use super::triangular::at;

/// A hyper-parameter of a prior is not positive and finite.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{name} is {value}: it must be positive and finite")]
pub struct PriorError {
    /// Name of the hyper-parameter.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

/// Prior of the standard deviations σ_kd on the sampler's scale. They are independent unless a variant says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScalePrior {
    /// |Cauchy(0, scale)|.
    HalfCauchy {
        /// Positive; the median of σ.
        scale: f64,
    },
    /// |Normal(0, scale²)|.
    HalfNormal {
        /// Positive.
        scale: f64,
    },
    /// |scale · Student t with nu degrees of freedom|.
    HalfStudentT {
        /// Degrees of freedom, positive.
        nu: f64,
        /// Positive.
        scale: f64,
    },
    /// Exponential with the given rate (mean 1 / rate).
    Exponential {
        /// Positive.
        rate: f64,
    },
    /// log σ ~ Normal(mu, sigma²). Vanishes at σ = 0, so that the posterior stays proper with ties within a feature.
    LogNormal {
        /// Mean of log σ.
        mu: f64,
        /// Standard deviation of log σ, positive.
        sigma: f64,
    },
    /// 1/σ ~ Gamma(shape, rate = scale). Vanishes at σ = 0 as well.
    InverseGamma {
        /// Positive.
        shape: f64,
        /// Positive.
        scale: f64,
    },
    /// 1/σ² ~ Gamma(shape, rate = β) for every component, β ~ Gamma(hyper_shape, rate = hyper_rate) for each feature
    /// (Richardson & Green 1997, section 2.3): components share information about their widths. β is integrated out, which
    /// makes the σ of a feature dependent.
    Hierarchical {
        /// Shape of the gamma distribution of 1/σ², positive.
        shape: f64,
        /// Shape of the gamma distribution of β, positive.
        hyper_shape: f64,
        /// Rate of the gamma distribution of β, positive.
        hyper_rate: f64,
    },
}

impl ScalePrior {
    /// log p(σ) in nats for the σ of one component, and its derivative in log σ. Under a hierarchical prior, the marginal
    /// density.
    #[must_use]
    pub fn log_density(&self, sigma: f64) -> (f64, f64) {
        match *self {
            Self::HalfCauchy { scale } => {
                let square = (sigma / scale) * (sigma / scale);
                (log(FRAC_2_PI / scale) - log1p(square), -2.0 / (1.0 + 1.0 / square))
            }
            Self::HalfNormal { scale } => {
                let square = (sigma / scale) * (sigma / scale);
                (0.5 * log(2.0 / PI) - log(scale) - 0.5 * square, -square)
            }
            Self::HalfStudentT { nu, scale } => {
                let square = (sigma / scale) * (sigma / scale);
                let constant =
                    LN_2 + lgamma(0.5 * (nu + 1.0)) - lgamma(0.5 * nu) - 0.5 * log(nu * PI) - log(scale);
                let power = -0.5 * (nu + 1.0);
                (power.mul_add(log1p(square / nu), constant), 2.0 * power / (1.0 + nu / square))
            }
            Self::Exponential { rate } => (log(rate) - rate * sigma, -rate * sigma),
            Self::LogNormal { mu, sigma: spread } => {
                let z = (log(sigma) - mu) / spread;
                (-0.5 * log(2.0 * PI) - log(spread) - log(sigma) - 0.5 * z * z, -1.0 - z / spread)
            }
            Self::InverseGamma { shape, scale } => {
                let ratio = scale / sigma;
                let constant = shape * log(scale) - lgamma(shape);
                (constant - (shape + 1.0) * log(sigma) - ratio, ratio - (shape + 1.0))
            }
            Self::Hierarchical { shape, hyper_shape, hyper_rate } => {
                let precision = 1.0 / (sigma * sigma);
                let total = hyper_rate + precision;
                let slope = 2.0 * (hyper_shape + shape) * precision / total - (2.0 * shape + 1.0);
                (self.joint_log_density(&[sigma]), slope)
            }
        }
    }

    /// log p(σ_1d, …, σ_Kd) in nats for the σ of all components in one feature.
    #[must_use]
    pub fn joint_log_density(&self, sigma: &[f64]) -> f64 {
        let Self::Hierarchical { shape, hyper_shape, hyper_rate } = *self else {
            return sigma.iter().map(|&sigma| self.log_density(sigma).0).sum();
        };
        // ∫ Π_k Gamma(1/σ_k² | shape, β) 2 σ_k⁻³ Gamma(β | hyper_shape, hyper_rate) dβ: a gamma integral.
        let k = sigma.len() as f64;
        let power = hyper_shape + k * shape;
        let logs: f64 = sigma.iter().map(|&sigma| log(sigma)).sum();
        let precisions: f64 = sigma.iter().map(|&sigma| 1.0 / (sigma * sigma)).sum();
        k * (LN_2 - lgamma(shape)) + hyper_shape * log(hyper_rate) - lgamma(hyper_shape) + lgamma(power)
            - (2.0 * shape + 1.0) * logs
            - power * log(hyper_rate + precisions)
    }

    /// Whether the posterior may be improper if m = `multiplicity` observations share a value: a component on just these has a
    /// likelihood of σ^−m as σ tends to 0. Under most priors two tied observations suffice; under the hierarchical prior
    /// 2 (hyper_shape + (K − 1) shape) + 1. No power of σ outweighs a log-normal or inverse gamma density.
    #[must_use]
    pub fn may_be_improper_with_ties(&self, n_components: usize, multiplicity: usize) -> bool {
        let bearable = match *self {
            Self::LogNormal { .. } | Self::InverseGamma { .. } => return false,
            Self::Hierarchical { shape, hyper_shape, .. } => {
                2.0 * (hyper_shape + (n_components as f64 - 1.0) * shape) + 1.0
            }
            _ => 2.0,
        };
        multiplicity as f64 >= bearable
    }

    fn hyper_parameters(&self) -> Vec<(&'static str, f64)> {
        match *self {
            Self::HalfCauchy { scale } | Self::HalfNormal { scale } => vec![("scale", scale)],
            Self::HalfStudentT { nu, scale } => vec![("nu", nu), ("scale", scale)],
            Self::Exponential { rate } => vec![("rate", rate)],
            Self::LogNormal { sigma, .. } => vec![("sigma", sigma)],
            Self::InverseGamma { shape, scale } => vec![("shape", shape), ("scale", scale)],
            Self::Hierarchical { shape, hyper_shape, hyper_rate } => {
                vec![("shape", shape), ("hyper_shape", hyper_shape), ("hyper_rate", hyper_rate)]
            }
        }
    }
}

/// The prior of a mixture with K components in D dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// α of the symmetric Dirichlet(α, …, α) of the weights.
    pub concentration: f64,
    /// A, K × D, on the sampler's scale: μ_k ~ MVN(A_k, mean_sd² I).
    pub centres: Vec<f64>,
    /// τ: standard deviation of the means around the centres, on the sampler's scale.
    pub mean_sd: f64,
    /// Prior of the standard deviations.
    pub scales: ScalePrior,
    /// η of the LKJ prior of each correlation matrix; 1 is uniform.
    pub lkj_shape: f64,
}

impl Prior {
    /// The published model's prior around given centres (K × D): w ~ Dirichlet(½), μ_k ~ MVN(A_k, 0.1 I), σ ~ half-Cauchy(1),
    /// Ω ~ LKJ(2).
    #[must_use]
    pub fn published(centres: Vec<f64>) -> Self {
        let scales = ScalePrior::HalfCauchy { scale: 1.0 };
        Self { concentration: 0.5, centres, mean_sd: 0.1f64.sqrt(), scales, lkj_shape: 2.0 }
    }

    /// Checks the hyper-parameters.
    ///
    /// # Errors
    /// The first that is not positive and finite.
    pub fn check(&self) -> Result<(), PriorError> {
        let mut named = vec![
            ("the Dirichlet concentration", self.concentration),
            ("the means' standard deviation", self.mean_sd),
            ("the LKJ shape", self.lkj_shape),
        ];
        named.extend(self.scales.hyper_parameters());
        match named.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            Some((name, value)) => Err(PriorError { name, value }),
            None => Ok(()),
        }
    }

    /// log of the Dirichlet distribution's constant: log Γ(Kα) − K log Γ(α).
    #[must_use]
    pub fn dirichlet_constant(&self, n_components: usize) -> f64 {
        let k = n_components as f64;
        lgamma(k * self.concentration) - k * lgamma(self.concentration)
    }

    /// Log density of the weights with respect to K − 1 of them, from their logarithms (K).
    #[must_use]
    pub fn log_density_of_weights(&self, log_weights: &[f64]) -> f64 {
        self.dirichlet_constant(log_weights.len())
            + (self.concentration - 1.0) * log_weights.iter().sum::<f64>()
    }

    /// log of the normal distribution's constant for `n` coordinates of means.
    #[must_use]
    pub fn means_constant(&self, n: usize) -> f64 {
        -(n as f64) * (log(self.mean_sd) + 0.5 * log(2.0 * PI))
    }

    /// Log density of the means (K × D).
    #[must_use]
    pub fn log_density_of_means(&self, mu: &[f64]) -> f64 {
        let squares: f64 =
            mu.iter().zip(&self.centres).map(|(mu, centre)| ((mu - centre) / self.mean_sd).powi(2)).sum();
        self.means_constant(mu.len()) - 0.5 * squares
    }

    /// Log density of the standard deviations (K × D).
    #[must_use]
    pub fn log_density_of_scales(&self, n_features: usize, sigma: &[f64]) -> f64 {
        let feature_log_density = |feature| {
            let sigma: Vec<f64> = sigma.iter().copied().skip(feature).step_by(n_features).collect();
            self.scales.joint_log_density(&sigma)
        };
        (0..n_features).map(feature_log_density).sum()
    }

    /// Whether the prior is the same for all components. The posterior is then symmetric, and each mode has K! copies.
    #[must_use]
    pub fn is_exchangeable(&self, n_components: usize) -> bool {
        let d = self.centres.len() / n_components;
        self.centres.chunks_exact(d).all(|centre| *centre == self.centres[..d])
    }

    /// Shape b of the canonical partial correlations z in column j (from 0) of the factor: (z + 1)/2 ~ Beta(b, b), with
    /// b = η + (D − 2 − j)/2 (Lewandowski, Kurowicka & Joe 2009, section 3.2, the C-vine).
    #[must_use]
    pub fn partial_correlation_shape(&self, n_features: usize, column: usize) -> f64 {
        self.lkj_shape + 0.5 * (n_features as f64 - 2.0 - column as f64)
    }

    /// log c for one canonical partial correlation: p(z) = c (1 − z²)^(b − 1) on (−1, 1).
    #[must_use]
    pub fn partial_correlation_constant(&self, n_features: usize, column: usize) -> f64 {
        let b = self.partial_correlation_shape(n_features, column);
        lgamma(2.0 * b) - 2.0 * lgamma(b) - (2.0 * b - 1.0) * LN_2
    }

    /// Log density of one packed Cholesky factor L of a correlation matrix, with respect to its strict lower triangle:
    /// the LKJ density (Lewandowski, Kurowicka & Joe 2009, eq. 16) times the Jacobian of Ω = L Lᵀ.
    #[must_use]
    pub fn log_density_of_correlation_factor(&self, n_features: usize, factor: &[f64]) -> f64 {
        let mut log_density = 0.0;
        for i in 1..n_features {
            for j in 0..i {
                log_density += self.partial_correlation_constant(n_features, j);
            }
            // Exponents of the diagonal, with the Jacobian: D − i + 2η − 2, counting rows from 1.
            let power = n_features as f64 - (i + 1) as f64 + 2.0 * self.lkj_shape - 2.0;
            log_density += power * log(factor[at(i, i)]);
        }
        log_density
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const PRIORS: [ScalePrior; 7] = [
        ScalePrior::HalfCauchy { scale: 1.3 },
        ScalePrior::HalfNormal { scale: 0.7 },
        ScalePrior::HalfStudentT { nu: 4.0, scale: 2.0 },
        ScalePrior::Exponential { rate: 1.5 },
        ScalePrior::LogNormal { mu: -0.3, sigma: 0.8 },
        ScalePrior::InverseGamma { shape: 2.5, scale: 1.2 },
        ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.8, hyper_rate: 1.4 },
    ];

    /// ∫ p(σ) dσ over log σ by the trapezoidal rule, which converges exponentially for smooth decaying integrands.
    fn mass(prior: ScalePrior) -> f64 {
        let step = 0.01;
        (-6000..6000)
            .map(|i| {
                let log_sigma = f64::from(i) * step;
                (prior.log_density(log_sigma.exp()).0 + log_sigma).exp() * step
            })
            .sum()
    }

    #[test]
    fn every_scale_prior_integrates_to_one() {
        for prior in PRIORS {
            assert_relative_eq!(mass(prior), 1.0, max_relative = 1e-10);
        }
    }

    #[test]
    fn derivatives_are_those_of_the_densities() {
        for prior in PRIORS {
            for log_sigma in [-2.0f64, -0.4, 0.0, 0.9, 2.5] {
                let h = 1e-5;
                let up = prior.log_density((log_sigma + h).exp()).0;
                let down = prior.log_density((log_sigma - h).exp()).0;
                let derivative = prior.log_density(log_sigma.exp()).1;
                assert_relative_eq!((up - down) / (2.0 * h), derivative, max_relative = 1e-7, epsilon = 1e-8);
            }
        }
    }

    #[test]
    fn a_hierarchical_prior_is_the_mean_over_its_rate() {
        let (shape, hyper_shape, hyper_rate) = (2.0, 0.8, 1.4);
        let prior = ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate };
        let gamma = |x: f64, shape: f64, rate: f64| {
            shape * rate.ln() - lgamma(shape) + (shape - 1.0) * x.ln() - rate * x
        };
        let sigma = [0.7, 1.9, 0.3f64];
        let given = |rate: f64| -> f64 {
            sigma.iter().map(|s| gamma(s.powi(-2), shape, rate) + (2.0 * s.powi(-3)).ln()).sum()
        };
        let step = 0.01;
        let mean: f64 = (-4000..1000)
            .map(|i| (f64::from(i) * step).exp())
            .map(|rate| (given(rate) + gamma(rate, hyper_shape, hyper_rate)).exp() * rate * step)
            .sum();
        assert_relative_eq!(prior.joint_log_density(&sigma), mean.ln(), max_relative = 1e-10);
    }

    #[test]
    fn only_priors_that_vanish_at_zero_stay_proper_with_ties() {
        for prior in PRIORS {
            // ∫ p(σ) σ^−(m−1) dσ near 0, on the log scale, from two decades: it diverges if they do not shrink.
            let at = |log_sigma: f64, m: i32| {
                let joint = prior.joint_log_density(&[log_sigma.exp(), 1.0, 1.0]);
                joint - f64::from(m - 2) * log_sigma
            };
            for m in 2..13 {
                let diverges = at(-60.0, m) >= at(-50.0, m) - 1e-9;
                assert_eq!(prior.may_be_improper_with_ties(3, m as usize), diverges, "{prior:?} {m}");
            }
        }
    }

    #[test]
    fn components_with_one_centre_are_alike() {
        let with_centres = |centres: &[f64]| Prior {
            concentration: 0.5,
            centres: centres.to_vec(),
            mean_sd: 1.0,
            scales: PRIORS[0],
            lkj_shape: 2.0,
        };
        assert!(with_centres(&[1.0, 2.0, 1.0, 2.0]).is_exchangeable(2));
        assert!(!with_centres(&[1.0, 2.0, 1.0, 2.5]).is_exchangeable(2));
        assert!(with_centres(&[1.0, 2.0]).is_exchangeable(1));
    }

    #[test]
    fn a_prior_out_of_range_is_refused_by_name() {
        let prior = Prior {
            concentration: 0.5,
            centres: vec![0.0],
            mean_sd: 1.0,
            scales: ScalePrior::HalfCauchy { scale: -1.0 },
            lkj_shape: 2.0,
        };
        assert_eq!(prior.check(), Err(PriorError { name: "scale", value: -1.0 }));
    }
}
