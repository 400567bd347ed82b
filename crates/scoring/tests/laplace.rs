//! Laplace's method against quadrature, against sequential Monte Carlo from the prior, and about what relabelling adds.

use approx::assert_abs_diff_eq;
use gmm_sampler::anneal::{AnnealSettings, anneal};
use gmm_sampler::data::Data;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use gmm_sampler::start::find_modes;
use gmm_sampler::start::mode::Mode;
use gmm_sampler::start::normal::NormalApproximation;
use gmm_scoring::{Laplace, laplace, log_evidence_by_blocks, log_evidence_of_labelled};
use rand::{SeedableRng, rngs::ChaCha8Rng};

fn prior(n_components: usize) -> Prior {
    Prior {
        concentration: 1.0,
        centres: vec![0.0; n_components],
        mean_sd: 2.0,
        scales: ScalePrior::LogNormal { mu: -0.5, sigma: 1.0 },
        lkj_shape: 2.0,
    }
}

fn simulated(truth: &Mixture, n: usize) -> Likelihood {
    let (data, _): (Data, _) = truth.simulate(n, &mut ChaCha8Rng::seed_from_u64(3));
    Likelihood::new(&data)
}

fn mixture(weights: &[f64], means: &[f64], variances: &[f64]) -> Mixture {
    Mixture::from_covariances(1, weights, means, variances).unwrap()
}

fn of_mode(posterior: &mut Posterior<'_>, mode: &Mode, exchangeable: bool) -> Laplace {
    let normal = NormalApproximation::at_mode(posterior, &mode.position).unwrap();
    laplace(posterior, mode, &normal, exchangeable).unwrap()
}

/// With and without the relabellings.
fn by_laplace(likelihood: &Likelihood, candidates: &[Mixture]) -> (f64, f64) {
    let k = candidates[0].n_components();
    let mut posterior = Posterior::new(likelihood, &prior(k), k).unwrap();
    let modes = find_modes(&mut posterior, candidates, |_| false);
    let mut of = |exchangeable| {
        let parts = modes.iter().map(|mode| of_mode(&mut posterior, mode, exchangeable));
        Laplace::sum(parts).unwrap().log_evidence
    };
    (of(true), of(false))
}

fn by_annealing(likelihood: &Likelihood, k: usize) -> f64 {
    let settings = AnnealSettings { particles: 200, ..AnnealSettings::default() };
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    anneal(likelihood, &prior(k), k, settings, rng).unwrap().log_evidence
}

#[test]
fn of_one_component_it_is_the_integral_but_for_an_error_in_one_over_n() {
    for (n, tolerance) in [(50, 2e-2), (500, 2e-3)] {
        let likelihood = simulated(&mixture(&[1.0], &[0.3], &[1.5]), n);
        let mut posterior = Posterior::new(&likelihood, &prior(1), 1).unwrap();
        let mut gradient = [0.0; 2];
        let mut log_density = |mu: f64, log_sigma: f64| {
            use gmm_sampler::log_density::LogDensity;
            posterior.log_density_and_gradient(&[mu, log_sigma], &mut gradient)
        };
        // The trapezoidal rule over twenty standard deviations converges exponentially.
        let step = 0.5 / (n as f64).sqrt();
        let highest = log_density(0.3, 0.2);
        let cells = (-60..=60).flat_map(|i| (-60..=60).map(move |j| (f64::from(i), f64::from(j))));
        let sum: f64 =
            cells.map(|(i, j)| (log_density(0.3 + i * step, 0.2 + j * step) - highest).exp()).sum();
        let by_quadrature = highest + (sum * step * step).ln();
        let (exchangeable, labelled) = by_laplace(&likelihood, &[mixture(&[1.0], &[0.0], &[1.0])]);
        assert_abs_diff_eq!(exchangeable, by_quadrature, epsilon = tolerance);
        assert_eq!(exchangeable, labelled);
    }
}

#[test]
fn clusters_far_apart_have_every_relabelling() {
    let truth = mixture(&[0.3, 0.3, 0.4], &[-3.0, 0.0, 3.0], &[0.1, 0.2, 0.1]);
    let likelihood = simulated(&truth, 100);
    let (exchangeable, labelled) = by_laplace(&likelihood, &[truth]);
    assert_abs_diff_eq!(exchangeable - labelled, 6.0f64.ln(), epsilon = 1e-9);
    assert_abs_diff_eq!(exchangeable, by_annealing(&likelihood, 3), epsilon = 0.3);
}

/// The rough evidences that a search goes by: of components that do not overlap the curvature falls into blocks, and with labels known
/// it is nearly that of a conjugate prior.
#[test]
fn of_clusters_far_apart_the_evidence_is_known_without_the_whole_curvature() {
    let truth = mixture(&[0.2, 0.3, 0.5], &[-4.0, 0.0, 4.0], &[0.1, 0.2, 0.1]);
    for n in [60, 600] {
        let likelihood = simulated(&truth, n);
        let mut posterior = Posterior::new(&likelihood, &prior(3), 3).unwrap();
        let mode = &find_modes(&mut posterior, std::slice::from_ref(&truth), |_| false)[0];
        let exact = of_mode(&mut posterior, mode, false);
        let expected = exact.log_evidence - exact.correction;
        assert_abs_diff_eq!(log_evidence_by_blocks(&mut posterior, mode), expected, epsilon = 1e-4);
        // The prior's part of the curvature is worth a few observations of each component: 1.6 nats with 60, less with more.
        let error = log_evidence_of_labelled(&posterior, mode) - expected;
        assert!(error.abs() < 120.0 / n as f64, "{n} observations: {error}");
    }
}

#[test]
fn modes_add_up() {
    // Three clusters and two components: either of them takes two clusters, in two ways that differ.
    let truth = mixture(&[0.33, 0.34, 0.33], &[-3.0, 0.0, 3.0], &[0.05; 3]);
    let likelihood = simulated(&truth, 60);
    let left = mixture(&[0.67, 0.33], &[-1.5, 3.0], &[2.3, 0.05]);
    let right = mixture(&[0.33, 0.67], &[-3.0, 1.5], &[0.05, 2.3]);
    let of = |candidates: &[Mixture]| by_laplace(&likelihood, candidates).0;
    let (one, other) = (of(std::slice::from_ref(&left)), of(std::slice::from_ref(&right)));
    assert!((one - other).abs() > 1e-3);
    assert_abs_diff_eq!(of(&[left, right]), other + (one - other).exp().ln_1p(), epsilon = 1e-5);
}
