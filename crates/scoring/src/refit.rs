//! PSIS-LOO where reweighting fails: which observations need a fit without them, and what such a fit puts in place of their terms.

use crate::criteria::LooPoint;
use crate::psis::khat_threshold;

/// The observations, ascending, at which S draws of the posterior of all data cannot stand in for a fit without them: those of a
/// Pareto k above [`khat_threshold`], or an elpd that is not finite.
#[must_use]
pub fn in_doubt(points: &[LooPoint], n_draws: usize) -> Vec<usize> {
    let threshold = khat_threshold(n_draws);
    (0..points.len()).filter(|&i| !points[i].is_sound(threshold)).collect()
}

impl LooPoint {
    /// The observation's term with the log predictive density, in nats, of a fit that has not seen it. The density under the
    /// posterior of all data is as it was, and so `p` is the difference to it. Nothing was reweighted: k is −∞. The error is that
    /// of the fit's chains, which whoever has them knows.
    #[must_use]
    pub fn refitted(&self, elpd: f64) -> Self {
        let p = self.p + (self.elpd - elpd);
        Self { elpd, p, pareto_k: f64::NEG_INFINITY, mcse: f64::NAN, n_eff: f64::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::loo;

    fn point(elpd: f64, pareto_k: f64) -> LooPoint {
        LooPoint { elpd, p: 0.5, pareto_k, mcse: 0.01, n_eff: 100.0 }
    }

    #[test]
    fn a_refitted_observation_is_sound_and_keeps_its_density_under_all_data() {
        let points = [point(-1.0, 0.2), point(-4.0, 0.9), point(f64::NEG_INFINITY, f64::INFINITY)];
        assert_eq!(in_doubt(&points, 1000), [1, 2]);
        let refitted = points[1].refitted(-5.5);
        assert_eq!((refitted.elpd, refitted.p), (-5.5, 2.0));
        assert!(in_doubt(&[refitted], 1000).is_empty());
        let score = loo(&[points[0], refitted], 1000);
        assert_eq!((score.estimate, score.p_eff, score.n_bad, score.reliable), (-6.5, 2.5, 0, true));
    }

    #[test]
    fn what_is_in_doubt_is_what_makes_a_score_bad() {
        let points = [point(-1.0, 0.66), point(-4.0, 0.67), point(f64::NAN, 0.1), point(-1.0, f64::NAN)];
        assert_eq!(in_doubt(&points, 1000).len(), loo(&points, 1000).n_bad);
    }
}
