//! Pseudo-BMA: models weighted as if their elpd were log evidences, with or without regard to how uncertain the elpd are.
//!
//! Source: Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13(3), "YVSG" below.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

/// Weights proportional to exp(elpd): YVSG, section 3.4 without its correction for uncertainty.
///
/// `pointwise` holds the N log predictive densities of each model, in nats, in one order of observations. A few nats decide between all
/// and nothing, whatever their standard error. Models with an undefined term get NaN, the others are weighted without them; an
/// observation that no model thinks possible tells none from another.
///
/// # Panics
/// If the models are scored on different numbers of observations.
#[must_use]
pub fn pseudo_bma(pointwise: &[&[f64]]) -> Vec<f64> {
    let terms = Terms::from_scores(pointwise);
    let elpd = terms.sums(|| 1.0);
    terms.spread(&softmax(&elpd))
}

/// The same, averaged over the Bayesian bootstrap (Rubin 1981): elpd of observations weighted by Dirichlet(1, …, 1), YVSG section 3.4.
/// This is pseudo-BMA+; weights of models that cannot be told apart by the data move towards each other.
///
/// The Monte Carlo error of a weight is at most 1 / (2 √`n_resamples`).
///
/// # Panics
/// If the models are scored on different numbers of observations, or without a resample.
#[must_use]
pub fn pseudo_bma_plus(pointwise: &[&[f64]], n_resamples: usize, rng: &mut impl Rng) -> Vec<f64> {
    assert!(n_resamples > 0, "an average needs a resample");
    let terms = Terms::from_scores(pointwise);
    let mut mean = vec![0.0; terms.n_models];
    for _ in 0..n_resamples {
        // Exponential variates over their sum are Dirichlet(1, …, 1).
        let mut total = 0.0;
        let sums = terms.sums(|| {
            let share: f64 = Exp1.sample(rng);
            total += share;
            share
        });
        let elpd: Vec<f64> = sums.iter().map(|sum| terms.n_observations as f64 * sum / total).collect();
        for (mean, weight) in mean.iter_mut().zip(softmax(&elpd)) {
            *mean += weight / n_resamples as f64;
        }
    }
    terms.spread(&mean)
}

/// Terms of the defined models relative to the best of each observation, one row of models an observation.
struct Terms {
    rows: Vec<f64>,
    n_models: usize,
    n_observations: usize,
    is_defined: Vec<bool>,
}

impl Terms {
    fn from_scores(pointwise: &[&[f64]]) -> Self {
        let n = pointwise.first().map_or(0, |terms| terms.len());
        assert!(
            pointwise.iter().all(|terms| terms.len() == n),
            "models must be scored on the same observations"
        );
        let finite_or_impossible = |term: &f64| *term < f64::INFINITY;
        let is_defined: Vec<bool> = pointwise
            .iter()
            .map(|terms| !terms.is_empty() && terms.iter().all(finite_or_impossible))
            .collect();
        let defined: Vec<&[f64]> = pointwise
            .iter()
            .zip(&is_defined)
            .filter(|(_, defined)| **defined)
            .map(|(terms, _)| *terms)
            .collect();
        let mut rows = Vec::with_capacity(n * defined.len());
        for i in 0..n {
            let best = defined.iter().map(|terms| terms[i]).fold(f64::NEG_INFINITY, f64::max);
            if best.is_finite() {
                rows.extend(defined.iter().map(|terms| terms[i] - best));
            }
        }
        let n_models = defined.len();
        Self { n_observations: rows.len().checked_div(n_models).unwrap_or(0), rows, n_models, is_defined }
    }

    /// Σ_i share_i × term_ik, with a share drawn for each observation.
    fn sums(&self, mut share: impl FnMut() -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_models];
        for row in self.rows.chunks_exact(self.n_models.max(1)) {
            let share = share();
            for (sum, term) in sums.iter_mut().zip(row) {
                *sum += share * term;
            }
        }
        sums
    }

    /// Weights of the defined models in the places of all.
    fn spread(&self, weights: &[f64]) -> Vec<f64> {
        let mut weights = weights.iter().copied();
        let place = |&defined: &bool| if defined { weights.next().unwrap_or(f64::NAN) } else { f64::NAN };
        self.is_defined.iter().map(place).collect()
    }
}

fn softmax(logs: &[f64]) -> Vec<f64> {
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Where each model calls something impossible that another does not, none is better.
    let relative = |log: &f64| if *log == greatest { 1.0 } else { libm::exp(log - greatest) };
    let relative: Vec<f64> = logs.iter().map(relative).collect();
    let total: f64 = relative.iter().sum();
    relative.iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    #[test]
    fn weights_are_those_of_the_sums() {
        let weights = pseudo_bma(&[&[-1.0, -2.0, -1.5], &[-1.5, -2.5, -1.5]]);
        let odds = (-1.0_f64).exp();
        assert!((weights[0] - 1.0 / (1.0 + odds)).abs() < 1e-15, "{weights:?}");
        assert!((weights[0] + weights[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_bootstrap_of_one_difference_has_a_closed_form() {
        // Of two observations the share of the first is uniform, and the weight of the first model 1 / (1 + exp(2 d (1 − 2u))).
        let d = 1.5;
        let weights = pseudo_bma_plus(&[&[0.0, -d], &[-d, 0.0]], 40_000, &mut rng());
        assert!((weights[0] - 0.5).abs() < 4.0 * 0.5 / 200.0, "{weights:?}");
        // With a third of a nat more for the first in both, the mean over u is an integral.
        let n = 100_000;
        let midpoint = |j: usize| (j as f64 + 0.5) / f64::from(n);
        let weight = |u: f64| 1.0 / (1.0 + (2.0 * (d * (1.0 - 2.0 * u) - 0.3)).exp());
        let expected = (0..n as usize).map(|j| weight(midpoint(j))).sum::<f64>() / f64::from(n);
        let weights = pseudo_bma_plus(&[&[0.3, -d + 0.3], &[-d, 0.0]], 40_000, &mut rng());
        assert!((weights[0] - expected).abs() < 4.0 * 0.5 / 200.0, "{weights:?} for {expected}");
    }

    #[test]
    fn twins_share_exactly_and_one_model_has_all() {
        let (good, bad) = ([-1.0, -1.5, -0.3], [-9.0, -8.0, -9.0]);
        for weights in
            [pseudo_bma(&[&good, &bad, &good]), pseudo_bma_plus(&[&good, &bad, &good], 10, &mut rng())]
        {
            assert_eq!(weights[0], weights[2]);
            assert!((weights[0] - 0.5).abs() < 1e-3);
        }
        assert_eq!(pseudo_bma(&[&good]), [1.0]);
        assert_eq!(pseudo_bma_plus(&[&good], 3, &mut rng()).len(), 1);
        assert!(pseudo_bma(&[]).is_empty());
    }

    #[test]
    fn an_undefined_model_is_left_out_and_an_impossible_one_gets_nothing() {
        let models: [&[f64]; 3] = [&[-1.0, -1.0], &[f64::NAN, -1.0], &[f64::NEG_INFINITY, -0.1]];
        for weights in [pseudo_bma(&models), pseudo_bma_plus(&models, 10, &mut rng())] {
            assert!(weights[1].is_nan());
            assert!((weights[0] - 1.0).abs() < 1e-12 && weights[2] == 0.0, "{weights:?}");
        }
        // Impossible for all: it tells none from another.
        let models: [&[f64]; 2] = [&[f64::NEG_INFINITY, -1.0], &[f64::NEG_INFINITY, -1.0]];
        assert_eq!(pseudo_bma(&models), [0.5, 0.5]);
        // Each impossible for the sake of another observation: none is better.
        let models: [&[f64]; 2] = [&[f64::NEG_INFINITY, -1.0], &[-1.0, f64::NEG_INFINITY]];
        assert_eq!(pseudo_bma(&models), [0.5, 0.5]);
    }
}
