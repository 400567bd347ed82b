//! The posterior's density and gradient against the prior's, against repeated observations and against differences.

use super::*;
use crate::data::Data;
use crate::mixture::likelihood::WhitenedComponents;
use crate::mixture::prior::ScalePrior;
use approx::assert_relative_eq;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const SCALES: [ScalePrior; 4] = [
    ScalePrior::HalfCauchy { scale: 1.0 },
    ScalePrior::LogNormal { mu: -0.3, sigma: 0.5 },
    ScalePrior::InverseGamma { shape: 2.0, scale: 1.0 },
    ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.4, hyper_rate: 1.3 },
];

/// Lanes without a component once kept the last gradient as their parameters, which under a log-normal prior grew from one
/// evaluation to the next until every density was refused.
#[test]
fn an_evaluation_leaves_nothing_behind() {
    let likelihood = Likelihood::empty(2);
    for scales in SCALES {
        let prior = Prior { concentration: 0.5, centres: vec![0.5; 6], mean_sd: 0.2, scales, lkj_shape: 2.0 };
        let mut posterior = Posterior::new(&likelihood, &prior, 3).unwrap();
        let position: Vec<f64> = (0..posterior.dimension()).map(|i| (i as f64 * 0.7).sin()).collect();
        let mut evaluate = || {
            let mut gradient = vec![0.0; position.len()];
            (posterior.log_density_and_gradient(&position, &mut gradient), gradient)
        };
        let first = evaluate();
        assert!((0..1000).all(|_| evaluate() == first));
    }
}

/// One feature, where the Jacobian is that of the weights and Π σ.
#[test]
fn without_data_the_density_is_the_priors_with_the_jacobian() {
    let likelihood = Likelihood::empty(1);
    for (k, scales) in [1, 3, 10].into_iter().flat_map(|k| SCALES.map(|scales| (k, scales))) {
        let centres = (0..k).map(f64::from).collect();
        let prior = Prior { concentration: 0.5, centres, mean_sd: 0.2, scales, lkj_shape: 2.0 };
        let mut posterior = Posterior::new(&likelihood, &prior, k as usize).unwrap();
        let position: Vec<f64> = (0..posterior.dimension()).map(|i| (i as f64 * 0.7).sin()).collect();
        let density = posterior.log_density_and_gradient(&position, &mut vec![0.0; position.len()]);
        let mixture = posterior.layout().constrain(&position);
        let expected = prior.log_density_of_weights(&mixture.log_weights)
            + prior.log_density_of_means(&mixture.mu)
            + prior.log_density_of_scales(1, &mixture.sigma)
            + 0.5 * f64::from(k).ln()
            + mixture.log_weights.iter().sum::<f64>()
            + mixture.sigma.iter().map(|sigma| sigma.ln()).sum::<f64>();
        assert_relative_eq!(density, expected, max_relative = 1e-12);
    }
}

/// log N(y | μ, Σ + diag(δ²/12)) in closed form, with two components in two dimensions; scales from far above to far below δ.
#[test]
fn rounded_observations_have_wider_components() {
    let columns = [vec![0.3, -0.4, 1.0, 0.3], vec![0.5, 0.5, -1.5, 2.0]];
    let steps = [0.4, 0.0];
    let data = Data::from_columns(&columns).unwrap().with_steps(&steps);
    let likelihood = Likelihood::new(&data);
    let prior = Prior { centres: vec![0.0; 4], ..Prior::published(Vec::new()) };
    let mut posterior = Posterior::new(&likelihood, &prior, 2).unwrap();
    for log_sigma in [0.5, -1.0, -3.0, -12.0] {
        let position = [0.4, 0.2, 0.4, -0.5, 0.1, log_sigma, 0.2, -0.3, log_sigma, 0.6, -0.8];
        let mixture = posterior.layout().constrain(&position);
        let density = |i: usize| -> f64 {
            let of_component = |k: usize| {
                let covariance = mixture.covariance(k);
                let [a, b, c] = [covariance[0] + steps[0] * steps[0] / 12.0, covariance[1], covariance[2]];
                let determinant = a * c - b * b;
                let [x, y] = [columns[0][i] - mixture.mean(k)[0], columns[1][i] - mixture.mean(k)[1]];
                let square = (c * x * x - 2.0 * b * x * y + a * y * y) / determinant;
                mixture.weight(k) * (-0.5 * square).exp() / (2.0 * std::f64::consts::PI * determinant.sqrt())
            };
            of_component(0) + of_component(1)
        };
        let expected: f64 = (0..4).map(|i| density(i).ln()).sum();
        assert_relative_eq!(posterior.log_prior_and_likelihood(&position).1, expected, max_relative = 1e-9);
        let mut pointwise = vec![0.0; 4];
        let components = WhitenedComponents::rounded(&mixture, likelihood.rounding());
        likelihood.pointwise(&components, &mut Workspace::new(2, 2), &mut pointwise);
        assert_relative_eq!(pointwise.iter().sum::<f64>(), expected, max_relative = 1e-9);
    }
}

#[test]
fn a_power_counts_every_observation_so_often() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut uniform =
        |count: usize| -> Vec<f64> { (0..count).map(|_| rng.random_range(-1.5..1.5)).collect() };
    let columns = [uniform(40), uniform(40)];
    let twice = columns.clone().map(|column| [&column[..], &column].concat());
    let [once, twice] =
        [columns, twice].map(|columns| Likelihood::new(&Data::from_columns(&columns).unwrap()));
    let prior = Prior {
        concentration: 0.5,
        centres: uniform(6),
        mean_sd: 0.3,
        scales: ScalePrior::HalfCauchy { scale: 1.0 },
        lkj_shape: 2.0,
    };
    let mut expected = Posterior::new(&twice, &prior, 3).unwrap();
    let position = uniform(expected.dimension());
    let evaluate = |posterior: &mut Posterior<'_>| {
        let mut gradient = vec![0.0; position.len()];
        (posterior.log_density_and_gradient(&position, &mut gradient), gradient)
    };
    let (density, gradient) = evaluate(&mut expected);
    for from in [Posterior::new(&once, &prior, 3).unwrap(), expected.with_likelihood(&once, 7.0)] {
        let (powered, powered_gradient) = evaluate(&mut from.with_likelihood(&once, 2.0));
        assert_relative_eq!(powered, density, max_relative = 1e-12);
        assert_relative_eq!(powered_gradient[..], gradient[..], epsilon = 1e-10);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_gradient_is_the_densitys(
        n in 1usize..90, d in 1usize..6, k in 1usize..11, seed in any::<u64>(),
        scales in prop::sample::select(SCALES.to_vec()),
        rounded in prop::collection::vec(prop::sample::select(vec![0.0, 0.1, 3.0]), 5),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = |count: usize| -> Vec<f64> {
            (0..count).map(|_| rng.random_range(-1.5..1.5)).collect()
        };
        let data = Data::from_columns(&(0..d).map(|_| uniform(n)).collect::<Vec<_>>()).unwrap();
        let data = data.with_steps(&rounded[..d]);
        let prior = Prior {
            concentration: 0.5,
            centres: uniform(k * d),
            mean_sd: 0.1f64.sqrt(),
            scales,
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
