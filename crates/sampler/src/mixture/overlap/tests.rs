//! Overlaps against closed forms, quadrature and simulation.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::*;
use crate::mixture::likelihood::{Likelihood, WhitenedComponents};
use crate::mixture::simulate::mixsim::{MixSim, TargetOverlap};

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

fn recipe(n_components: usize, n_features: usize) -> MixSim {
    MixSim {
        n_components,
        n_features,
        target: TargetOverlap::Average(0.05),
        least_weight: 0.1,
        eccentricity: 0.9,
    }
}

#[test]
fn equal_covariances_overlap_by_normal_tails() {
    // With Mahalanobis distance Δ, ω_{j|i} = Φ(−Δ/2 + log(w_j / w_i) / Δ).
    let covariance = [1.5, 0.4, 0.8];
    let covariances = [covariance, covariance].concat();
    let mixture = Mixture::from_covariances(2, &[0.3, 0.7], &[0.0, 0.0, 1.0, -2.0], &covariances).unwrap();
    let determinant: f64 = 1.5 * 0.8 - 0.4 * 0.4;
    // (1, −2) Σ⁻¹ (1, −2)ᵀ.
    let distance = ((0.8 + 2.0 * 2.0 * 0.4 + 4.0 * 1.5) / determinant).sqrt();
    let overlap = Overlap::from_mixture(&mixture);
    for (i, j) in [(0, 1), (1, 0)] {
        let log_odds = libm::log(mixture.weight(j) / mixture.weight(i));
        let expected = normal_cdf(-0.5 * distance + log_odds / distance);
        assert!((overlap.misclassification(i, j) - expected).abs() < 1e-8);
    }
    assert_eq!(overlap.average(), overlap.pair(0, 1));
    assert_eq!(overlap.maximum(), overlap.average());
}

#[test]
fn one_dimension_agrees_with_quadrature() {
    let mixture =
        Mixture::from_covariances(1, &[0.2, 0.5, 0.3], &[-1.0, 0.5, 3.0], &[0.3, 1.0, 4.0]).unwrap();
    let overlap = Overlap::from_mixture(&mixture);
    let log_density = |k: usize, y: f64| {
        let z = (y - mixture.mean(k)[0]) / mixture.scales(k)[0];
        -0.5 * z * z - libm::log(mixture.scales(k)[0]) - 0.5 * libm::log(2.0 * std::f64::consts::PI)
    };
    for i in 0..3 {
        for j in (0..3).filter(|&j| j != i) {
            // The mid-point rule over an indicator errs by less than a step times the density at its few ends.
            let step = 1e-4;
            let cells = (-150_000..150_000).map(|cell| (f64::from(cell) + 0.5) * step);
            let wrong = |y: &f64| {
                let weighted = |k: usize| libm::log(mixture.weight(k)) + log_density(k, *y);
                weighted(j) > weighted(i)
            };
            let expected: f64 = cells.filter(wrong).map(|y| step * libm::exp(log_density(i, y))).sum();
            assert!((overlap.misclassification(i, j) - expected).abs() < 4.0 * step, "{i} {j}");
        }
    }
}

#[test]
fn simulated_observations_are_misclassified_as_often_as_computed() {
    const DRAWS: usize = 40_000;
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut largest: f64 = 0.0;
    for (k, d) in [(2, 1), (3, 2), (4, 3), (3, 6), (2, 10)] {
        let mixture = recipe(k, d).simulate(&mut rng).unwrap();
        let overlap = Overlap::from_mixture(&mixture);
        let (data, origins) = mixture.simulate(DRAWS, &mut rng);
        let responsibilities =
            Likelihood::new(&data).responsibilities(&WhitenedComponents::from_mixture(&mixture));
        for i in 0..k {
            for j in (0..k).filter(|&j| j != i) {
                let own = || (0..DRAWS).filter(|&row| origins[row] == i);
                let wrong = own()
                    .filter(|&row| responsibilities[row * k + j] > responsibilities[row * k + i])
                    .count() as f64;
                let (n, p) = (own().count() as f64, overlap.misclassification(i, j));
                let z = (wrong - n * p) / (n * p * (1.0 - p)).sqrt().max(1.0);
                largest = largest.max(z.abs());
            }
        }
    }
    // The largest of 28 standard normal values exceeds 4 with probability 0.002.
    assert!(largest < 4.0, "{largest}");
}

#[test]
fn overlaps_do_not_depend_on_the_order_of_components_or_on_the_coordinates() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mixture = recipe(4, 3).simulate(&mut rng).unwrap();
    let overlap = Overlap::from_mixture(&mixture);
    let order = [2, 0, 3, 1];
    let reordered = Overlap::from_mixture(&mixture.reordered(&order));
    for i in 0..4 {
        for j in (0..4).filter(|&j| j != i) {
            let (a, b) = (reordered.misclassification(i, j), overlap.misclassification(order[i], order[j]));
            assert!((a - b).abs() < 2e-9, "{i} {j}: {a} {b}");
        }
    }
    let scaling = crate::data::Scaling::new(
        (0..3).map(|_| rng.random::<f64>()).collect(),
        (0..3).map(|_| 0.5 + 10.0 * rng.random::<f64>()).collect(),
    );
    let elsewhere = Overlap::from_mixture(&mixture.on_data_scale(&scaling));
    assert!((elsewhere.average() - overlap.average()).abs() < 2e-8);
    assert!((elsewhere.maximum() - overlap.maximum()).abs() < 2e-8);
}

#[test]
fn equal_components_cannot_be_told_apart_and_one_component_has_no_overlap() {
    let twice = Mixture::from_covariances(1, &[0.25, 0.75], &[1.0, 1.0], &[2.0, 2.0]).unwrap();
    let overlap = Overlap::from_mixture(&twice);
    assert_eq!((overlap.misclassification(0, 1), overlap.misclassification(1, 0)), (1.0, 0.0));
    let single = Overlap::from_mixture(&Mixture::standard(1, 2));
    assert_eq!((single.average(), single.maximum()), (0.0, 0.0));
}
