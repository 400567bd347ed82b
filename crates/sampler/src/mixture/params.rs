//! A Gaussian mixture by its weights, means, standard deviations and correlations.

use nalgebra::DMatrix;
use thiserror::Error;

use super::triangular::{at, cholesky, packed_len, product_with_transpose};
use crate::data::Scaling;

/// Why numbers do not define a [`Mixture`]. Components and features are counted from 0.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MixtureError {
    /// A weight is not in (0, 1].
    #[error("weight {component} is {value}: weights are positive and sum to one")]
    Weight {
        /// The component.
        component: usize,
        /// Its weight.
        value: f64,
    },
    /// A covariance is not positive definite.
    #[error("component {component}, pivot {index}: the covariance is not positive definite")]
    NonPositivePivot {
        /// The component.
        component: usize,
        /// The first pivot of its Cholesky factor that is not positive.
        index: usize,
    },
    /// A mean or standard deviation is not finite, or a standard deviation is not positive.
    #[error(
        "component {component}, feature {feature} has mean {mean} and standard deviation {scale}: both must be finite, the latter positive"
    )]
    NotFinite {
        /// The component.
        component: usize,
        /// The feature.
        feature: usize,
        /// The mean there.
        mean: f64,
        /// The standard deviation there.
        scale: f64,
    },
    /// A slice has the wrong length.
    #[error("{what} has {found} numbers, {expected} expected")]
    Shape {
        /// What the slice holds.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
}

/// K weighted Gaussian components over D features:
/// `p(y) = Σ_k w_k MVN(y | μ_k, T_k T_kᵀ)`, `T_k = diag(σ_k) L_k`, `Ω_k = L_k L_kᵀ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    pub(crate) n_components: usize,
    pub(crate) n_features: usize,
    /// K, log scale.
    pub(crate) log_weights: Vec<f64>,
    /// K × D.
    pub(crate) mu: Vec<f64>,
    /// K × D.
    pub(crate) sigma: Vec<f64>,
    /// K packed Cholesky factors L_k of the correlation matrices.
    pub(crate) correlation_factors: Vec<f64>,
}

impl Mixture {
    /// K standard normal components in D dimensions, equally weighted.
    #[must_use]
    pub fn standard(n_components: usize, n_features: usize) -> Self {
        let triangle = packed_len(n_features);
        let mut correlation_factors = vec![0.0; n_components * triangle];
        for factor in correlation_factors.chunks_exact_mut(triangle) {
            for i in 0..n_features {
                factor[at(i, i)] = 1.0;
            }
        }
        Self {
            n_components,
            n_features,
            log_weights: vec![-libm::log(n_components as f64); n_components],
            mu: vec![0.0; n_components * n_features],
            sigma: vec![1.0; n_components * n_features],
            correlation_factors,
        }
    }

    /// From weights (K), means (K × D) and packed lower triangles of the covariances (K × D(D+1)/2). The caller sees to it that
    /// the weights sum to one.
    ///
    /// # Errors
    /// If a slice has the wrong length, a number is not finite, a weight is not in (0, 1], or a covariance is not positive definite.
    pub fn from_covariances(
        n_features: usize,
        weights: &[f64],
        means: &[f64],
        covariances: &[f64],
    ) -> Result<Self, MixtureError> {
        let n_components = weights.len();
        let triangle = packed_len(n_features);
        let shape = |what, found, expected| {
            (found == expected).then_some(()).ok_or(MixtureError::Shape { what, found, expected })
        };
        shape("means", means.len(), n_components * n_features)?;
        shape("covariances", covariances.len(), n_components * triangle)?;
        let mut mixture = Self::standard(n_components, n_features);
        mixture.mu.copy_from_slice(means);
        for (component, &value) in weights.iter().enumerate() {
            if !(value > 0.0 && value <= 1.0) {
                return Err(MixtureError::Weight { component, value });
            }
            mixture.log_weights[component] = libm::log(value);
        }
        for (component, covariance) in covariances.chunks_exact(triangle).enumerate() {
            let factor = &mut mixture.correlation_factors[component * triangle..][..triangle];
            cholesky(n_features, covariance, factor)
                .map_err(|index| MixtureError::NonPositivePivot { component, index })?;
            for i in 0..n_features {
                let scale = covariance[at(i, i)].sqrt();
                mixture.sigma[component * n_features + i] = scale;
                factor[at(i, 0)..=at(i, i)].iter_mut().for_each(|entry| *entry /= scale);
            }
        }
        mixture.check_finite()?;
        Ok(mixture)
    }

    /// K.
    #[must_use]
    pub fn n_components(&self) -> usize {
        self.n_components
    }

    /// D.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// w_k.
    #[must_use]
    pub fn weight(&self, component: usize) -> f64 {
        libm::exp(self.log_weights[component])
    }

    /// μ_k, length D.
    #[must_use]
    pub fn mean(&self, component: usize) -> &[f64] {
        &self.mu[component * self.n_features..][..self.n_features]
    }

    /// σ_k: standard deviations, length D.
    #[must_use]
    pub fn scales(&self, component: usize) -> &[f64] {
        &self.sigma[component * self.n_features..][..self.n_features]
    }

    /// L_k: the packed Cholesky factor of Ω_k.
    #[must_use]
    pub fn correlation_factor(&self, component: usize) -> &[f64] {
        let triangle = packed_len(self.n_features);
        &self.correlation_factors[component * triangle..][..triangle]
    }

    /// Entry (i, j) of Ω_k, i > j: a correlation.
    #[must_use]
    pub fn correlation(&self, component: usize, i: usize, j: usize) -> f64 {
        let factor = self.correlation_factor(component);
        (0..=j).map(|l| factor[at(i, l)] * factor[at(j, l)]).sum()
    }

    /// T_k = diag(σ_k) L_k, packed.
    #[must_use]
    pub fn scale_factor(&self, component: usize) -> Vec<f64> {
        let mut factor = self.correlation_factor(component).to_vec();
        for (i, &scale) in self.scales(component).iter().enumerate() {
            factor[at(i, 0)..=at(i, i)].iter_mut().for_each(|entry| *entry *= scale);
        }
        factor
    }

    /// Σ_k, packed lower triangle.
    #[must_use]
    pub fn covariance(&self, component: usize) -> Vec<f64> {
        let mut covariance = vec![0.0; packed_len(self.n_features)];
        product_with_transpose(self.n_features, &self.scale_factor(component), &mut covariance);
        covariance
    }

    /// A mixture on the sampler's scale, converted to the data's own scale: `y = location + scale · z`.
    #[must_use]
    pub fn on_data_scale(&self, scaling: &Scaling) -> Self {
        let mapped = scaling.axes().map(|axes| self.mapped(axes.inverse()));
        let mut mixture = mapped.unwrap_or_else(|| self.clone());
        for (mu, sigma) in mixture.features() {
            for ((mu, sigma), (location, scale)) in
                mu.iter_mut().zip(sigma).zip(scaling.location().iter().zip(scaling.scale()))
            {
                *mu = location + scale * *mu;
                *sigma *= scale;
            }
        }
        mixture
    }

    /// The inverse of [`Mixture::on_data_scale`].
    #[must_use]
    pub fn on_sampler_scale(&self, scaling: &Scaling) -> Self {
        let mut mixture = self.clone();
        for (mu, sigma) in mixture.features() {
            for ((mu, sigma), (location, scale)) in
                mu.iter_mut().zip(sigma).zip(scaling.location().iter().zip(scaling.scale()))
            {
                *mu = (*mu - location) / scale;
                *sigma /= scale;
            }
        }
        match scaling.axes() {
            Some(axes) => mixture.mapped(axes.matrix()),
            None => mixture,
        }
    }

    /// The means and the standard deviations of each component.
    fn features(&mut self) -> impl Iterator<Item = (&mut [f64], &mut [f64])> {
        let d = self.n_features;
        self.mu.chunks_exact_mut(d).zip(self.sigma.chunks_exact_mut(d))
    }

    /// The mixture of A x for a matrix A given by its rows: means A μ, covariances A Σ Aᵀ.
    fn mapped(&self, rows: &[Vec<f64>]) -> Self {
        let d = self.n_features;
        let mut mixture = self.clone();
        for k in 0..self.n_components {
            let means = rows.iter().map(|row| row.iter().zip(self.mean(k)).map(|(a, mu)| a * mu).sum());
            mixture.mu[k * d..][..d].iter_mut().zip(means).for_each(|(mu, mean): (&mut f64, f64)| *mu = mean);
            // The triangular factor of A T Tᵀ Aᵀ is that of a QR decomposition of (A T)ᵀ: no digit is lost in a product of
            // covariances.
            let factor = self.scale_factor(k);
            let product =
                DMatrix::from_fn(d, d, |j, i| (j..d).map(|l| rows[i][l] * factor[at(l, j)]).sum::<f64>());
            let triangle = product.qr().r();
            for i in 0..d {
                let entries = || (0..=i).map(|j| triangle[(j, i)] * triangle[(j, j)].signum());
                let scale = entries().map(|entry| entry * entry).sum::<f64>().sqrt();
                mixture.sigma[k * d + i] = scale;
                let start = k * packed_len(d) + at(i, 0);
                for (to, entry) in mixture.correlation_factors[start..].iter_mut().zip(entries()) {
                    *to = entry / scale;
                }
            }
        }
        mixture
    }

    /// The components in another order: component k of the result is component `order[k]` of this mixture.
    #[must_use]
    pub fn reordered(&self, order: &[usize]) -> Self {
        let mut mixture = self.clone();
        let triangle = packed_len(self.n_features);
        for (to, &from) in order.iter().enumerate() {
            mixture.log_weights[to] = self.log_weights[from];
            let span = |component, width| component * width..(component + 1) * width;
            mixture.mu[span(to, self.n_features)].copy_from_slice(self.mean(from));
            mixture.sigma[span(to, self.n_features)].copy_from_slice(self.scales(from));
            mixture.correlation_factors[span(to, triangle)].copy_from_slice(self.correlation_factor(from));
        }
        mixture
    }

    /// Names of [`Mixture::values`], with indices from 0: `weights[k]`, `mu[k,d]`, `sigma[k,d]`, and `omega[k,i,j]` for i > j.
    #[must_use]
    pub fn variables(n_components: usize, n_features: usize) -> Vec<String> {
        let components = 0..n_components;
        let feature_names = |name: &str| -> Vec<String> {
            components
                .clone()
                .flat_map(|k| (0..n_features).map(move |d| (k, d)))
                .map(|(k, d)| format!("{name}[{k},{d}]"))
                .collect()
        };
        let mut names: Vec<String> = components.clone().map(|k| format!("weights[{k}]")).collect();
        names.extend(feature_names("mu"));
        names.extend(feature_names("sigma"));
        for k in components {
            names.extend((1..n_features).flat_map(|i| (0..i).map(move |j| format!("omega[{k},{i},{j}]"))));
        }
        names
    }

    /// The mixture's weights, means, standard deviations and correlations, in the order of [`Mixture::variables`].
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.log_weights.iter().map(|&log_weight| libm::exp(log_weight)).collect();
        values.extend_from_slice(&self.mu);
        values.extend_from_slice(&self.sigma);
        for k in 0..self.n_components {
            values.extend(
                (1..self.n_features)
                    .flat_map(|i| (0..i).map(move |j| (i, j)))
                    .map(|(i, j)| self.correlation(k, i, j)),
            );
        }
        values
    }

    /// The inverse of [`Mixture::values`].
    ///
    /// # Errors
    /// If a number is missing, or if no mixture has these numbers. A weight of 0 is accepted: it is one that underflowed.
    pub fn from_values(n_components: usize, n_features: usize, values: &[f64]) -> Result<Self, MixtureError> {
        let triangle = packed_len(n_features);
        let below = triangle - n_features;
        let expected = n_components * (1 + 2 * n_features + below);
        if values.len() != expected {
            return Err(MixtureError::Shape { what: "a draw", found: values.len(), expected });
        }
        let (weights, rest) = values.split_at(n_components);
        let (mu, rest) = rest.split_at(n_components * n_features);
        let (sigma, omega) = rest.split_at(n_components * n_features);
        let mut mixture = Self::standard(n_components, n_features);
        for (component, &value) in weights.iter().enumerate() {
            // A weight may have underflowed to 0: its component is empty.
            if !(0.0..=1.0).contains(&value) {
                return Err(MixtureError::Weight { component, value });
            }
            mixture.log_weights[component] = libm::log(value);
        }
        mixture.mu.copy_from_slice(mu);
        mixture.sigma.copy_from_slice(sigma);
        mixture.check_finite()?;
        let mut correlations = vec![0.0; triangle];
        for (component, omega) in omega.chunks_exact(below.max(1)).enumerate() {
            let mut below_diagonal = omega.iter();
            for i in 0..n_features {
                for j in 0..i {
                    correlations[at(i, j)] =
                        *below_diagonal.next().expect("a component has as many as its triangle");
                }
                correlations[at(i, i)] = 1.0;
            }
            let factor = &mut mixture.correlation_factors[component * triangle..][..triangle];
            cholesky(n_features, &correlations, factor)
                .map_err(|index| MixtureError::NonPositivePivot { component, index })?;
        }
        Ok(mixture)
    }

    /// Checks that means are finite, and scales finite and positive.
    fn check_finite(&self) -> Result<(), MixtureError> {
        let bad = |mu: &f64, sigma: &f64| !mu.is_finite() || !sigma.is_finite() || *sigma <= 0.0;
        match self.mu.iter().zip(&self.sigma).position(|(mu, sigma)| bad(mu, sigma)) {
            Some(index) => Err(MixtureError::NotFinite {
                component: index / self.n_features,
                feature: index % self.n_features,
                mean: self.mu[index],
                scale: self.sigma[index],
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::invariant_axes;
    use crate::mixture::likelihood::{Likelihood, Moments, WhitenedComponents, Workspace};
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    fn example() -> Mixture {
        let covariances = [2.0, 0.5, 1.0, 0.3, -0.2, 0.7, 1.0, 0.0, 4.0, 0.1, 0.2, 0.3];
        Mixture::from_covariances(3, &[0.3, 0.7], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &covariances).unwrap()
    }

    #[test]
    fn covariances_survive_the_factorisation() {
        let mixture = example();
        let expected = [2.0, 0.5, 1.0, 0.3, -0.2, 0.7];
        for (entry, expected) in mixture.covariance(0).iter().zip(expected) {
            assert_relative_eq!(*entry, expected, max_relative = 1e-14);
        }
        assert_relative_eq!(mixture.correlation(0, 1, 0), 0.5 / 2.0f64.sqrt(), max_relative = 1e-14);
    }

    #[test]
    fn values_and_names_are_one_to_one_and_reversible() {
        let mixture = example();
        let values = mixture.values();
        assert_eq!(Mixture::variables(2, 3).len(), values.len());
        assert_eq!(Mixture::variables(2, 3).last().unwrap(), "omega[1,2,1]");
        let again = Mixture::from_values(2, 3, &values).unwrap();
        for (a, b) in again.values().iter().zip(values) {
            assert_relative_eq!(*a, b, max_relative = 1e-13);
        }
    }

    #[test]
    fn a_weight_that_underflowed_is_an_empty_component() {
        let mut values = example().values();
        (values[0], values[1]) = (0.0, 1.0);
        assert_eq!(Mixture::from_values(2, 3, &values).unwrap().weight(0), 0.0);
    }

    #[test]
    fn scaling_there_and_back_is_the_identity() {
        let mixture = example();
        let scaling = Scaling::new(vec![10.0, -3.0, 0.0], vec![2.0, 0.5, 30.0]);
        let again = mixture.on_data_scale(&scaling).on_sampler_scale(&scaling);
        for (a, b) in again.values().iter().zip(mixture.values()) {
            assert_relative_eq!(*a, b, max_relative = 1e-13);
        }
    }

    /// In other axes, with rounded values, the log densities of all rows are the same but for the map's determinant.
    #[test]
    fn other_axes_change_densities_by_the_determinant() {
        let mixture = example();
        let (data, _) = mixture.simulate(60, &mut ChaCha8Rng::seed_from_u64(2));
        let data = data.with_steps(&[0.5, 0.0, 2.0]);
        let standardizing = Scaling::standardizing(&data).unwrap();
        let axes = invariant_axes(&standardizing.view(&data)).unwrap();
        let scaling = standardizing.with_axes(axes);
        let there = mixture.on_sampler_scale(&scaling);
        let again = there.on_data_scale(&scaling);
        for (a, b) in again.values().iter().zip(mixture.values()) {
            assert_relative_eq!(*a, b, max_relative = 1e-11, epsilon = 1e-11);
        }
        let log_likelihood = |likelihood: Likelihood, mixture: &Mixture| {
            let components = WhitenedComponents::rounded(mixture, likelihood.rounding());
            let (mut workspace, mut moments) = (Workspace::new(2, 3), Moments::new(2, 3));
            likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments)
        };
        let on_data_scale = log_likelihood(Likelihood::new(&data), &mixture);
        let on_sampler_scale = log_likelihood(Likelihood::new(&scaling.view(&data)), &there);
        assert_relative_eq!(
            on_data_scale,
            on_sampler_scale - 60.0 * scaling.log_scale(),
            max_relative = 1e-11
        );
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let indefinite = Mixture::from_covariances(2, &[1.0], &[0.0, 0.0], &[1.0, 2.0, 1.0]);
        assert_eq!(indefinite, Err(MixtureError::NonPositivePivot { component: 0, index: 1 }));
        let nowhere = Mixture::from_covariances(1, &[1.0], &[f64::NAN], &[1.0]);
        assert!(matches!(nowhere, Err(MixtureError::NotFinite { component: 0, feature: 0, .. })));
        let weight = Mixture::from_covariances(1, &[0.0], &[0.0], &[1.0]);
        assert_eq!(weight, Err(MixtureError::Weight { component: 0, value: 0.0 }));
    }
}
