//! Which data sets a suite is made of.

use std::fmt;

use gmm_sampler::data::Data;
use gmm_scoring::log_sum_exp;
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::Serialize;

use crate::study::spec::ModelSpec;
use crate::study::spec::suite::{DesignSpec, Levels, Size, SuiteSpec, Truth};
use crate::study::streams::Stream;

/// One simulated data set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Set {
    /// From 1, in the order of the design.
    pub index: usize,
    /// N.
    pub n_observations: usize,
    /// D.
    pub n_features: usize,
    /// The true K.
    pub components: usize,
    /// The average over pairs of true components; of no consequence to a single one. NaN where the prior draws the truth.
    pub overlap: f64,
}

impl Set {
    /// For ordering alone: fits take time in proportion to about N K D², and the searched K are the same for all.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.n_observations * (self.n_features + 2).pow(2)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {}", self.index)
    }
}

/// Every data set. A full grid repeats every combination of levels. A number of sets is a Latin hypercube sample of the design
/// (McKay, Beckman & Conover 1979): each factor's range is cut into as many strata as there are sets, each stratum is visited once,
/// and factors are paired at random, so that every level of every factor comes equally often, to within one. Where the prior draws
/// the truth, K is drawn for each set independently.
#[must_use]
pub fn sets(spec: &SuiteSpec) -> Vec<Set> {
    let design = &spec.suite;
    let mut sets = match design.size {
        Size::Sets(n) => hypercube(design, n),
        Size::Replicates(n) => grid(design, n),
    };
    if design.truth == Truth::Prior {
        let mut rng = Stream::Design { seed: design.seed, factor: COMPONENTS }.rng();
        sets.iter_mut().for_each(|set| set.components = from_prior(&spec.model, rng.random()));
    }
    sets
}

/// The place of K among the factors.
const COMPONENTS: usize = 2;

/// The K at which the cumulative prior probability first exceeds `unit`.
fn from_prior(model: &ModelSpec, unit: f64) -> usize {
    let mut components = model.components.clone();
    components.sort_unstable();
    let logs: Vec<f64> = components.iter().map(|&k| model.components_prior.log_density(k)).collect();
    let mut left = unit * libm::exp(log_sum_exp(&logs));
    let exceeded = |log: &f64| {
        left -= libm::exp(*log);
        left < 0.0
    };
    components[logs.iter().position(exceeded).unwrap_or(components.len() - 1)]
}

fn hypercube(design: &DesignSpec, n: usize) -> Vec<Set> {
    let [observations, features, components, overlap] = [0, 1, COMPONENTS, 3].map(|factor| {
        let mut rng = Stream::Design { seed: design.seed, factor }.rng();
        let mut strata: Vec<usize> = (0..n).collect();
        strata.shuffle(&mut rng);
        strata
            .into_iter()
            .map(|stratum| (stratum as f64 + rng.random::<f64>()) / n as f64)
            .collect::<Vec<f64>>()
    });
    let truth = |index: usize| match &design.truth {
        Truth::Mixsim { components: levels, overlap: overlaps, .. } => {
            let overlap = match overlaps {
                Levels::Listed(levels) => level_at(levels, overlap[index]),
                Levels::Between { from, to } => between(*from, *to, overlap[index]),
            };
            (count_at(levels, components[index], Spacing::Even), overlap)
        }
        Truth::Prior => (1, f64::NAN),
    };
    (0..n)
        .map(|index| {
            let (components, overlap) = truth(index);
            Set {
                index: index + 1,
                n_observations: count_at(&design.n_observations, observations[index], Spacing::Logarithmic),
                n_features: count_at(&design.n_features, features[index], Spacing::Even),
                components,
                overlap,
            }
        })
        .collect()
}

fn grid(design: &DesignSpec, replicates: usize) -> Vec<Set> {
    let counts = |levels: &Levels<usize>| match levels {
        Levels::Listed(levels) => levels.clone(),
        Levels::Between { from, to } => (*from..=*to).collect(),
    };
    let (components, overlaps) = match &design.truth {
        Truth::Mixsim { components, overlap, .. } => {
            let overlaps = match overlap {
                Levels::Listed(levels) => levels.clone(),
                Levels::Between { from, to } => vec![*from, *to],
            };
            (counts(components), overlaps)
        }
        Truth::Prior => (vec![1], vec![f64::NAN]),
    };
    let mut sets = Vec::new();
    for n_observations in counts(&design.n_observations) {
        for n_features in counts(&design.n_features) {
            for &components in &components {
                for &overlap in &overlaps {
                    for _ in 0..replicates {
                        let index = sets.len() + 1;
                        sets.push(Set { index, n_observations, n_features, components, overlap });
                    }
                }
            }
        }
    }
    sets
}

/// How a range of counts is spread over the unit interval.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spacing {
    /// Every whole number gets the same share.
    Even,
    /// Equal ratios get equal shares.
    Logarithmic,
}

fn count_at(levels: &Levels<usize>, unit: f64, spacing: Spacing) -> usize {
    match levels {
        Levels::Listed(levels) => level_at(levels, unit),
        Levels::Between { from, to } if spacing == Spacing::Even => {
            from + ((unit * (to - from + 1) as f64) as usize).min(to - from)
        }
        Levels::Between { from, to } => between(*from as f64, *to as f64, unit).round() as usize,
    }
}

fn level_at<T: Copy>(levels: &[T], unit: f64) -> T {
    levels[((unit * levels.len() as f64) as usize).min(levels.len() - 1)]
}

/// Evenly on the log scale.
fn between(from: f64, to: f64, unit: f64) -> f64 {
    libm::exp((1.0 - unit) * libm::log(from) + unit * libm::log(to)).clamp(from, to)
}

/// Names of simulated features.
#[must_use]
pub fn columns(data: &Data) -> Vec<String> {
    (1..=data.n_features()).map(|feature| format!("y{feature}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::spec::suite::read_suite;

    fn suite(suite: &str) -> SuiteSpec {
        let text =
            format!("name = \"suite\"\n[suite]\n{suite}\n[model]\ncomponents = {{ from = 1, to = 9 }}\n");
        read_suite("suite.toml", &text).unwrap()
    }

    #[test]
    fn every_level_comes_equally_often_and_ranges_are_filled_evenly() {
        let spec = suite(
            "sets = 80\nn_observations = { from = 100, to = 1000 }\nn_features = [1, 2, 4, 8]\n\
             components = { from = 1, to = 8 }\noverlap = { from = 0.001, to = 0.05 }",
        );
        let sets = sets(&spec);
        assert_eq!(sets.len(), 80);
        for k in 1..=8 {
            assert_eq!(sets.iter().filter(|set| set.components == k).count(), 10, "K = {k}");
        }
        for d in [1, 2, 4, 8] {
            assert_eq!(sets.iter().filter(|set| set.n_features == d).count(), 20, "D = {d}");
        }
        // Half of them below the geometric mean.
        assert_eq!(sets.iter().filter(|set| set.n_observations < 317).count(), 40);
        assert_eq!(sets.iter().filter(|set| set.overlap < (0.001f64 * 0.05).sqrt()).count(), 40);
        assert!(sets.iter().all(|set| (100..=1000).contains(&set.n_observations)));
        let other = super::sets(&SuiteSpec { suite: DesignSpec { seed: 2, ..spec.suite.clone() }, ..spec });
        assert_ne!(sets, other, "the seed moves the sets");
    }

    #[test]
    fn a_grid_has_every_combination_so_many_times() {
        let spec = suite(
            "replicates = 3\nn_observations = [100, 200]\nn_features = 2\ncomponents = [1, 3]\noverlap = [0.01, 0.05]",
        );
        let sets = sets(&spec);
        assert_eq!(sets.len(), 2 * 2 * 2 * 3);
        assert_eq!(sets.last().unwrap().index, sets.len());
        let of = |n, k, overlap| {
            sets.iter()
                .filter(|set| (set.n_observations, set.components, set.overlap) == (n, k, overlap))
                .count()
        };
        assert_eq!(of(200, 3, 0.01), 3);
    }

    #[test]
    fn where_the_prior_draws_the_truth_k_has_its_frequencies() {
        let mut spec = suite(
            "sets = 20000\ntruth = \"prior\"\nscale = \"none\"\nn_observations = 20\nn_features = 1\n\
             [model.prior.means]\ncentre = \"origin\"",
        );
        spec.model.components_prior = crate::study::spec::ComponentsPrior::Poisson(1.0);
        let sets = sets(&spec);
        let total: f64 = (1..=9).map(|k| 1.0 / libm::tgamma(f64::from(k) + 1.0)).sum();
        for k in 1..=4usize {
            let p = 1.0 / libm::tgamma(k as f64 + 1.0) / total;
            let share = sets.iter().filter(|set| set.components == k).count() as f64 / sets.len() as f64;
            let error = (p * (1.0 - p) / sets.len() as f64).sqrt();
            assert!((share - p).abs() < 4.0 * error, "K = {k}: {share} instead of {p}");
        }
    }
}
