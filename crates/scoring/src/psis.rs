//! Pareto-smoothed importance sampling: the largest importance ratios are replaced by the quantiles of a fitted tail.
//!
//! Source: Vehtari, Simpson, Gelman, Yao & Gabry (2024), JMLR 25(72), "VSGYG" below; details as in R's `loo`.

use crate::pareto::GeneralizedPareto;

/// Fewest ratios that a tail may be fitted to: `loo`'s.
const SHORTEST_TAIL: usize = 5;

/// The Pareto k above which S draws are too few for smoothed importance sampling: min(1 − 1/log₁₀ S, 0.7); VSGYG.
#[must_use]
pub fn khat_threshold(n_draws: usize) -> f64 {
    /// Above this the Monte Carlo error shrinks so slowly that no practical S would do.
    const GREATEST: f64 = 0.7;
    (1.0 - 1.0 / libm::log10(n_draws as f64)).min(GREATEST)
}

/// How many of S ratios count as the tail: ⌈min(S / 5, 3 √(S / r_eff))⌉; VSGYG.
#[must_use]
pub fn tail_length(n_draws: usize, relative_efficiency: f64) -> usize {
    let draws = n_draws as f64;
    (0.2 * draws).min(3.0 * (draws / relative_efficiency).sqrt()).ceil() as usize
}

/// Importance weights after smoothing.
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothedWeights {
    /// Logarithms of the weights, in the order of the draws; not normalised, on the scale of the ratios, none above the largest of these.
    pub log_weights: Vec<f64>,
    /// Shape of the fitted tail. ∞ where none could be fitted: too few draws, a tail of one value, or an infinite ratio.
    pub pareto_k: f64,
}

/// Smooths S log importance ratios. `relative_efficiency` is the effective share of the draws behind them, 1 if independent.
///
/// A ratio of ∞ takes all the weight, with k = ∞; a NaN makes every weight NaN.
#[must_use]
pub fn psis(log_ratios: &[f64], relative_efficiency: f64) -> SmoothedWeights {
    let greatest = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() || log_ratios.iter().any(|ratio| ratio.is_nan()) {
        let undefined = log_ratios.iter().any(|ratio| ratio.is_nan());
        let log_weights = log_ratios.iter().map(|&ratio| {
            if undefined {
                f64::NAN
            } else if ratio == greatest {
                0.0
            } else {
                f64::NEG_INFINITY
            }
        });
        return SmoothedWeights { log_weights: log_weights.collect(), pareto_k: f64::INFINITY };
    }
    let unsmoothed = || SmoothedWeights { log_weights: log_ratios.to_vec(), pareto_k: f64::INFINITY };
    let Some(length) = smoothed_length(log_ratios.len(), relative_efficiency) else { return unsmoothed() };
    let mut order: Vec<usize> = (0..log_ratios.len()).collect();
    order.sort_by(|&a, &b| log_ratios[a].total_cmp(&log_ratios[b]));
    let (below, draws) = order.split_at(order.len() - length);
    let raw = |draw: usize| libm::exp(log_ratios[draw] - greatest);
    let ascending: Vec<f64> = draws.iter().map(|&draw| raw(draw)).collect();
    let cutoff = below.last().map_or(0.0, |&draw| raw(draw));
    let Some(tail) = Tail::smoothed(&ascending, cutoff) else { return unsmoothed() };
    let mut log_weights = log_ratios.to_vec();
    for (&draw, weight) in draws.iter().zip(&tail.weights) {
        log_weights[draw] = libm::log(*weight) + greatest;
    }
    SmoothedWeights { log_weights, pareto_k: tail.pareto_k }
}

/// Smoothed weights of the largest ratios, in ascending order.
pub(crate) struct Tail {
    /// Relative to the largest raw weight, none above 1.
    pub(crate) weights: Vec<f64>,
    pub(crate) pareto_k: f64,
}

impl Tail {
    /// Of the tail's raw weights in ascending order, relative to the largest, and the greatest weight that is not among them.
    /// None where nothing can be smoothed; k is ∞ then.
    pub(crate) fn smoothed(ascending: &[f64], cutoff: f64) -> Option<Self> {
        if ascending.first() == ascending.last() {
            return None;
        }
        let exceedances: Vec<f64> = ascending.iter().map(|weight| weight - cutoff).collect();
        let fit = GeneralizedPareto::fit(&exceedances);
        if !fit.k.is_finite() || !fit.sigma.is_finite() {
            return None;
        }
        // VSGYG, algorithm 1: expected order statistics of the fitted tail, truncated at the largest raw ratio.
        let mut weights = fit.order_statistics(ascending.len());
        weights.iter_mut().for_each(|weight| *weight = (cutoff + *weight).min(1.0));
        Some(Self { weights, pareto_k: fit.k })
    }
}

/// Length of the tail of S ratios that can be smoothed: none of fewer than [`SHORTEST_TAIL`], or of all.
pub(crate) fn smoothed_length(n_draws: usize, relative_efficiency: f64) -> Option<usize> {
    let length = tail_length(n_draws, relative_efficiency);
    (length >= SHORTEST_TAIL && length < n_draws).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_threshold_rises_with_the_draws_up_to_its_cap() {
        assert_eq!(khat_threshold(100), 0.5);
        assert!((khat_threshold(1000) - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(khat_threshold(100_000), 0.7);
    }

    #[test]
    fn an_infinite_ratio_takes_all_the_weight() {
        let smoothed = psis(&[0.0, f64::INFINITY, 1.0], 1.0);
        assert_eq!(smoothed.log_weights, [f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY]);
        assert_eq!(smoothed.pareto_k, f64::INFINITY);
        assert!(psis(&[0.0, f64::NAN], 1.0).log_weights.iter().all(|w| w.is_nan()));
    }

    #[test]
    fn too_short_a_tail_is_left_as_it_is() {
        let ratios: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(psis(&ratios, 1.0), SmoothedWeights { log_weights: ratios, pareto_k: f64::INFINITY });
    }

    proptest! {
        #[test]
        fn a_constant_on_all_log_ratios_moves_all_log_weights(
            ratios in prop::collection::vec(-5.0..5.0_f64, 60..300), shift in -1e3..1e3_f64,
        ) {
            let moved: Vec<f64> = ratios.iter().map(|r| r + shift).collect();
            let (before, after) = (psis(&ratios, 0.8), psis(&moved, 0.8));
            prop_assert!((before.pareto_k - after.pareto_k).abs() < 1e-8);
            for (b, a) in before.log_weights.iter().zip(&after.log_weights) {
                prop_assert!((b + shift - a).abs() < 1e-8);
            }
        }

        #[test]
        fn smoothing_keeps_order_and_never_passes_the_largest_ratio(ratios in prop::collection::vec(-5.0..5.0_f64, 60..300)) {
            let smoothed = psis(&ratios, 1.0).log_weights;
            let greatest = ratios.iter().copied().fold(f64::MIN, f64::max);
            prop_assert!(smoothed.iter().all(|w| *w <= greatest + 1e-12));
            let mut order: Vec<usize> = (0..ratios.len()).collect();
            order.sort_by(|a, b| ratios[*a].total_cmp(&ratios[*b]));
            let tail = &order[order.len() - tail_length(ratios.len(), 1.0)..];
            prop_assert!(tail.windows(2).all(|pair| smoothed[pair[0]] <= smoothed[pair[1]] + 1e-12));
        }
    }
}
