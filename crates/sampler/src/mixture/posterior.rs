//! The posterior of a mixture's unconstrained parameters: likelihood × prior × Jacobian, with its gradient.

use libm::exp;

use super::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
use super::prior::{Prior, PriorError};
use super::transform::{Layout, PartialCorrelations, helmert_transpose, log_weights};
use super::triangular::{at, packed_len};
use crate::log_density::LogDensity;

/// log p(y, θ(x)) + log |∂θ/∂x| for unconstrained x: every constant is kept, so its integral is the evidence.
#[derive(Debug, Clone)]
pub struct Posterior<'a> {
    likelihood: &'a Likelihood,
    prior: &'a Prior,
    layout: Layout,
    /// Sum of all constants of prior and Jacobian.
    constant: f64,
    /// Per column of the correlation factors: b, the exponent of 1 − z² with the Jacobian of tanh included.
    correlation_powers: Vec<f64>,
    components: WhitenedComponents,
    workspace: Workspace,
    moments: Moments,
    log_weights: Vec<f64>,
    sigma: Vec<f64>,
    partial: Vec<PartialCorrelations>,
    /// K packed correlation factors L_k.
    factors: Vec<f64>,
    /// One component's T_k, then the gradient in it, then in L_k.
    scale_factor: Vec<f64>,
    factor_gradient: Vec<f64>,
}

impl<'a> Posterior<'a> {
    /// # Errors
    /// A hyper-parameter of the prior that is not positive and finite.
    ///
    /// # Panics
    /// If the prior's centres are not K × D numbers.
    pub fn new(
        likelihood: &'a Likelihood,
        prior: &'a Prior,
        n_components: usize,
    ) -> Result<Self, PriorError> {
        prior.check()?;
        let d = likelihood.n_features();
        let layout = Layout { n_components, n_features: d };
        assert_eq!(prior.centres.len(), n_components * d, "the prior's centres are K × D");
        let k = n_components as f64;
        let correlation_constant: f64 =
            (1..d).flat_map(|i| (0..i).map(|j| prior.partial_correlation_constant(d, j))).sum();
        let constant = prior.dirichlet_constant(n_components)
            + prior.means_constant(n_components * d)
            + k * correlation_constant
            + 0.5 * libm::log(k);
        Ok(Self {
            likelihood,
            prior,
            layout,
            constant,
            correlation_powers: (0..d.saturating_sub(1))
                .map(|j| prior.partial_correlation_shape(d, j))
                .collect(),
            components: WhitenedComponents::new(n_components, d),
            workspace: Workspace::new(n_components, d),
            moments: Moments::new(n_components, d),
            log_weights: vec![0.0; n_components],
            sigma: vec![0.0; n_components * d],
            partial: vec![PartialCorrelations::new(d); n_components],
            factors: vec![0.0; n_components * packed_len(d)],
            scale_factor: vec![0.0; packed_len(d)],
            factor_gradient: vec![0.0; packed_len(d)],
        })
    }

    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    fn set_components(&mut self, position: &[f64]) {
        let Layout { n_components, n_features: d } = self.layout;
        let triangle = packed_len(d);
        log_weights(&position[..self.layout.mu_start()], &mut self.log_weights);
        let mu = &position[self.layout.mu_start()..];
        let log_sigma = &position[self.layout.log_sigma_start()..];
        for (sigma, &log_sigma) in self.sigma.iter_mut().zip(log_sigma) {
            *sigma = exp(log_sigma);
        }
        for k in 0..n_components {
            let x = &position[self.layout.correlations_start() + k * self.layout.n_correlations()..];
            let factor = &mut self.factors[k * triangle..][..triangle];
            self.partial[k].factor(&x[..self.layout.n_correlations()], factor);
            for i in 0..d {
                let scale = self.sigma[k * d + i];
                for j in 0..=i {
                    self.scale_factor[at(i, j)] = scale * factor[at(i, j)];
                }
            }
            self.components.set(k, self.log_weights[k], &mu[k * d..][..d], &self.scale_factor);
        }
    }

    /// Gradient of the log-likelihood in T_k's entries, from the moments: for one observation with whitened residual z,
    /// ∂ log N / ∂T = tril(Wᵀ z zᵀ) − diag(1 / T_dd).
    fn scale_factor_gradient(&mut self, k: usize) {
        let d = self.layout.n_features;
        let inverse = self.components.inverse_factor(k);
        let second = self.moments.second(k);
        for i in 0..d {
            for j in 0..=i {
                let sum: f64 = (i..d).map(|l| inverse[at(l, i)] * second[at(l, j)]).sum();
                self.factor_gradient[at(i, j)] = sum;
            }
            self.factor_gradient[at(i, i)] -= self.moments.count(k) * inverse[at(i, i)];
        }
    }
}

impl LogDensity for Posterior<'_> {
    fn dimension(&self) -> usize {
        self.layout.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let Layout { n_components, n_features: d } = self.layout;
        let triangle = packed_len(d);
        self.set_components(position);
        let log_likelihood = self.likelihood.log_likelihood_and_moments(
            &self.components,
            &mut self.workspace,
            &mut self.moments,
        );
        let mut log_density = self.constant + log_likelihood;

        // Weights: the Dirichlet's α − 1 and the Jacobian's 1 add up to α.
        let alpha = self.prior.concentration;
        let total = self.likelihood.n_observations() as f64 + alpha * n_components as f64;
        for (k, log_weight) in self.log_weights.iter_mut().enumerate() {
            log_density += alpha * *log_weight;
            *log_weight = (self.moments.count(k) + alpha) - exp(*log_weight) * total;
        }
        helmert_transpose(&self.log_weights, &mut gradient[..self.layout.mu_start()]);

        let (mu_start, log_sigma_start) = (self.layout.mu_start(), self.layout.log_sigma_start());
        let precision = 1.0 / (self.prior.mean_sd * self.prior.mean_sd);
        for k in 0..n_components {
            let inverse = self.components.inverse_factor(k);
            let first = self.moments.first(k);
            for i in 0..d {
                let index = k * d + i;
                let off_centre = position[mu_start + index] - self.prior.centres[index];
                log_density -= 0.5 * precision * off_centre * off_centre;
                let from_data: f64 = (i..d).map(|l| inverse[at(l, i)] * first[l]).sum();
                gradient[mu_start + index] = from_data - precision * off_centre;
            }

            self.scale_factor_gradient(k);
            let factor = &self.factors[k * triangle..][..triangle];
            for i in 0..d {
                let index = k * d + i;
                let sigma = self.sigma[index];
                let (log_prior, derivative) = self.prior.scales.log_density(sigma);
                log_density += log_prior + position[log_sigma_start + index];
                let row = at(i, 0)..=at(i, i);
                let from_data: f64 = self.factor_gradient[row.clone()]
                    .iter()
                    .zip(&factor[row.clone()])
                    .map(|(g, l)| g * l)
                    .sum();
                gradient[log_sigma_start + index] = sigma * from_data + derivative + 1.0;
                self.factor_gradient[row].iter_mut().for_each(|g| *g *= sigma);
            }

            let start = self.layout.correlations_start() + k * self.layout.n_correlations();
            let x = &position[start..][..self.layout.n_correlations()];
            let gradient_x = &mut gradient[start..][..self.layout.n_correlations()];
            let partial = &self.partial[k];
            log_density += partial.weighted_log_sech_squares(x, &self.correlation_powers);
            partial.pull_back(&self.factor_gradient, gradient_x);
            let mut index = 0;
            for i in 1..d {
                for power in &self.correlation_powers[..i] {
                    gradient_x[index] -= 2.0 * power * partial.z[index];
                    index += 1;
                }
            }
        }
        log_density
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use crate::mixture::prior::ScalePrior;
    use approx::assert_relative_eq;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_gradient_is_the_densitys(n in 1usize..90, d in 1usize..6, k in 1usize..5, seed in any::<u64>()) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut uniform = |count: usize| -> Vec<f64> {
                (0..count).map(|_| rng.random_range(-1.5..1.5)).collect()
            };
            let data = Data::from_columns(&(0..d).map(|_| uniform(n)).collect::<Vec<_>>()).unwrap();
            let prior = Prior {
                concentration: 0.5,
                centres: uniform(k * d),
                mean_sd: 0.1f64.sqrt(),
                scales: ScalePrior::HalfCauchy { scale: 1.0 },
                lkj_shape: 2.0,
            };
            let likelihood = Likelihood::new(&data);
            let mut posterior = Posterior::new(&likelihood, &prior, k).unwrap();
            let position = uniform(posterior.dimension());
            let mut gradient = vec![0.0; position.len()];
            posterior.log_density_and_gradient(&position, &mut gradient);
            let mut unused = gradient.clone();
            let scale = gradient.iter().fold(1.0f64, |largest, g| largest.max(g.abs()));
            for index in 0..position.len() {
                let mut at = |h: f64| {
                    let mut moved = position.clone();
                    moved[index] += h;
                    posterior.log_density_and_gradient(&moved, &mut unused)
                };
                let h = 1e-4;
                // Fourth-order central difference.
                let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                assert_relative_eq!(difference, gradient[index], max_relative = 1e-6, epsilon = 1e-6 * scale);
            }
        }
    }
}
