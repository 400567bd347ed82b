//! Chains without data: every block of the prior against its known moments, or its quantiles where moments do not exist.

use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::mixture::triangular::at;
use libm::log;
use statrs::function::gamma::digamma;

use crate::check::Part;
use crate::component::{ComponentPosterior, ComponentPrior};
use crate::expectations::{Expectation, ExpectationCase, Group};
use crate::normal;
use crate::problem::Problem;

const PROBABILITIES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Weights, means and scales of K components in one dimension.
pub(crate) fn mixture_prior(
    name: &str,
    n_components: usize,
    concentration: f64,
    scales: ScalePrior,
    draws: usize,
) -> ExpectationCase {
    let centres: Vec<f64> = (0..n_components).map(|k| 1.5 * k as f64 - 1.0).collect();
    let mean_sd = 0.4;
    let prior = Prior { concentration, centres: centres.clone(), mean_sd, scales, lkj_shape: 1.0 };
    let scale_prior = ComponentPosterior::new(ComponentPrior { centre: 0.0, mean_sd, scales }, &[]);
    let log_sigma = PROBABILITIES.map(|p| scale_prior.log_sigma_quantile(p));
    let mut groups = vec![
        Group { name: "means", expectations: mean_expectations(&centres, mean_sd) },
        Group { name: "scales", expectations: scale_expectations(n_components, &scale_prior) },
    ];
    if n_components > 1 {
        groups
            .push(Group { name: "weights", expectations: weight_expectations(n_components, concentration) });
    }
    let measure = move |_: &Problem, mixture: &Mixture| {
        let means = (0..n_components).flat_map(|k| {
            let mean = mixture.mean(k)[0];
            let below = |p: f64| f64::from(u8::from(mean <= centres[k] + mean_sd * normal::quantile(p)));
            [mean, mean * mean, below(0.05), below(0.95)]
        });
        let mut values: Vec<f64> = means.collect();
        for k in 0..n_components {
            let scale = log(mixture.scales(k)[0]);
            values.push(scale);
            values.extend(log_sigma.iter().map(|quantile| f64::from(u8::from(scale <= *quantile))));
        }
        if n_components > 1 {
            for k in 0..n_components {
                let weight = mixture.weight(k);
                values.extend([weight, weight * weight, log(weight)]);
            }
        }
        values
    };
    ExpectationCase {
        part: Part::ClosedForms,
        name: format!("prior, K = {n_components}, {name}"),
        problem: Problem::without_data(prior, Layout { n_components, n_features: 1 }),
        draws,
        groups,
        measure: Box::new(measure),
    }
}

fn mean_expectations(centres: &[f64], mean_sd: f64) -> Vec<Expectation> {
    let expectations = |(k, &centre): (usize, &f64)| {
        [
            Expectation::new(format!("mu[{k}]"), centre),
            Expectation::new(format!("mu[{k}]²"), centre * centre + mean_sd * mean_sd),
            Expectation::new(format!("P(mu[{k}] < 5 %)"), 0.05),
            Expectation::new(format!("P(mu[{k}] < 95 %)"), 0.95),
        ]
    };
    centres.iter().enumerate().flat_map(expectations).collect()
}

/// Of log σ, which has moments under every prior; σ has not.
fn scale_expectations(n_components: usize, exact: &ComponentPosterior) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for k in 0..n_components {
        expectations.push(Expectation::new(format!("log sigma[{k}]"), exact.log_sigma()));
        expectations.extend(
            PROBABILITIES.map(|p| Expectation::new(format!("P(sigma[{k}] < {:.0} %)", 100.0 * p), p)),
        );
    }
    expectations
}

/// Moments of the symmetric Dirichlet distribution (Johnson, Kotz & Balakrishnan 2000, chapter 49).
fn weight_expectations(n_components: usize, concentration: f64) -> Vec<Expectation> {
    let k = n_components as f64;
    let total = k * concentration;
    let square = concentration * (concentration + 1.0) / (total * (total + 1.0));
    let logarithm = digamma(concentration) - digamma(total);
    (0..n_components)
        .flat_map(|component| {
            [
                Expectation::new(format!("weights[{component}]"), 1.0 / k),
                Expectation::new(format!("weights[{component}]²"), square),
                Expectation::new(format!("log weights[{component}]"), logarithm),
            ]
        })
        .collect()
}

/// Correlations in D dimensions under LKJ(η).
pub(crate) fn correlation_prior(n_features: usize, lkj_shape: f64, draws: usize) -> ExpectationCase {
    let prior = Prior {
        concentration: 1.0,
        centres: vec![0.0; n_features],
        mean_sd: 1.0,
        scales: ScalePrior::LogNormal { mu: 0.0, sigma: 0.5 },
        lkj_shape,
    };
    let measure = move |_: &Problem, mixture: &Mixture| {
        let mut values = Vec::new();
        for i in 1..n_features {
            for j in 0..i {
                let omega = mixture.correlation(0, i, j);
                values.extend([omega, omega * omega, omega.powi(4)]);
            }
        }
        let factor = mixture.correlation_factor(0);
        values.push((0..n_features).map(|i| 2.0 * log(factor[at(i, i)])).sum());
        if n_features >= 3 {
            values.push(
                mixture.correlation(0, 1, 0) * mixture.correlation(0, 2, 0) * mixture.correlation(0, 2, 1),
            );
        }
        values
    };
    ExpectationCase {
        part: Part::ClosedForms,
        name: format!("prior, D = {n_features}, LKJ({lkj_shape})"),
        problem: Problem::without_data(prior, Layout { n_components: 1, n_features }),
        draws,
        groups: vec![Group {
            name: "correlations",
            expectations: correlation_expectations(n_features, lkj_shape),
        }],
        measure: Box::new(measure),
    }
}

/// Each correlation has the marginal distribution 2 Beta(a, a) − 1, a = η − 1 + D/2. The partial correlations in column j of the
/// C-vine, counted from 0, are independent 2 Beta(b, b) − 1, b = η + (D − 2 − j)/2 (Lewandowski, Kurowicka & Joe 2009, sections 2
/// and 3).
fn correlation_expectations(n_features: usize, lkj_shape: f64) -> Vec<Expectation> {
    let d = n_features as f64;
    let a = lkj_shape - 1.0 + 0.5 * d;
    let mut expectations = Vec::new();
    for i in 1..n_features {
        for j in 0..i {
            expectations.push(Expectation::new(format!("omega[{i},{j}]"), 0.0));
            expectations.push(Expectation::new(format!("omega[{i},{j}]²"), 1.0 / (2.0 * a + 1.0)));
            let fourth = 3.0 / ((2.0 * a + 1.0) * (2.0 * a + 3.0));
            expectations.push(Expectation::new(format!("omega[{i},{j}]⁴"), fourth));
        }
    }
    // det Ω = Π (1 − z²), and 1 − z² = 4 u (1 − u) for u ~ Beta(b, b).
    let column = |j: usize| {
        let b = lkj_shape + 0.5 * (d - 2.0 - j as f64);
        (n_features - 1 - j) as f64 * 2.0 * (std::f64::consts::LN_2 + digamma(b) - digamma(2.0 * b))
    };
    expectations.push(Expectation::new("log det omega", (0..n_features - 1).map(column).sum()));
    if n_features >= 3 {
        // ω₂₁ is the product of the first two plus a term with mean zero, so E = (E z²)² with z of the first column.
        let square = 1.0 / (2.0 * lkj_shape + d - 1.0);
        expectations.push(Expectation::new("omega[1,0] omega[2,0] omega[2,1]", square * square));
    }
    expectations
}
