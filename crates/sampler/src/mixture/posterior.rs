//! The posterior of a mixture in unconstrained coordinates: likelihood × prior × Jacobian, with its gradient.

mod component_lanes;
mod rounding;
mod scales;

use super::likelihood::{Likelihood, Moments, Workspace};
use super::prior::{Prior, PriorError};
use super::transform::{Helmert, Layout};
use crate::log_density::LogDensity;
use crate::rounding::Rounding;
use crate::simd::elementary::{exp, ln};
use crate::simd::instructions::dispatched;
use crate::simd::lanes::{LANES, Lanes, Vector};
use component_lanes::{ComponentLanes, HyperParameters};
use scales::{ScaleDensity, SharedRate};

/// log p(y, θ(x)) + log |∂θ/∂x| for unconstrained x, in nats. All constants are kept: the integral of its exponential is the
/// evidence.
#[derive(Debug, Clone)]
pub struct Posterior<'a> {
    likelihood: &'a Likelihood,
    /// The power of the likelihood.
    power: f64,
    components: Components,
    workspace: Workspace,
    moments: Moments,
}

impl<'a> Posterior<'a> {
    /// The posterior of K components.
    ///
    /// # Errors
    /// If a hyper-parameter of the prior is not positive and finite.
    ///
    /// # Panics
    /// If the prior's centres are not K × D numbers.
    pub fn new(likelihood: &'a Likelihood, prior: &Prior, n_components: usize) -> Result<Self, PriorError> {
        prior.check()?;
        let d = likelihood.n_features();
        Ok(Self {
            likelihood,
            power: 1.0,
            components: Components::new(d, prior, n_components, likelihood.rounding()),
            workspace: Workspace::new(n_components, d),
            moments: Moments::new(n_components, d),
        })
    }

    /// The map between positions and mixtures.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.components.layout
    }

    /// The number of observations times the power of their likelihood.
    #[must_use]
    pub fn effective_observations(&self) -> f64 {
        self.power * self.likelihood.n_observations() as f64
    }

    /// α of the weights' prior.
    #[must_use]
    pub fn concentration(&self) -> f64 {
        self.components.concentration
    }

    /// The power of the likelihood.
    pub(crate) fn power(&self) -> f64 {
        self.power
    }

    pub(crate) fn likelihood(&self) -> &'a Likelihood {
        self.likelihood
    }

    /// The log prior with the log Jacobian, and the log-likelihood (at power 1), at a position, both in nats. Their sum is the
    /// log density. Either may be NaN or infinite beyond double precision.
    pub fn log_prior_and_likelihood(&mut self, position: &[f64]) -> (f64, f64) {
        let Self { likelihood, components, workspace, moments, .. } = self;
        let log_prior =
            build(likelihood.instructions(), components, position, likelihood.origin(), workspace);
        if log_prior.is_nan() {
            return (f64::NAN, f64::NAN);
        }
        (log_prior, likelihood.accumulate(workspace, moments))
    }

    /// The same prior with another likelihood for the same features, raised to a power.
    #[must_use]
    pub fn with_likelihood<'b>(&self, likelihood: &'b Likelihood, power: f64) -> Posterior<'b> {
        Posterior {
            likelihood,
            power,
            components: self.components.clone(),
            workspace: self.workspace.clone(),
            moments: self.moments.clone(),
        }
    }
}

impl LogDensity for Posterior<'_> {
    fn dimension(&self) -> usize {
        self.components.layout.dimension()
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let Self { likelihood, power, components, workspace, moments } = self;
        let set = likelihood.instructions();
        let log_prior = build(set, components, position, likelihood.origin(), workspace);
        if log_prior.is_nan() {
            return f64::NAN;
        }
        let log_likelihood = *power * likelihood.accumulate(workspace, moments);
        if *power != 1.0 {
            moments.scale(*power);
        }
        pull_back(set, components, *power * likelihood.n_observations() as f64, moments, gradient);
        log_prior + log_likelihood
    }
}

/// The posterior without its likelihood: the prior, the Jacobian, and the components at a position.
#[derive(Debug, Clone)]
struct Components {
    layout: Layout,
    hyper: HyperParameters,
    shared_rate: Option<SharedRate>,
    /// Sum of all constants of the prior and the Jacobian.
    constant: f64,
    /// α.
    concentration: f64,
    helmert: Helmert,
    /// K: log w, then the gradient in it.
    log_weights: Vec<f64>,
    /// K.
    weights: Vec<f64>,
    groups: Vec<ComponentLanes>,
}

impl Components {
    fn new(d: usize, prior: &Prior, n_components: usize, rounding: Option<&Rounding>) -> Self {
        assert_eq!(prior.centres.len(), n_components * d, "the prior's centres are K × D");
        let k = n_components as f64;
        let scales = ScaleDensity::new(prior.scales);
        let shared_rate = SharedRate::from_prior(prior.scales, n_components);
        let correlation_constant: f64 =
            (1..d).flat_map(|i| (0..i).map(|j| prior.partial_correlation_constant(d, j))).sum();
        let constant = prior.dirichlet_constant(n_components)
            + prior.means_constant(n_components * d)
            + k * d as f64 * scales.constant
            + d as f64 * shared_rate.map_or(0.0, |shared_rate| shared_rate.constant)
            + k * correlation_constant
            + 0.5 * libm::log(k);
        let mut groups = vec![ComponentLanes::new(d, rounding); n_components.div_ceil(LANES)];
        for (component, centres) in prior.centres.chunks_exact(d).enumerate() {
            for (lanes, &centre) in groups[component / LANES].centres.iter_mut().zip(centres) {
                lanes.0[component % LANES] = centre;
            }
        }
        Self {
            layout: Layout { n_components, n_features: d },
            hyper: HyperParameters {
                mean_precision: 1.0 / (prior.mean_sd * prior.mean_sd),
                scales,
                correlation_powers: (1..d).map(|j| prior.partial_correlation_shape(d, j - 1)).collect(),
                normal_constant: -0.5 * d as f64 * libm::log(2.0 * std::f64::consts::PI),
            },
            shared_rate,
            constant,
            concentration: prior.concentration,
            helmert: Helmert::new(n_components),
            log_weights: vec![0.0; n_components],
            weights: vec![0.0; n_components],
            groups,
        }
    }

    /// Adds a hierarchical prior's shared term to the scales' slopes; returns its log density.
    fn add_shared_rate(&mut self, shared_rate: SharedRate) -> f64 {
        let Layout { n_components, n_features } = self.layout;
        let mut log_prior = 0.0;
        for feature in 0..n_features {
            let precision = |groups: &[ComponentLanes], k: usize| {
                let inverse = groups[k / LANES].inverse_sigma[feature].0[k % LANES];
                inverse * inverse
            };
            let total = (0..n_components).map(|k| precision(&self.groups, k)).sum();
            let (log_density, slope) = shared_rate.log_density_and_slope(total);
            log_prior += log_density;
            for k in 0..n_components {
                // d(1/σ²) / d log σ = −2/σ².
                let d_log_sigma = -2.0 * slope * precision(&self.groups, k);
                self.groups[k / LANES].scale_slopes[feature].0[k % LANES] += d_log_sigma;
            }
        }
        log_prior
    }

    /// log w = log softmax(V x), and w.
    #[inline(always)]
    fn build_weights<V: Lanes>(&mut self, x: &[f64]) {
        self.helmert.apply(x, &mut self.log_weights);
        let largest = self.log_weights.iter().fold(f64::NEG_INFINITY, |a, &b| if b > a { b } else { a });
        let mut total = 0.0;
        for (log_weights, weights) in self.log_weights.chunks_mut(LANES).zip(self.weights.chunks_mut(LANES)) {
            let mut lanes = Vector([f64::NEG_INFINITY; LANES]);
            lanes.0.iter_mut().zip(log_weights).for_each(|(lane, u)| {
                *u -= largest;
                *lane = *u;
            });
            // Weights are bounded below by e^−700, relative to the largest.
            exp(V::load(&lanes).larger(V::splat(-700.0))).store(&mut lanes);
            for (weight, lane) in weights.iter_mut().zip(lanes.0) {
                *weight = lane;
                total += lane;
            }
        }
        let mut log_total = Vector::ZERO;
        ln(V::splat(total)).store(&mut log_total);
        self.log_weights.iter_mut().for_each(|u| *u -= log_total.0[0]);
        self.weights.iter_mut().for_each(|weight| *weight /= total);
    }
}

dispatched! {
    /// Writes the components at a position to the workspace. Returns log prior + log Jacobian, or NaN if a component is beyond
    /// double precision.
    build => build_body(
        components: &mut Components,
        position: &[f64],
        origin: &[f64],
        workspace: &mut Workspace,
    ) -> f64
}

#[inline(always)]
fn build_body<V: Lanes>(
    components: &mut Components,
    position: &[f64],
    origin: &[f64],
    workspace: &mut Workspace,
) -> f64 {
    let Components { layout, hyper, groups, .. } = components;
    let d = layout.n_features;
    let (mu, rest) = position[layout.mu_start()..].split_at(layout.n_components * d);
    let (log_sigma, correlations) = rest.split_at(layout.n_components * d);
    for (index, group) in groups.iter_mut().enumerate() {
        to_lanes(index, mu, &mut group.mu);
        to_lanes(index, log_sigma, &mut group.log_sigma);
        to_lanes(index, correlations, &mut group.correlations);
        if !group.build::<V>(hyper) {
            return f64::NAN;
        }
    }
    components.build_weights::<V>(&position[..components.layout.mu_start()]);
    let log_weights = &components.log_weights;
    // Weights: the Dirichlet's α − 1 and the Jacobian's 1 add up to α.
    let mut log_prior = components.constant + components.concentration * log_weights.iter().sum::<f64>();
    if let Some(shared_rate) = components.shared_rate {
        log_prior += components.add_shared_rate(shared_rate);
    }
    let log_weights = &components.log_weights;
    for (index, (group, log_weights)) in components.groups.iter().zip(log_weights.chunks(LANES)).enumerate() {
        let mut constant = group.constant;
        for (l, log_weight) in log_weights.iter().enumerate() {
            constant.0[l] += log_weight;
            log_prior += group.log_prior.0[l];
        }
        let place = (index * LANES, log_weights.len());
        workspace.set_lanes(place, V::load(&constant), &group.mu, &group.whitening, origin);
    }
    log_prior
}

dispatched! {
    /// The gradient at the position of the last `build`, from the likelihood's moments there and the number of observations.
    pull_back => pull_back_body(
        components: &mut Components,
        n_observations: f64,
        moments: &Moments,
        gradient: &mut [f64],
    )
}

#[inline(always)]
fn pull_back_body<V: Lanes>(
    components: &mut Components,
    n_observations: f64,
    moments: &Moments,
    gradient: &mut [f64],
) {
    let Components { layout, hyper, groups, log_weights, weights, helmert, .. } = components;
    let d = layout.n_features;
    let total_count = n_observations + components.concentration * layout.n_components as f64;
    for (k, (d_log_weight, weight)) in log_weights.iter_mut().zip(weights).enumerate() {
        let count = moments.count(k) + components.concentration;
        *d_log_weight = (-*weight).mul_add(total_count, count);
    }
    let (d_weights, rest) = gradient.split_at_mut(layout.mu_start());
    helmert.apply_transpose(log_weights, d_weights);
    let (d_mu, rest) = rest.split_at_mut(layout.n_components * d);
    let (d_log_sigma, d_correlations) = rest.split_at_mut(layout.n_components * d);
    for (index, group) in groups.iter_mut().enumerate() {
        let begins = index * LANES;
        group.count = moments.lanes(begins, 0);
        for (moment, lanes) in group.first.iter_mut().chain(&mut group.second).enumerate() {
            *lanes = moments.lanes(begins, 1 + moment);
        }
        group.pull_back::<V>(hyper);
        from_lanes(index, &group.mu, d_mu);
        from_lanes(index, &group.log_sigma, d_log_sigma);
        from_lanes(index, &group.correlations, d_correlations);
    }
}

/// Copies the rows of a group's components from `values` (K rows) to lanes, one component per lane.
#[inline(always)]
fn to_lanes(group: usize, values: &[f64], lanes: &mut [Vector]) {
    let width = lanes.len();
    // Lanes without a component still hold the last gradient.
    lanes.fill(Vector::ZERO);
    for (lane, row) in values.chunks_exact(width.max(1)).skip(group * LANES).take(LANES).enumerate() {
        lanes.iter_mut().zip(row).for_each(|(lanes, &value)| lanes.0[lane] = value);
    }
}

/// The inverse of [`to_lanes`].
#[inline(always)]
fn from_lanes(group: usize, lanes: &[Vector], values: &mut [f64]) {
    let width = lanes.len();
    for (lane, row) in values.chunks_exact_mut(width.max(1)).skip(group * LANES).take(LANES).enumerate() {
        lanes.iter().zip(row).for_each(|(lanes, value)| *value = lanes.0[lane]);
    }
}

#[cfg(test)]
mod tests;
