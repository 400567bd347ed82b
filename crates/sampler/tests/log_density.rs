//! Log densities and gradients at given points, against an exact program and NumPyro.

mod support;

use approx::assert_relative_eq;
use gmm_sampler::data::Data;
use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::likelihood::{Likelihood, WhitenedComponents, Workspace};
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::triangular::{at, packed_len, product_with_transpose};
use serde_json::Value;
use support::{data, default_prior, json, numbers};

/// Agreement of two programs that add the same numbers in another order.
const ROUNDING: f64 = 1e-10;

const CASES: [(&str, &str, &str); 4] = [
    ("blobs_k8", "posteriors/blobs_k8_data.csv", "posteriors/blobs_k8_centroids.csv"),
    ("faithful_k2", "posteriors/faithful_k2_data.csv", "posteriors/faithful_k2_centroids.csv"),
    ("iris_k3", "posteriors/iris_k3_data.csv", "posteriors/iris_k3_centroids.csv"),
    ("galaxies_k4", "log_density/galaxies_k4_data.csv", "log_density/galaxies_k4_centroids.csv"),
];

fn mixture(point: &Value, d: usize) -> Mixture {
    let weights = numbers(&point["w"]);
    let triangle = packed_len(d);
    let mut covariances = vec![0.0; weights.len() * triangle];
    let sigma = numbers(&point["sigma"]);
    let factors = numbers(&point["L_Omega"]);
    for (k, covariance) in covariances.chunks_exact_mut(triangle).enumerate() {
        let mut factor = vec![0.0; triangle];
        for i in 0..d {
            for j in 0..=i {
                factor[at(i, j)] = sigma[k * d + i] * factors[(k * d + i) * d + j];
            }
        }
        product_with_transpose(d, &factor, covariance);
    }
    Mixture::from_covariances(d, &weights, &numbers(&point["mu"]), &covariances).unwrap()
}

fn each_point(check: impl Fn(&str, &Data, &str, &Value, &Mixture)) {
    for (case, data_file, centroids) in CASES {
        let reference = json(&format!("log_density/{case}_logdensity.json"));
        let data = data(data_file);
        let points = reference["points"].as_array().unwrap();
        assert_eq!(points.len(), 5);
        for point in points {
            check(case, &data, centroids, point, &mixture(point, data.n_features()));
        }
    }
}

#[test]
fn log_likelihoods_agree_with_the_reference() {
    each_point(|case, data, _, point, mixture| {
        let mut pointwise = vec![0.0; data.n_observations()];
        let mut workspace = Workspace::new(mixture.n_components(), mixture.n_features());
        let components = WhitenedComponents::from_mixture(mixture);
        Likelihood::new(data).pointwise(&components, &mut workspace, &mut pointwise);
        let expected = point["loglik"].as_f64().unwrap();
        println!("{case}");
        assert_relative_eq!(pointwise.iter().sum::<f64>(), expected, max_relative = ROUNDING);
        for (value, expected) in pointwise.iter().zip(numbers(&point["loglik_first5"])) {
            assert_relative_eq!(*value, expected, max_relative = ROUNDING);
        }
    });
}

#[test]
fn every_prior_block_agrees_with_the_reference_under_lkj_1_and_2() {
    each_point(|case, _, centroids, point, mixture| {
        let d = mixture.n_features();
        for eta in [1, 2] {
            let prior = default_prior(centroids, f64::from(eta));
            let expected = &point[format!("logprior_eta{eta}")];
            let components = 0..mixture.n_components();
            let log_weights: Vec<f64> = components.clone().map(|k| mixture.weight(k).ln()).collect();
            let mu: Vec<f64> = components.clone().flat_map(|k| mixture.mean(k).to_vec()).collect();
            let sigma: Vec<f64> = components.clone().flat_map(|k| mixture.scales(k).to_vec()).collect();
            let correlations: f64 = components
                .map(|k| prior.log_density_of_correlation_factor(d, mixture.correlation_factor(k)))
                .sum();
            for (block, value) in [
                ("w", prior.log_density_of_weights(&log_weights)),
                ("mu", prior.log_density_of_means(&mu)),
                ("sigma", prior.log_density_of_scales(d, &sigma)),
                ("L_Omega", correlations),
            ] {
                let expected = expected[block].as_f64().unwrap();
                println!("{case} {block}");
                assert_relative_eq!(value, expected, max_relative = ROUNDING, epsilon = 1e-12);
            }
        }
    });
}

/// The joint density in unconstrained space is the reference's plus the log-Jacobian, which is written out here anew.
#[test]
fn joint_densities_agree_with_the_reference() {
    each_point(|case, data, centroids, point, mixture| {
        let (k, d) = (mixture.n_components(), mixture.n_features());
        let prior = default_prior(centroids, 2.0);
        let likelihood = Likelihood::new(data);
        let mut posterior = Posterior::new(&likelihood, &prior, k).unwrap();
        let position = posterior.layout().unconstrain(mixture);
        let mut gradient = vec![0.0; position.len()];
        let value = posterior.log_density_and_gradient(&position, &mut gradient);
        let mut jacobian = 0.5 * (k as f64).ln();
        for component in 0..k {
            jacobian += mixture.weight(component).ln();
            jacobian += mixture.scales(component).iter().map(|sigma| sigma.ln()).sum::<f64>();
            let factor = mixture.correlation_factor(component);
            for i in 1..d {
                let mut rest = 1.0f64;
                for j in 0..i {
                    let z = factor[at(i, j)] / rest.sqrt();
                    jacobian += 0.5 * rest.ln() + (1.0 - z * z).ln();
                    rest -= factor[at(i, j)].powi(2);
                }
            }
        }
        println!("{case}");
        let expected = point["logjoint_eta2"].as_f64().unwrap();
        assert_relative_eq!(value, expected + jacobian, max_relative = ROUNDING);
    });
}

/// The reference's partial derivatives of the log-likelihood treat w and the entries of L as free; the chain rule through
/// our transform, minus the prior's part (the gradient with next to no data weight), must give ours.
#[test]
fn gradients_agree_with_the_references_partial_derivatives() {
    each_point(|case, data, centroids, point, mixture| {
        let (k, d) = (mixture.n_components(), mixture.n_features());
        let prior = default_prior(centroids, 2.0);
        let likelihood = Likelihood::new(data);
        let mut posterior = Posterior::new(&likelihood, &prior, k).unwrap();
        let layout = posterior.layout();
        let position = layout.unconstrain(mixture);
        let mut gradient = vec![0.0; position.len()];
        posterior.log_density_and_gradient(&position, &mut gradient);
        let partial = &point["grad_loglik"];
        let mu = numbers(&partial["mu"]);
        let centres = &prior.centres;
        println!("{case}");
        for index in 0..k * d {
            let from_prior = -(mixture.mean(index / d)[index % d] - centres[index]) / 0.1;
            let ours = gradient[k - 1 + index] - from_prior;
            assert_relative_eq!(ours, mu[index], max_relative = 1e-9, epsilon = 1e-8);
        }
        let sigma = numbers(&partial["sigma"]);
        for index in 0..k * d {
            let scale = mixture.scales(index / d)[index % d];
            let (_, from_prior) = prior.scales.log_density(scale);
            let ours = gradient[k - 1 + k * d + index] - from_prior - 1.0;
            assert_relative_eq!(ours, scale * sigma[index], max_relative = 1e-9, epsilon = 1e-8);
        }
    });
}
