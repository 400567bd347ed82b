//! How far K goes up where nobody says: until the largest K are improbable.

use anyhow::Result;

use crate::data::most_components;
use crate::engine::experiment::Experiment;
use crate::engine::progress::Display;
use crate::scores::findings::Findings;
use crate::scores::probabilities::{NEGLIGIBLE, Probabilities};
use crate::scores::results::Results;

/// The largest K at first.
const FIRST: usize = 10;

/// So many of the largest K must be improbable.
const IMPROBABLE: usize = 3;

/// No larger K is tried unasked.
const LARGEST: usize = 60;

/// The results of an experiment without draws, with every K from 1 to one that is large enough: the three largest have negligible
/// probabilities. Fewer if there are few different rows, and not more than ten with more parameters than rows; only the first ten if K has no probabilities, so that none is improbable.
/// The experiment's components become these. Call it inside the pool whose threads it may use.
///
/// # Errors
/// Scores that cannot be compared.
pub fn results_with_enough_components(experiment: &mut Experiment, display: Display) -> Result<Results> {
    let data = &experiment.dataset.data;
    // With more components than these there are more parameters than rows.
    let d = data.n_features();
    let supported = data.n_observations() / ((d + 1) * (d + 2) / 2);
    let most = most_components(data, LARGEST).min(supported.max(FIRST));
    let mut largest = FIRST.min(most);
    loop {
        experiment.spec.model.components = (1..=largest).collect();
        let results = Results::new(experiment, Findings::default(), Vec::new(), display)?;
        let goes_on = results.probabilities().is_some_and(|found| is_open(found, largest));
        if !goes_on || largest == most {
            return Ok(results);
        }
        largest = (largest + largest / 2).min(most);
    }
}

/// Whether one of the largest K is probable.
fn is_open(found: &Probabilities, largest: usize) -> bool {
    let last = |k: usize| k + IMPROBABLE > largest;
    found.of_each.iter().any(|entry| last(entry.model.components) && entry.probability > NEGLIGIBLE)
}

#[cfg(test)]
mod tests {
    use gmm_sampler::mixture::params::Mixture;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    fn tried(values: &[f64]) -> Vec<usize> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        let lines: String = values.iter().map(|value| format!("{value:?}\n")).collect();
        std::fs::write(&path, format!("x\n{lines}")).unwrap();
        let spec = "name = \"x\"\ndata.path = \"x.csv\"\nmodel.components = 1\nmodel.prior = \"default\"\n";
        let mut experiment = Experiment::from_text("x.toml", spec, |_| path).unwrap();
        results_with_enough_components(&mut experiment, Display::Hidden).unwrap();
        experiment.spec.model.components
    }

    /// The largest K for components at equal distances of a thousand of their widths.
    fn largest(components: usize, n: usize) -> usize {
        let weights = vec![1.0 / components as f64; components];
        let means: Vec<f64> = (0..components).map(|k| 1000.0 * k as f64).collect();
        let truth = Mixture::from_covariances(1, &weights, &means, &vec![1.0; components]).unwrap();
        let (data, _) = truth.simulate(n, &mut ChaCha8Rng::seed_from_u64(1));
        *tried(data.feature(0)).last().unwrap()
    }

    #[test]
    fn k_goes_up_until_the_largest_are_improbable() {
        assert_eq!(largest(2, 60), FIRST);
        let of_nine = largest(9, 180);
        assert_eq!(of_nine, FIRST + FIRST / 2);
    }

    #[test]
    fn few_different_rows_allow_few_components() {
        assert_eq!(tried(&[1.0, 2.0, 4.0, 8.0, 8.0]), [1, 2]);
        assert_eq!(tried(&[1.0, 2.0, 4.0, 4.0]), [1]);
    }
}
