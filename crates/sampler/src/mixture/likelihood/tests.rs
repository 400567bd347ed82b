//! The vectorised pass against a plain one that can be checked by eye, and one instruction set against another.

use approx::assert_relative_eq;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::components::LOG_2_PI;
use super::kernel::tile::moments_len;
use super::*;
use crate::data::Data;
use crate::mixture::params::Mixture;
use crate::mixture::triangular::{at, packed_len};

/// The textbook's formulas (Bishop 2006, eq. 9.13 and 2.43), one observation and one component at a time.
fn plain(data: &Data, mixture: &Mixture) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let (k, d) = (mixture.n_components(), mixture.n_features());
    let mut log_densities = Vec::new();
    let mut responsibilities = Vec::new();
    let mut moments = vec![vec![0.0; moments_len(d)]; k];
    for i in 0..data.n_observations() {
        let y = data.observation(i);
        let mut logits = Vec::new();
        let mut residuals = Vec::new();
        for component in 0..k {
            let factor = mixture.scale_factor(component);
            let mut z = vec![0.0; d];
            for row in 0..d {
                let sum: f64 = (0..row).map(|l| factor[at(row, l)] * z[l]).sum();
                z[row] = (y[row] - mixture.mean(component)[row] - sum) / factor[at(row, row)];
            }
            let log_diagonal: f64 = (0..d).map(|l| factor[at(l, l)].ln()).sum();
            let square: f64 = z.iter().map(|z| z * z).sum();
            logits.push(
                mixture.weight(component).ln() - 0.5 * d as f64 * LOG_2_PI - log_diagonal - 0.5 * square,
            );
            residuals.push(z);
        }
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        log_densities.push(largest + total.ln());
        for component in 0..k {
            let r = (logits[component] - largest).exp() / total;
            responsibilities.push(r);
            let z = &residuals[component];
            moments[component][0] += r;
            for row in 0..d {
                moments[component][1 + row] += r * z[row];
                for column in 0..=row {
                    moments[component][1 + d + at(row, column)] += r * z[row] * z[column];
                }
            }
        }
    }
    (log_densities, responsibilities, moments)
}

fn random_case(n: usize, d: usize, k: usize, seed: u64) -> (Data, Mixture) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let columns: Vec<Vec<f64>> =
        (0..d).map(|_| (0..n).map(|_| rng.random_range(-3.0..3.0)).collect()).collect();
    let mut mixture = Mixture::standard(k, d);
    let weights: Vec<f64> = (0..k).map(|_| rng.random_range(0.1..1.0)).collect();
    let total: f64 = weights.iter().sum();
    for component in 0..k {
        mixture.log_weights[component] = (weights[component] / total).ln();
        for i in 0..d {
            mixture.mu[component * d + i] = rng.random_range(-2.0..2.0);
            mixture.sigma[component * d + i] = rng.random_range(0.3..2.0);
            let row: Vec<f64> =
                (0..=i).map(|j| if j == i { 1.0 } else { rng.random_range(-0.7..0.7) }).collect();
            let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            let triangle = packed_len(d);
            for j in 0..=i {
                mixture.correlation_factors[component * triangle + at(i, j)] = row[j] / norm;
            }
        }
    }
    (Data::from_columns(&columns).unwrap(), mixture)
}

#[test]
fn a_component_beyond_double_precision_gives_no_finite_density() {
    let (data, mixture) = random_case(70, 2, 2, 1);
    let mut components = WhitenedComponents::from_mixture(&mixture);
    components.set(1, f64::NAN, mixture.mean(1), &mixture.scale_factor(1));
    let (mut workspace, mut moments) = (Workspace::new(2, 2), Moments::new(2, 2));
    let likelihood = Likelihood::new(&data);
    assert!(!likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments).is_finite());
    let mut pointwise = vec![0.0; 70];
    likelihood.pointwise(&components, &mut workspace, &mut pointwise);
    assert!(pointwise.iter().all(|value| value.is_nan()));
}

/// Clusters so far apart that most components are out of reach of most observations.
#[test]
fn leaving_out_components_that_are_out_of_reach_changes_nothing() {
    for (n, d, k) in [(700, 2, 9), (300, 6, 5)] {
        let (_, mut mixture) = random_case(1, d, k, 4);
        mixture.mu.iter_mut().for_each(|mean| *mean *= 40.0);
        let (data, _) = mixture.simulate(n, &mut ChaCha8Rng::seed_from_u64(5));
        agrees_with_the_plain_pass(&data, &mixture);
    }
}

/// Far from the data no component reaches any observation: a density of nothing, not a panic or a number made up.
#[test]
fn observations_out_of_all_reach_have_no_finite_density() {
    let (data, mixture) = random_case(50, 2, 2, 1);
    let mut components = WhitenedComponents::from_mixture(&mixture);
    components.set(0, 0.0, &[1e200, 0.0], &mixture.scale_factor(0));
    components.set(1, 0.0, &[1e200, 0.0], &mixture.scale_factor(1));
    let (mut workspace, mut moments) = (Workspace::new(2, 2), Moments::new(2, 2));
    let likelihood = Likelihood::new(&data);
    assert!(!likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments).is_finite());
}

/// A cloud of unit spread at 10⁹: differences to the origin keep the digits that sums of squares would lose.
#[test]
fn a_large_offset_costs_no_digits_beyond_the_datas_own() {
    let (_, mixture) = random_case(1, 3, 2, 6);
    let (data, _) = mixture.simulate(200, &mut ChaCha8Rng::seed_from_u64(7));
    // An offset that changes no digit: both data and means are multiples of 2⁻²⁰.
    let coarse = |value: f64, offset: f64| (value * f64::from(1 << 20)).round() / f64::from(1 << 20) + offset;
    let at = |offset: f64| {
        let columns: Vec<Vec<f64>> =
            (0..3).map(|d| data.feature(d).iter().map(|&value| coarse(value, offset)).collect()).collect();
        let mut moved = mixture.clone();
        moved.mu.iter_mut().for_each(|mean| *mean = coarse(*mean, offset));
        let likelihood = Likelihood::new(&Data::from_columns(&columns).unwrap());
        let (mut workspace, mut moments) = (Workspace::new(2, 3), Moments::new(2, 3));
        let components = WhitenedComponents::from_mixture(&moved);
        likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments)
    };
    assert_relative_eq!(at(0.0), at(f64::from(1 << 30)), max_relative = 1e-9);
}

#[test]
fn several_threads_give_the_same_bits_as_one() {
    for (n, d, k) in [(3 * PART + 17, 2, 3), (PART, 5, 2), (2 * PART, 1, 4)] {
        let (data, mixture) = random_case(n, d, k, 8);
        let components = WhitenedComponents::from_mixture(&mixture);
        let results: Vec<(u64, Vec<u64>)> = [1, 2, 3, 16]
            .into_iter()
            .map(|threads| {
                let likelihood = Likelihood::new(&data).with_threads(threads);
                let (mut workspace, mut moments) = (Workspace::new(k, d), Moments::new(k, d));
                // Twice, since the second pass finds the first one's sums.
                likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
                let total = likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
                (total.to_bits(), moments.values.iter().map(|value| value.to_bits()).collect())
            })
            .collect();
        assert!(results.iter().all(|result| *result == results[0]));
        agrees_with_the_plain_pass(&data, &mixture);
    }
}

fn agrees_with_the_plain_pass(data: &Data, mixture: &Mixture) {
    let (n, d, k) = (data.n_observations(), data.n_features(), mixture.n_components());
    let (log_densities, responsibilities, expected) = plain(data, mixture);
    let likelihood = Likelihood::new(data);
    let components = WhitenedComponents::from_mixture(mixture);
    let mut workspace = Workspace::new(k, d);
    let mut moments = Moments::new(k, d);
    let total = likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
    assert_relative_eq!(total, log_densities.iter().sum::<f64>(), max_relative = 1e-12);
    let mut pointwise = vec![0.0; n];
    likelihood.pointwise(&components, &mut workspace, &mut pointwise);
    for (a, b) in pointwise.iter().zip(&log_densities) {
        assert_relative_eq!(*a, *b, max_relative = 1e-12);
    }
    for (a, b) in likelihood.responsibilities(&components).iter().zip(&responsibilities) {
        assert_relative_eq!(*a, *b, max_relative = 1e-11, epsilon = 1e-14);
    }
    for component in 0..k {
        for (a, b) in moments.component(component).iter().zip(&expected[component]) {
            assert_relative_eq!(*a, *b, max_relative = 1e-10, epsilon = 1e-10 * n as f64);
        }
    }
}

#[test]
fn no_observations_have_a_log_likelihood_of_zero_and_no_moments() {
    let (_, mixture) = random_case(1, 3, 2, 1);
    let components = WhitenedComponents::from_mixture(&mixture);
    let (mut workspace, mut moments) = (Workspace::new(2, 3), Moments::new(2, 3));
    let likelihood = Likelihood::empty(3);
    assert_eq!(likelihood.n_observations(), 0);
    moments.values.fill(1.0);
    assert_eq!(likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments), 0.0);
    assert!(moments.values.iter().all(|&moment| moment == 0.0));
}

#[test]
fn a_thinned_likelihood_is_that_of_the_rows_it_keeps() {
    let (data, mixture) = random_case(1000, 3, 4, 5);
    let likelihood = Likelihood::new(&data);
    assert!(likelihood.thinned(501).is_none());
    for least in [500, 100, 1] {
        let thinned = likelihood.thinned(least).unwrap();
        assert!((least..2 * least).contains(&thinned.n_observations()));
        let rows: Vec<usize> = thinned.rows.iter().map(|&row| row as usize).collect();
        let (log_densities, ..) = plain(&data.rows(&rows), &mixture);
        let (mut workspace, mut moments) = (Workspace::new(4, 3), Moments::new(4, 3));
        let components = WhitenedComponents::from_mixture(&mixture);
        let log_likelihood = thinned.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
        assert_relative_eq!(log_likelihood, log_densities.iter().sum::<f64>(), max_relative = 1e-12);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn the_fast_pass_agrees_with_the_plain_one(n in 1usize..400, d in 1usize..10, k in 1usize..12, seed in any::<u64>()) {
        let (data, mixture) = random_case(n, d, k, seed);
        agrees_with_the_plain_pass(&data, &mixture);
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits(n in 1usize..400, d in 1usize..10, k in 1usize..12, seed in any::<u64>()) {
        let (data, mixture) = random_case(n, d, k, seed);
        let components = WhitenedComponents::from_mixture(&mixture);
        let results: Vec<(u64, Vec<u64>)> = InstructionSet::available()
            .into_iter()
            .map(|instructions| {
                let likelihood = Likelihood { instructions, ..Likelihood::new(&data) };
                let mut workspace = Workspace::new(k, d);
                let mut moments = Moments::new(k, d);
                let total = likelihood.log_likelihood_and_moments(&components, &mut workspace, &mut moments);
                (total.to_bits(), moments.values.iter().map(|value| value.to_bits()).collect())
            })
            .collect();
        for other in &results[1..] {
            prop_assert_eq!(other, &results[0]);
        }
    }
}
