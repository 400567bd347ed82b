//! Notices a chain that has fallen into the spike of tied observations.
//!
//! Where m ≥ 2 observations share a value, and the scale prior is positive at σ = 0, a component that owns just these has a
//! density without bound (see [`Ties`]). A chain that wanders there stays, with ever smaller steps, and its draws are of nothing.

use crate::mixture::params::Mixture;
use crate::ties::Ties;

/// A σ below this share of a column's resolution (the least gap between different values) is below anything that rounded
/// measurements can tell.
const BELOW_RESOLUTION: f64 = 0.1;

/// Successive draws with the same σ down there that make a fall. A component without observations visits small σ as its
/// prior has it, and draws of a chain that works forget quickly; a fallen one never returns. A fall in the last draws of a
/// chain is not seen.
const PERSISTENCE: usize = 25;

/// Follows the draws of one chain.
#[derive(Debug, Clone)]
pub struct CollapseMonitor {
    /// Per feature, in the units of the mixtures to come; none where no observations are tied.
    thresholds: Vec<Option<f64>>,
    /// K × D: how many draws in a row this σ has been below.
    runs: Vec<usize>,
}

impl CollapseMonitor {
    /// For mixtures of K components on the scale of the data that `ties` were counted in.
    #[must_use]
    pub fn new(n_components: usize, ties: &[Ties]) -> Self {
        let threshold =
            |ties: &Ties| ties.resolution.filter(|_| ties.exist()).map(|gap| BELOW_RESOLUTION * gap);
        Self { thresholds: ties.iter().map(threshold).collect(), runs: vec![0; n_components * ties.len()] }
    }

    /// Takes note of the chain's next draw; true once the chain has fallen.
    pub fn has_collapsed(&mut self, draw: &Mixture) -> bool {
        let d = self.thresholds.len();
        let mut fallen = false;
        for (index, run) in self.runs.iter_mut().enumerate() {
            let below =
                self.thresholds[index % d].is_some_and(|least| draw.scales(index / d)[index % d] < least);
            *run = if below { *run + 1 } else { 0 };
            fallen |= *run >= PERSISTENCE;
        }
        fallen
    }

    /// Whether a mixture, by itself, has a component there: for a mode, which has no draws before it.
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
    fn a_visit_is_no_fall_and_a_stay_is() {
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
    fn without_ties_there_is_no_spike() {
        let ties = Ties::from_data(&Data::from_columns(&[vec![1.0, 1.2, 1.5, 2.0]]).unwrap());
        assert!(!CollapseMonitor::new(2, &ties).is_collapsed(&mixture(1e-9)));
    }
}
