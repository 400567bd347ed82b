//! Leave-one-out cross-validation without refitting: the posterior of all data, reweighted to forget one observation.
//!
//! Source: Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, "VGG" below; details as in R's `loo`.

use gmm_sampler::diagnostics::ess_unsplit;

use crate::column::Span;
use crate::criterion::Criterion;
use crate::descriptor::{Descriptor, Fits, Scale, Source};
use crate::diagnostic::Diagnostic;
use crate::log_sum_exp::{log_mean_exp, log_sum_exp};
use crate::psis::{khat_threshold, psis};
use crate::score::Score;
use crate::terms::Terms;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    name: "loo",
    title: "PSIS-LOO",
    scale: Scale::Prediction,
    source: Source::Draws(Fits::AllRowsAndRefits),
    terms: Some(Terms::Observations),
    reference: "Vehtari, A., Gelman, A. & Gabry, J. (2017). Practical Bayesian model evaluation using leave-one-out \
                cross-validation and WAIC. Statistics and Computing 27, 1413–1432.",
    rationale: "is the smallest K whose predictive score is indistinguishable from the best",
    // Like WAIC it is optimistic where the prior is centred on centroids of all rows.
    rank: Some(50),
    by_default: true,
};

/// One observation's share of PSIS-LOO, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LooPoint {
    /// Log predictive density of the observation given all the others. −∞ if a draw gives it no density.
    pub elpd: f64,
    /// `lpd − elpd`: how much the observation helped to predict itself.
    pub p: f64,
    /// Shape of the importance ratios' tail: how much harder than usual the reweighting was. ∞ if no tail could be fitted.
    pub pareto_k: f64,
    /// Monte Carlo standard error of `elpd`. Meaningless where `pareto_k` is above [`khat_threshold`].
    pub mcse: f64,
    /// Effective number of independent draws behind `elpd`.
    pub n_eff: f64,
}

impl LooPoint {
    /// Whether reweighting is reliable here. NaN is not.
    pub(crate) fn is_sound(&self, threshold: f64) -> bool {
        self.pareto_k <= threshold && self.elpd.is_finite()
    }

    /// Of an observation that some draw makes impossible, or that has no log-likelihoods: nothing to smooth.
    pub(crate) fn without_tail(log_likelihood: &[f64], span: Span) -> Option<Self> {
        if log_likelihood.is_empty() || span.greatest == f64::INFINITY || span.sum.is_nan() {
            return Some(Self {
                elpd: f64::NAN,
                p: f64::NAN,
                pareto_k: f64::INFINITY,
                mcse: f64::NAN,
                n_eff: f64::NAN,
            });
        }
        (span.least == f64::NEG_INFINITY).then(|| {
            // That draw's ratio is infinite, so it has all the weight; and it says that the observation cannot be.
            let p = log_mean_exp(log_likelihood) - span.least;
            Self { elpd: span.least, p, pareto_k: f64::INFINITY, mcse: f64::NAN, n_eff: f64::NAN }
        })
    }

    /// As the definitions have it, for finite log-likelihoods of any range.
    pub(crate) fn on_the_log_scale(log_likelihood: &[f64], efficiency: Efficiency) -> Self {
        let relative_efficiency = match efficiency {
            Efficiency::Known(known) => known,
            Efficiency::Estimated { n_chains } => {
                let greatest = Span::from_column(log_likelihood).greatest;
                let likelihoods: Vec<f64> = log_likelihood.iter().map(|l| libm::exp(l - greatest)).collect();
                relative_efficiency(&likelihoods, n_chains)
            }
        };
        let log_ratios: Vec<f64> = log_likelihood.iter().map(|l| -l).collect();
        let smoothed = psis(&log_ratios, relative_efficiency);
        let total = log_sum_exp(&smoothed.log_weights);
        let normalised: Vec<f64> = smoothed.log_weights.iter().map(|w| w - total).collect();
        let predictive: Vec<f64> = normalised.iter().zip(log_likelihood).map(|(w, l)| w + l).collect();
        let elpd = log_sum_exp(&predictive);
        let spread = |(w, l): (&f64, &f64)| (libm::exp(w + l - elpd) - libm::exp(*w)).powi(2);
        let variance =
            libm::log1p(normalised.iter().zip(log_likelihood).map(spread).sum::<f64>()) / relative_efficiency;
        let squares: f64 = normalised.iter().map(|w| libm::exp(2.0 * w)).sum();
        Self {
            elpd,
            p: log_mean_exp(log_likelihood) - elpd,
            pareto_k: smoothed.pareto_k,
            mcse: variance.sqrt(),
            n_eff: relative_efficiency / squares,
        }
    }
}

/// How many independent draws a draw is worth.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Efficiency {
    Known(f64),
    Estimated { n_chains: usize },
}

/// Effective share of S likelihoods (not their logarithms; any common scale), as `loo`'s `relative_eff`; 1 where undefined.
#[must_use]
pub fn relative_efficiency(likelihoods: &[f64], n_chains: usize) -> f64 {
    let ess = ess_unsplit(likelihoods, n_chains);
    if ess.is_nan() { 1.0 } else { ess / likelihoods.len() as f64 }
}

/// PSIS-LOO of a data set (higher is better) from its observations, each from the same number of draws S.
///
/// An observation is bad if its k is above [`khat_threshold`], or its elpd is not finite.
#[must_use]
pub fn loo(points: &[LooPoint], n_draws: usize) -> Score {
    let threshold = khat_threshold(n_draws);
    let n_bad = points.iter().filter(|point| !point.is_sound(threshold)).count();
    let p_eff = points.iter().map(|point| point.p).sum();
    let pointwise = points.iter().map(|point| point.elpd).collect();
    Score::from_pointwise(Criterion::Loo, pointwise, p_eff, n_bad, |n_terms| Diagnostic::LargeParetoK {
        n_bad,
        n_terms,
        threshold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Log-likelihoods that a heavy-tailed posterior might give, `spread` nats apart.
    fn column(uniforms: &[f64], spread: f64) -> Vec<f64> {
        uniforms.iter().map(|u| -3.0 + spread * u.ln() * (1.0 + u)).collect()
    }

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        a == b || (a - b).abs() <= tolerance * (1.0 + a.abs())
    }

    #[test]
    fn a_draw_without_density_makes_the_point_impossible_and_bad() {
        let mut column = column(&[0.2, 0.9, 0.4, 0.6, 0.1, 0.7, 0.3, 0.5].repeat(20), 1.0);
        column[7] = f64::NEG_INFINITY;
        let point = LooPoint::new(&column, 4);
        assert_eq!((point.elpd, point.p, point.pareto_k), (f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY));
        let score = loo(&[point], column.len());
        assert_eq!((score.estimate, score.n_bad, score.reliable), (f64::NEG_INFINITY, 1, false));
        assert!(matches!(score.diagnostics[..], [Diagnostic::LargeParetoK { n_bad: 1, n_terms: 1, .. }]));
    }

    #[test]
    fn undefined_log_likelihoods_give_undefined_points() {
        for value in [f64::NAN, f64::INFINITY] {
            let point = LooPoint::new(&[-1.0, value, -2.0, -1.5], 1);
            assert!(point.elpd.is_nan() && point.pareto_k == f64::INFINITY);
            assert_eq!(loo(&[point], 4).n_bad, 1);
        }
        assert!(LooPoint::new(&[], 1).elpd.is_nan());
    }

    #[test]
    fn one_likelihood_for_all_draws_is_the_answer_but_has_no_tail() {
        let point = LooPoint::new(&[-2.5; 400], 4);
        assert!(close(point.elpd, -2.5, 1e-14) && point.p.abs() < 1e-14);
        assert_eq!(point.pareto_k, f64::INFINITY);
    }

    proptest! {
        #[test]
        fn sums_of_weights_give_what_the_log_scale_gives(
            uniforms in prop::collection::vec(1e-6..1.0_f64, 200), spread in 0.01..30.0_f64,
        ) {
            let column = column(&uniforms, spread);
            let fast = LooPoint::new(&column, 4);
            let plain = LooPoint::on_the_log_scale(&column, Efficiency::Estimated { n_chains: 4 });
            for (a, b) in [(fast.elpd, plain.elpd), (fast.p, plain.p), (fast.pareto_k, plain.pareto_k),
                           (fast.mcse, plain.mcse), (fast.n_eff, plain.n_eff)] {
                prop_assert!(close(a, b, 1e-9), "{fast:?} {plain:?}");
            }
        }

        #[test]
        fn a_constant_on_all_log_likelihoods_moves_elpd_alone(
            uniforms in prop::collection::vec(1e-6..1.0_f64, 100), spread in 0.01..300.0_f64, shift in -1e3..1e3_f64,
        ) {
            let column = column(&uniforms, spread);
            let moved: Vec<f64> = column.iter().map(|l| l + shift).collect();
            let (before, after) = (LooPoint::new(&column, 2), LooPoint::new(&moved, 2));
            prop_assert!(close(before.elpd + shift, after.elpd, 1e-8));
            prop_assert!(close(before.p, after.p, 1e-6) && close(before.pareto_k, after.pareto_k, 1e-6));
            prop_assert!(close(before.n_eff, after.n_eff, 1e-6));
        }
    }
}
