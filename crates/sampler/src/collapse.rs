//! Detects chains that have collapsed onto tied observations.
//!
//! If m ≥ 2 observations share a value and the scale prior is positive at σ = 0, the density of a component on just these is
//! unbounded (see [`Ties`]). A chain that gets there stays, with ever smaller steps, and its draws say nothing about the
//! posterior.

use crate::mixture::params::Mixture;
use crate::ties::Ties;

/// A σ below this share of a column's resolution (the smallest gap between distinct values) is finer than rounded measurements
/// can show.
const BELOW_RESOLUTION: f64 = 0.1;

/// Successive draws with the same σ that small which count as a collapse. A component without observations visits small σ as
/// often as its prior does, and a working chain soon leaves; a collapsed one never does. A collapse in the last draws of a
/// chain goes unnoticed.
const PERSISTENCE: usize = 25;

/// Watches the draws of one chain for a collapse.
#[derive(Debug, Clone)]
pub struct CollapseMonitor {
    /// Per feature, in the units of the mixtures; `None` where no observations are tied.
    thresholds: Vec<Option<f64>>,
    /// K × D: the number of successive draws in which this σ was below its threshold.
    runs: Vec<usize>,
}

impl CollapseMonitor {
    /// For mixtures of K components, on the scale of the data in which `ties` were counted (length D).
    #[must_use]
    pub fn new(n_components: usize, ties: &[Ties]) -> Self {
        let threshold =
            |ties: &Ties| ties.resolution.filter(|_| ties.exist()).map(|gap| BELOW_RESOLUTION * gap);
        Self { thresholds: ties.iter().map(threshold).collect(), runs: vec![0; n_components * ties.len()] }
    }

    /// Takes the chain's next draw; true once the chain has collapsed.
    pub fn has_collapsed(&mut self, draw: &Mixture) -> bool {
        let d = self.thresholds.len();
        let mut collapsed = false;
        for (index, run) in self.runs.iter_mut().enumerate() {
            let below =
                self.thresholds[index % d].is_some_and(|least| draw.scales(index / d)[index % d] < least);
            *run = if below { *run + 1 } else { 0 };
            collapsed |= *run >= PERSISTENCE;
        }
        collapsed
    }

    /// Whether a single mixture has a collapsed component. For modes, which have no draws before them.
    #[must_use]
    pub fn is_collapsed(&self, mixture: &Mixture) -> bool {
        (0..mixture.n_components()).any(|k| {
            let scales = mixture.scales(k).iter().zip(&self.thresholds);
            scales.into_iter().any(|(sigma, threshold)| threshold.is_some_and(|least| *sigma < least))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    fn mixture(sigma: f64) -> Mixture {
        Mixture::from_covariances(1, &[0.5, 0.5], &[0.0, 1.0], &[1.0, sigma * sigma]).unwrap()
    }

    #[test]
    fn a_short_visit_is_no_collapse_and_a_long_stay_is() {
        let ties = Ties::from_data(&Data::from_columns(&[vec![1.0, 1.0, 1.5, 2.0]]).unwrap());
        let mut watch = CollapseMonitor::new(2, &ties);
        for _ in 0..10 {
            assert!((0..PERSISTENCE - 1).all(|_| !watch.has_collapsed(&mixture(0.04))));
            assert!(!watch.has_collapsed(&mixture(0.06)));
        }
        assert!((0..PERSISTENCE).any(|_| watch.has_collapsed(&mixture(0.04))));
        assert!(watch.is_collapsed(&mixture(0.04)) && !watch.is_collapsed(&mixture(0.06)));
    }

    #[test]
    fn without_ties_nothing_collapses() {
        let ties = Ties::from_data(&Data::from_columns(&[vec![1.0, 1.2, 1.5, 2.0]]).unwrap());
        assert!(!CollapseMonitor::new(2, &ties).is_collapsed(&mixture(1e-9)));
    }
}
