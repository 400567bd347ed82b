//! Whole posteriors against long runs of Stan: means, standard deviations, convergence.

mod support;

use gmm_sampler::diagnostics::Summary;
use gmm_sampler::mixture::likelihood::Likelihood;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::nuts::GRADIENTS_PER_STEP;
use gmm_sampler::nuts::chain::{Chain, ChainSettings};
use gmm_sampler::start::em::em;
use gmm_sampler::start::{Start, match_to_centres};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use support::{data, default_prior, json};

/// Means may differ by this many standard errors, of both runs together. Over some 150 parameters, largely independent, the
/// largest of |z| exceeds 4 once in a hundred runs; the seed is fixed.
const MONTE_CARLO: f64 = 4.0;

/// Standard deviations may differ by this share.
const SPREAD: f64 = 0.05;

fn agrees_with_stan(case: &str, n_components: usize) {
    let reference = json(&format!("posteriors/{case}_summary.json"));
    let data = data(&format!("posteriors/{case}_data.csv"));
    let prior = default_prior(&format!("posteriors/{case}_centroids.csv"), 2.0);
    let likelihood = Likelihood::new(&data);
    let posterior = || Posterior::new(&likelihood, &prior, n_components).unwrap();
    let optimum = em(&data, n_components, 50, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
    let candidate = match_to_centres(&optimum.best.unwrap().mixture, &prior.centres);
    let start = Start::find(&mut posterior(), &[candidate], |_| false).unwrap();
    let settings = ChainSettings { draws: 2000, ..ChainSettings::default() };
    let n_chains = 4;
    let began = std::time::Instant::now();
    let chains: Vec<(Vec<Vec<f64>>, usize, f64)> = std::thread::scope(|scope| {
        let run = |stream: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(20);
            rng.set_stream(stream);
            let position = start.disperse(&mut posterior(), &mut rng);
            let mut chain = Chain::new(posterior(), &position, start.metric.clone(), settings, rng).unwrap();
            let layout = posterior().layout();
            let (mut draws, mut divergences, mut steps) = (Vec::new(), 0, 0.0);
            for _ in 0..settings.warmup + settings.draws {
                let warming_up = chain.is_warming_up();
                let stats = chain.step();
                if !warming_up {
                    draws.push(layout.constrain(chain.position()).values());
                    divergences += usize::from(stats.transition.diverging());
                    steps += f64::from(stats.transition.n_steps);
                }
            }
            (draws, divergences, steps)
        };
        let handles: Vec<_> = (0..n_chains).map(|stream| scope.spawn(move || run(stream))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    let variables = Mixture::variables(n_components, data.n_features());
    let mut failures = Vec::new();
    let mut least_ess = f64::INFINITY;
    for (index, name) in variables.iter().enumerate() {
        let column: Vec<f64> =
            chains.iter().flat_map(|(draws, ..)| draws.iter().map(|draw| draw[index])).collect();
        let ours = Summary::from_column(&column, n_chains as usize);
        let theirs = &reference["parameters"][name.replace("weights", "w")];
        let number = |key: &str| theirs[key].as_f64().unwrap_or_else(|| panic!("{name} has no {key}"));
        let z = (ours.mean - number("mean")) / ours.mcse_mean.hypot(number("mcse_mean"));
        let spread = ours.sd / number("sd") - 1.0;
        if z.abs() > MONTE_CARLO || spread.abs() > SPREAD || ours.rhat > 1.01 {
            failures.push(format!("{name}: z = {z:.2}, spread {spread:+.3}, R-hat {:.4}", ours.rhat));
        }
        least_ess = least_ess.min(ours.ess_bulk);
    }
    let divergences: usize = chains.iter().map(|(_, divergences, _)| divergences).sum();
    let steps: f64 = chains.iter().map(|(.., steps)| steps).sum();
    println!(
        "{case}: least bulk ESS {least_ess:.0}, {:.2} steps a draw, ESS per gradient {:.3}, {:.2} s",
        steps / (n_chains as f64 * settings.draws as f64),
        least_ess / (steps * f64::from(GRADIENTS_PER_STEP)),
        began.elapsed().as_secs_f64()
    );
    assert_eq!(divergences, 0, "{case}");
    assert!(failures.is_empty(), "{case}: {failures:#?}");
}

#[test]
fn of_blobs_with_eight_components() {
    agrees_with_stan("blobs_k8", 8);
}

#[test]
fn of_old_faithful_with_two_components() {
    agrees_with_stan("faithful_k2", 2);
}

#[test]
fn of_iris_with_three_components() {
    agrees_with_stan("iris_k3", 3);
}
