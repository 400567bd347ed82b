//! The exact posterior of one normal component in one dimension: μ in closed form, σ by quadrature.

use std::f64::consts::PI;

use gmm_sampler::mixture::prior::ScalePrior;
use libm::{exp, lgamma, log};

use crate::normal;

/// The trapezoidal rule over log σ in ±REACH. It converges exponentially for smooth integrands that decay, and no prior of the
/// suite has more than 1e-13 of its mass outside.
const REACH: f64 = 32.0;
const STEP: f64 = 0.01;

/// Nodes with a smaller share of the posterior mass are dropped.
const NEGLIGIBLE: f64 = 1e-18;

/// The prior of a component: μ ~ Normal(centre, mean_sd²), σ ~ `scales`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComponentPrior {
    pub(crate) centre: f64,
    pub(crate) mean_sd: f64,
    pub(crate) scales: ScalePrior,
}

/// One node of the quadrature.
#[derive(Debug, Clone, Copy)]
struct Node {
    log_sigma: f64,
    /// Posterior probability.
    mass: f64,
    /// Mean and variance of μ given σ.
    mean: f64,
    variance: f64,
}

/// p(μ, σ | y) if all observations y belong to the component.
#[derive(Debug, Clone)]
pub(crate) struct ComponentPosterior {
    nodes: Vec<Node>,
    /// log ∫∫ p(y | μ, σ) p(μ) p(σ) dμ dσ.
    pub(crate) log_evidence: f64,
}

impl ComponentPosterior {
    pub(crate) fn new(prior: ComponentPrior, observations: &[f64]) -> Self {
        let n = observations.len() as f64;
        let centroid = if n > 0.0 { observations.iter().sum::<f64>() / n } else { 0.0 };
        let squares: f64 = observations.iter().map(|y| (y - centroid) * (y - centroid)).sum();
        let prior_variance = prior.mean_sd * prior.mean_sd;
        let count = (2.0 * REACH / STEP) as i32;
        let mut logs = Vec::new();
        let mut nodes = Vec::new();
        for i in 0..=count {
            let log_sigma = -REACH + f64::from(i) * STEP;
            let square = exp(2.0 * log_sigma);
            // p(y | σ), μ integrated out (Gelman et al. 2013, Bayesian Data Analysis, section 2.5).
            let mut log_likelihood = -0.5 * n * log(2.0 * PI) - n * log_sigma - 0.5 * squares / square;
            if n > 0.0 {
                log_likelihood -= 0.5 * log(1.0 + n * prior_variance / square)
                    + 0.5 * (centroid - prior.centre).powi(2) / (prior_variance + square / n);
            }
            let variance = 1.0 / (n / square + 1.0 / prior_variance);
            let mean = variance * (n * centroid / square + prior.centre / prior_variance);
            logs.push(log_likelihood + log_density(prior.scales, log_sigma) + log_sigma + log(STEP));
            nodes.push(Node { log_sigma, mass: 0.0, mean, variance });
        }
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|value| exp(value - largest)).sum();
        nodes.iter_mut().zip(&logs).for_each(|(node, value)| node.mass = exp(value - largest) / total);
        nodes.retain(|node| node.mass > NEGLIGIBLE);
        Self { nodes, log_evidence: largest + log(total) }
    }

    fn expect(&self, f: impl Fn(&Node) -> f64) -> f64 {
        self.nodes.iter().map(|node| node.mass * f(node)).sum()
    }

    pub(crate) fn mean(&self) -> f64 {
        self.expect(|node| node.mean)
    }

    /// E μ².
    pub(crate) fn mean_square(&self) -> f64 {
        self.expect(|node| node.mean * node.mean + node.variance)
    }

    pub(crate) fn log_sigma(&self) -> f64 {
        self.expect(|node| node.log_sigma)
    }

    /// E (log σ)².
    pub(crate) fn log_sigma_square(&self) -> f64 {
        self.expect(|node| node.log_sigma * node.log_sigma)
    }

    /// E Normal(y | μ, σ²): the posterior predictive density at y.
    pub(crate) fn density(&self, y: f64) -> f64 {
        self.expect(|node| {
            let sd = (node.variance + exp(2.0 * node.log_sigma)).sqrt();
            normal::density((y - node.mean) / sd) / sd
        })
    }

    /// The posterior quantile of μ.
    pub(crate) fn mean_quantile(&self, probability: f64) -> f64 {
        let below = |x: f64| self.expect(|node| normal::cdf((x - node.mean) / node.variance.sqrt()));
        let (low, high) = self.nodes.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), node| {
            let reach = 10.0 * node.variance.sqrt();
            (low.min(node.mean - reach), high.max(node.mean + reach))
        });
        invert_increasing(below, probability, low, high)
    }

    /// The posterior quantile of log σ. A node's mass is spread evenly over one step.
    pub(crate) fn log_sigma_quantile(&self, probability: f64) -> f64 {
        let mut below = 0.0;
        for node in &self.nodes {
            if below + node.mass >= probability {
                return node.log_sigma + ((probability - below) / node.mass - 0.5) * STEP;
            }
            below += node.mass;
        }
        f64::INFINITY
    }

    /// P(log σ ≤ x). A node's mass is spread evenly over one step.
    pub(crate) fn log_sigma_below(&self, x: f64) -> f64 {
        self.expect(|node| ((x - node.log_sigma) / STEP + 0.5).clamp(0.0, 1.0))
    }
}

/// The x in [low, high] at which an increasing function takes a value, by bisection.
fn invert_increasing(f: impl Fn(f64) -> f64, value: f64, mut low: f64, mut high: f64) -> f64 {
    // 2⁻²⁰⁰ of any bracket is below the spacing of doubles.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if f(middle) < value { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// log p(σ), written independently of the sampler's formulas, which are under test.
fn log_density(prior: ScalePrior, log_sigma: f64) -> f64 {
    let sigma = exp(log_sigma);
    match prior {
        ScalePrior::HalfCauchy { scale } => log(2.0 * scale / PI / (scale * scale + sigma * sigma)),
        ScalePrior::HalfNormal { scale } => {
            log(2.0 / (scale * (2.0 * PI).sqrt())) - 0.5 * (sigma / scale).powi(2)
        }
        ScalePrior::HalfStudentT { nu, scale } => {
            let beta = lgamma(0.5) + lgamma(0.5 * nu) - lgamma(0.5 * (nu + 1.0));
            log(2.0 / (scale * nu.sqrt())) - beta - 0.5 * (nu + 1.0) * log(1.0 + (sigma / scale).powi(2) / nu)
        }
        ScalePrior::Exponential { rate } => log(rate) - rate * sigma,
        ScalePrior::LogNormal { mu, sigma: spread } => {
            -0.5 * ((log_sigma - mu) / spread).powi(2) - log(spread * (2.0 * PI).sqrt()) - log_sigma
        }
        ScalePrior::InverseGamma { shape, scale } => {
            shape * log(scale) - lgamma(shape) - (shape + 1.0) * log_sigma - scale / sigma
        }
        // σ⁻² / hyper_rate is a ratio of two gamma variables, and so has a beta prime distribution (Johnson, Kotz & Balakrishnan
        // 1995, chapter 27). This is its density, transformed to σ.
        ScalePrior::Hierarchical { shape, hyper_shape, hyper_rate } => {
            let ratio = exp(-2.0 * log_sigma) / hyper_rate;
            let beta = lgamma(shape) + lgamma(hyper_shape) - lgamma(shape + hyper_shape);
            (shape - 1.0) * log(ratio) - (shape + hyper_shape) * log(1.0 + ratio) - beta - log(hyper_rate)
                + log(2.0)
                - 3.0 * log_sigma
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn prior(scales: ScalePrior) -> ComponentPosterior {
        ComponentPosterior::new(ComponentPrior { centre: 0.3, mean_sd: 0.7, scales }, &[])
    }

    #[test]
    fn without_observations_the_posterior_is_the_prior_with_its_known_quantiles() {
        let quantile = |scales, p: f64| prior(scales).log_sigma_quantile(p).exp();
        let near = |a: f64, b: f64| assert_relative_eq!(a, b, max_relative = 1e-5);
        // tan(π p / 2); √2 erfinv(p) at ½; −ln(1 − p); e^μ; 1 / (the Gamma(1) quantile).
        near(quantile(ScalePrior::HalfCauchy { scale: 1.3 }, 0.75), 1.3 * (0.375 * PI).tan());
        near(quantile(ScalePrior::HalfNormal { scale: 0.7 }, 0.5), 0.7 * 0.674_489_750_196_081_7);
        near(quantile(ScalePrior::Exponential { rate: 1.5 }, 0.9), 10.0f64.ln() / 1.5);
        near(quantile(ScalePrior::LogNormal { mu: -0.3, sigma: 0.8 }, 0.5), (-0.3f64).exp());
        near(quantile(ScalePrior::InverseGamma { shape: 1.0, scale: 1.2 }, 0.5), 1.2 / 2.0f64.ln());
        // Beta prime (1, 1) has median 1.
        let hierarchical = ScalePrior::Hierarchical { shape: 1.0, hyper_shape: 1.0, hyper_rate: 0.25 };
        near(quantile(hierarchical, 0.5), 2.0);
        // Student's t with one degree of freedom is the Cauchy distribution.
        near(quantile(ScalePrior::HalfStudentT { nu: 1.0, scale: 2.0 }, 0.75), 2.0 * (0.375 * PI).tan());
        let component = prior(ScalePrior::HalfNormal { scale: 0.7 });
        assert!(component.log_evidence.abs() < 1e-12);
        near(component.mean_quantile(0.5), 0.3);
        near(component.mean_square(), 0.09 + 0.49);
        near(component.log_sigma_below(component.log_sigma_quantile(0.2)), 0.2);
    }

    #[test]
    fn the_posterior_agrees_with_a_sum_over_a_grid_in_two_dimensions() {
        let observations = [0.4, 1.1, -0.2];
        let prior = ComponentPrior {
            centre: 0.5,
            mean_sd: 0.8,
            scales: ScalePrior::InverseGamma { shape: 3.0, scale: 2.0 },
        };
        let component = ComponentPosterior::new(prior, &observations);
        let (mut mass, mut mean, mut density) = (0.0, 0.0, 0.0);
        for i in 0..600 {
            for j in 0..600 {
                let (mu, log_sigma) = (-5.5 + 0.02 * f64::from(i), -6.0 + 0.02 * f64::from(j));
                let sigma = log_sigma.exp();
                let likelihood: f64 =
                    observations.iter().map(|y| normal::density((y - mu) / sigma) / sigma).product();
                let joint = likelihood * normal::density((mu - 0.5) / 0.8) / 0.8
                    * log_density(prior.scales, log_sigma).exp()
                    * sigma
                    * 0.02
                    * 0.02;
                mass += joint;
                mean += joint * mu;
                density += joint * normal::density((0.9 - mu) / sigma) / sigma;
            }
        }
        assert_relative_eq!(component.log_evidence, mass.ln(), max_relative = 1e-9);
        assert_relative_eq!(component.mean(), mean / mass, max_relative = 1e-9);
        assert_relative_eq!(component.density(0.9), density / mass, max_relative = 1e-9);
    }
}
