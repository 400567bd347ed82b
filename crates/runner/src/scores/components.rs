//! What the components of the answer are like: weights, means and standard deviations, each with an interval.

use gmm_sampler::diagnostics::quantile;
use gmm_sampler::mixture::params::Mixture;

use super::local_mode::LocalMode;
use crate::study::job::ModelKey;
use crate::study::streams::Stream;

/// Draws from the normal distribution about the mode.
const DRAWS: usize = 2000;

/// Both ends of the intervals, as probabilities.
const ENDS: [f64; 2] = [0.05, 0.95];

/// The components of one mixture, those of the largest weights first.
#[derive(Debug, Clone, PartialEq)]
pub enum Components {
    /// Relabelling is no matter of the data's precision: a label is the same component in every draw.
    ToldApart(Vec<Component>),
    /// Some are as likely to be one another: what a label is like is no question.
    Alike,
}

/// One component, on the data's own scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// The cluster to which it belongs, counted from 0, where clusters are known.
    pub cluster: Option<usize>,
    pub weight: Interval,
    /// Of every column.
    pub means: Vec<Interval>,
    pub scales: Vec<Interval>,
}

/// A posterior median with a 90 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    fn of(values: &[f64]) -> Self {
        let [low, high] = ENDS.map(|end| quantile(values, end));
        Self { median: quantile(values, 0.5), low, high }
    }
}

impl Components {
    /// From the normal distribution about a mode.
    #[must_use]
    pub fn new(model: ModelKey, mode: &LocalMode) -> Self {
        if !mode.told_apart {
            return Self::Alike;
        }
        let mut rng = Stream::Components { model }.rng();
        Self::from_draws(&(0..DRAWS).map(|_| mode.draw(&mut rng)).collect::<Vec<_>>())
    }

    /// From draws with the same labels.
    ///
    /// # Panics
    /// If there is no draw.
    #[must_use]
    pub fn from_draws(draws: &[Mixture]) -> Self {
        let of = |value: &dyn Fn(&Mixture) -> f64| Interval::of(&draws.iter().map(value).collect::<Vec<_>>());
        let component = |k: usize| Component {
            cluster: None,
            weight: of(&|mixture| mixture.weight(k)),
            means: (0..draws[0].n_features()).map(|d| of(&|mixture| mixture.mean(k)[d])).collect(),
            scales: (0..draws[0].n_features()).map(|d| of(&|mixture| mixture.scales(k)[d])).collect(),
        };
        Self::ToldApart((0..draws[0].n_components()).map(component).collect())
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use tempfile::TempDir;

    use super::*;
    use crate::engine::experiment::Experiment;
    use crate::engine::progress::Display;
    use crate::scores::at_modes::scores_at_modes;
    use crate::scores::effort::Effort;
    use crate::scores::failure::Failure;
    use crate::scores::findings::Findings;
    use crate::scores::results::Results;

    fn experiment(truth: &Mixture, n: usize, seed: u64, components: &str) -> (Experiment, TempDir) {
        let (data, _) = truth.simulate(n, &mut ChaCha8Rng::seed_from_u64(seed));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        let row = |i: usize| data.observation(i).iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let rows: Vec<String> = (0..n).map(row).collect();
        std::fs::write(&path, format!("a,b\n{}\n", rows.join("\n"))).unwrap();
        let spec = format!(
            "name = \"x\"\ndata.path = \"x.csv\"\n[model]\ncomponents = {components}\nprior = \"default\"\n\
             axes = \"given\"\n[scoring]\ncriteria = [\"laplace\"]\n"
        );
        (Experiment::from_text("x.toml", &spec, |_| path).unwrap(), directory)
    }

    /// The table of one simulated data set at the true K, by the program's own way.
    fn found(truth: &Mixture, n: usize, seed: u64) -> (Components, Vec<Failure>) {
        let (experiment, _directory) = experiment(truth, n, seed, &truth.n_components().to_string());
        let results = Results::new(&experiment, Findings::default(), Vec::new(), Display::Hidden).unwrap();
        (results.components.unwrap(), results.failures)
    }

    /// 90 % intervals of two separate components cover the truth in 90 % of 60 data sets of 20 numbers each, to within chance.
    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        let covariances = [1.0, 0.3, 0.5, 0.8, -0.2, 1.2];
        let truth = Mixture::from_covariances(2, &[0.6, 0.4], &[0.0, 0.0, 8.0, -6.0], &covariances).unwrap();
        let (mut covered, mut n) = (0, 0);
        for seed in 0..60 {
            let (components, failures) = found(&truth, 150, seed);
            assert!(failures.is_empty(), "{failures:?}");
            let Components::ToldApart(of_each) = components else { panic!("they are far apart") };
            let mut count = |interval: Interval, value: f64| {
                n += 1;
                covered += usize::from((interval.low..=interval.high).contains(&value));
            };
            // The larger first, as in the truth; a sample may have it the other way round.
            let order = if of_each[0].means[0].median < 4.0 { [0, 1] } else { [1, 0] };
            for (k, component) in order.into_iter().map(|k| &of_each[k]).enumerate() {
                count(component.weight, truth.weight(k));
                for d in 0..2 {
                    count(component.means[d], truth.mean(k)[d]);
                    count(component.scales[d], truth.scales(k)[d]);
                }
            }
        }
        let share = f64::from(covered as u32) / f64::from(n as u32);
        assert!((0.87..0.93).contains(&share), "{share} of {n}");
    }

    #[test]
    fn components_that_cannot_be_told_apart_have_no_table() {
        let truth = Mixture::from_covariances(2, &[1.0], &[0.0, 0.0], &[1.0, 0.0, 1.0]).unwrap();
        let (experiment, _directory) = experiment(&truth, 40, 1, "1");
        let effort = Effort::new(&experiment, Display::Hidden);
        let (found, _) = scores_at_modes(&experiment, &[(ModelKey::full(1), None)], &effort).unwrap();
        let mode = found[0].local_modes[0].clone();
        let table = |mode: &LocalMode| Components::new(ModelKey::full(1), mode);
        assert!(matches!(table(&mode), Components::ToldApart(_)));
        assert_eq!(table(&LocalMode { told_apart: false, ..mode }), Components::Alike);
    }

    #[test]
    fn quantiles_are_those_of_the_draws() {
        let draw = |i: usize| {
            let mean = i as f64;
            Mixture::from_covariances(1, &[1.0], &[mean], &[4.0]).unwrap()
        };
        let draws: Vec<Mixture> = (0..=100).map(draw).collect();
        let Components::ToldApart(of_each) = Components::from_draws(&draws) else { panic!("they are draws") };
        let Interval { median, low, high } = of_each[0].means[0];
        assert_relative_eq!([median, low, high][..], [50.0, 5.0, 95.0], max_relative = 1e-12);
        assert_relative_eq!(of_each[0].scales[0].median, 2.0, max_relative = 1e-12);
    }
}
