//! The evidence by adaptive importance sampling: the posterior's mass over that of a mixture of t distributions which is shaped by
//! weighted draws of itself, round after round.
//!
//! Sources: population Monte Carlo, Cappé, Douc, Guillin, Marin & Robert (2008), Statistics and Computing 18; a defensive part of the
//! first proposal, Hesterberg (1995), Technometrics 37; smoothed weights and their k, as in [`psis`](crate::psis()).

use gmm_sampler::mixture::posterior::Posterior;
use gmm_sampler::mixture::transform::Layout;
use gmm_sampler::start::mode::Mode;
use rand::{Rng, RngExt};

use super::proposal::Proposal;
use super::student::Students;
use crate::psis::psis;

/// Draws of a round that shapes the next proposal, and such rounds.
const SHAPING: usize = 2000;
const ROUNDS: usize = 6;

/// Draws that the estimate is made of.
const DRAWS: usize = 8000;

/// Share of the first proposal in all others.
const DEFENSIVE: f64 = 0.2;

/// Log evidence from independent draws of a proposal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Importance {
    /// log ∫ p(y | θ) p(θ) dθ, nats.
    pub log_evidence: f64,
    /// Its Monte Carlo standard error, nats.
    pub mcse: f64,
    /// Shape of the weights' tail: above 0.7 neither estimate nor error can be believed.
    pub pareto_k: f64,
}

/// The evidence from draws about the posterior's modes. Where components are all alike before the data (`exchangeable`) draws keep
/// the components in the order of their means along one feature, that which tells those of the first mode apart: each mixture has one
/// labelling of K!.
///
/// None where no proposal has any of the mass.
pub fn importance(
    posterior: &mut Posterior<'_>,
    modes: &[&Mode],
    exchangeable: bool,
    rng: &mut impl Rng,
) -> Option<Importance> {
    let layout = posterior.layout();
    let first_mode = modes.first()?;
    let feature = exchangeable.then(|| feature_of_order(layout, &first_mode.position));
    let log_copies = if exchangeable { libm::lgamma(layout.n_components as f64 + 1.0) } else { 0.0 };
    let near: Vec<(Vec<f64>, f64)> = modes
        .iter()
        .map(|mode| match feature {
            Some(feature) => {
                (layout.reordered(&mode.position, &order(layout, &mode.position, feature)), mode.log_density)
            }
            None => (mode.position.clone(), mode.log_density),
        })
        .collect();
    let first = Students::about(posterior, &near)?;
    let mut log_ratio = |position: &[f64], log_proposal: f64| {
        if feature.is_some_and(|feature| !is_ordered(layout, position, feature)) {
            return f64::NEG_INFINITY;
        }
        let (log_prior, log_likelihood) = posterior.log_prior_and_likelihood(position);
        let log_density = log_prior + log_likelihood;
        // Beyond double precision there is no mass.
        if log_density.is_nan() { f64::NEG_INFINITY } else { log_density + log_copies - log_proposal }
    };
    let mut proposal = first.clone();
    for _ in 0..ROUNDS {
        let draws = proposal.simulate(SHAPING, rng);
        let log_ratios: Vec<f64> = draws.iter().map(|x| log_ratio(x, proposal.log_density(x))).collect();
        let Some(kept) = resampled(&draws, &psis(&log_ratios, 1.0).log_weights, rng) else { continue };
        if let Some(fitted) = Proposal::fit(&kept, rng) {
            proposal = Students::mixed(DEFENSIVE, &first, &fitted);
        }
    }
    let draws = proposal.simulate(DRAWS, rng);
    let log_ratios: Vec<f64> = draws.iter().map(|x| log_ratio(x, proposal.log_density(x))).collect();
    estimate(&log_ratios)
}

fn estimate(log_ratios: &[f64]) -> Option<Importance> {
    let smoothed = psis(log_ratios, 1.0);
    let greatest = smoothed.log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() {
        return None;
    }
    let weights: Vec<f64> = smoothed.log_weights.iter().map(|log| libm::exp(log - greatest)).collect();
    let n = weights.len() as f64;
    let mean = weights.iter().sum::<f64>() / n;
    let variance = weights.iter().map(|weight| (weight - mean).powi(2)).sum::<f64>() / n;
    Some(Importance {
        log_evidence: greatest + libm::log(mean),
        mcse: (variance / n).sqrt() / mean,
        pareto_k: smoothed.pareto_k,
    })
}

/// The feature along which the nearest means are farthest apart.
fn feature_of_order(layout: Layout, position: &[f64]) -> usize {
    let d = layout.n_features;
    let nearest = |feature: usize| {
        let mut means: Vec<f64> = layout.means(position).iter().skip(feature).step_by(d).copied().collect();
        means.sort_by(f64::total_cmp);
        means.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min)
    };
    (0..d).max_by(|&a, &b| nearest(a).total_cmp(&nearest(b))).expect("there is a feature")
}

fn order(layout: Layout, position: &[f64], feature: usize) -> Vec<usize> {
    let mean = |k: usize| layout.means(position)[k * layout.n_features + feature];
    let mut order: Vec<usize> = (0..layout.n_components).collect();
    order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
    order
}

fn is_ordered(layout: Layout, position: &[f64], feature: usize) -> bool {
    let means = layout.means(position);
    let along = |k: usize| means[k * layout.n_features + feature];
    (1..layout.n_components).all(|k| along(k - 1) <= along(k))
}

/// As many draws as there are, each as often as its weight asks (systematic resampling). None if no draw has any weight.
fn resampled<'a>(draws: &'a [Vec<f64>], log_weights: &[f64], rng: &mut impl Rng) -> Option<Vec<&'a [f64]>> {
    let greatest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() {
        return None;
    }
    let weights: Vec<f64> = log_weights.iter().map(|log| libm::exp(log - greatest)).collect();
    let step = weights.iter().sum::<f64>() / draws.len() as f64;
    let mut next = step * rng.random::<f64>();
    let (mut kept, mut passed) = (Vec::with_capacity(draws.len()), 0.0);
    for (draw, weight) in draws.iter().zip(weights) {
        passed += weight;
        while next < passed {
            kept.push(draw.as_slice());
            next += step;
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gmm_sampler::data::Data;
    use gmm_sampler::mixture::likelihood::Likelihood;
    use gmm_sampler::mixture::prior::{Prior, ScalePrior};
    use gmm_sampler::start::find_modes;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    const VALUES: [f64; 5] = [-1.1, -0.7, -0.2, 0.8, 1.3];

    fn prior(k: usize) -> Prior {
        Prior {
            concentration: 1.0,
            centres: vec![0.0; k],
            mean_sd: 1.0,
            scales: ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.5, hyper_rate: 0.5 },
            lkj_shape: 1.0,
        }
    }

    /// The mean likelihood of mixtures from the prior, with its standard error: no mode, no order and no proposal enters.
    fn from_the_prior(likelihood: &Likelihood, k: usize) -> (f64, f64) {
        const DRAWS: usize = 400_000;
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut posterior = Posterior::new(likelihood, &prior(k), k).unwrap();
        let layout = posterior.layout();
        let mut likelihood_of = |_| {
            let position = layout.unconstrain(&prior(k).simulate(k, 1, &mut rng));
            let (_, log_likelihood) = posterior.log_prior_and_likelihood(&position);
            // A scale beyond double precision has no likelihood to speak of.
            if log_likelihood.is_nan() { 0.0 } else { libm::exp(log_likelihood) }
        };
        let values: Vec<f64> = (0..DRAWS).map(&mut likelihood_of).collect();
        let mean = values.iter().sum::<f64>() / DRAWS as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / DRAWS as f64;
        (libm::log(mean), (variance / DRAWS as f64).sqrt() / mean)
    }

    /// Five observations of one cluster, so that all components coincide but one.
    #[test]
    fn the_evidence_is_the_mean_likelihood_of_the_prior() {
        let data = Data::from_columns(&[VALUES.to_vec()]).unwrap();
        let likelihood = Likelihood::new(&data);
        for k in 1..=3 {
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let starts: Vec<_> = (0..20).map(|_| prior(k).simulate(k, 1, &mut rng)).collect();
            let mut posterior = Posterior::new(&likelihood, &prior(k), k).unwrap();
            let modes = find_modes(&mut posterior, &starts, |_| false);
            let found =
                importance(&mut posterior, &modes.iter().collect::<Vec<_>>(), true, &mut rng).unwrap();
            let (expected, error) = from_the_prior(&likelihood, k);
            assert!(found.pareto_k < 0.7, "K = {k}: {found:?}");
            let distance = (found.log_evidence - expected).abs() / error.hypot(found.mcse);
            assert!(distance < 4.0, "K = {k}: {found:?}, from the prior {expected} ± {error}");
            assert!(found.mcse < 0.05, "K = {k}: {found:?}");
        }
    }
}
