//! Whether stated probabilities of K can be believed: how often the most probable K is the true one, beside how probable it was said
//! to be.

use std::collections::BTreeSet;

use gmm_scoring::{Criterion, Scale};

use super::bias::Mean;
use super::outcome::Outcome;
use super::tally::{Rule, SelectionRule, Tally};
use crate::scores::probabilities::Probabilities;
use crate::scores::ranking::Ranking;
use crate::study::design::Set;
use crate::study::spec::suite::SuiteSpec;

/// Where the bins of stated probabilities begin. They are narrow near one, where most sets are.
const BINS: [f64; 5] = [0.0, 0.5, 0.7, 0.9, 0.99];

/// Probabilities of one rule on the data sets for which it states any.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    pub rule: SelectionRule,
    /// Data sets, and those of which the most probable K is the true one.
    pub n: usize,
    pub found: usize,
    /// Mean stated probability of the most probable K: what a calibrated rule finds.
    pub stated: f64,
    /// Logarithm of the probability stated for the true K, in nats.
    pub log_score: Mean,
    /// Those that are not empty, in ascending order.
    pub bins: Vec<Bin>,
    /// In ascending order of K.
    pub of_each: Vec<OfOne>,
    /// Brier's score less its expectation, over its standard deviation (Spiegelhalter 1986, Statistics in Medicine 5): standard
    /// normal over many sets where the stated probabilities are right, above 0 where they are too sure.
    pub brier: f64,
}

/// One K over all data sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfOne {
    pub components: usize,
    /// Mean stated probability.
    pub stated: f64,
    /// Share of sets of which it is the true K.
    pub share: f64,
    /// Their difference, share less stated, over its standard deviation were the stated probabilities right. NaN where they leave
    /// no doubt.
    pub z: f64,
}

/// The data sets whose most probable K has a stated probability within a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    /// Mean stated probability.
    pub stated: f64,
    /// Sets whose most probable K is the true one, as `found`.
    pub tally: Tally,
}

/// Of every rule that states probabilities, and not the same as one before it.
#[must_use]
pub fn calibrations(
    spec: &SuiteSpec,
    rules: &[SelectionRule],
    sets: &[Set],
    outcomes: &[Outcome],
) -> Vec<Calibration> {
    let of_rule = |rule: &SelectionRule| {
        let cases = sets.iter().zip(outcomes).filter_map(|(set, outcome)| {
            let stated = stated(*rule, spec, set, outcome)?;
            Some(Case::new(stated, set.components))
        });
        Calibration::new(*rule, &cases.collect::<Vec<_>>())
    };
    let mut found: Vec<Calibration> = Vec::new();
    for calibration in rules.iter().filter_map(of_rule) {
        // An answer that states what its criterion does is told once.
        let same = |other: &Calibration| Calibration { rule: other.rule, ..calibration.clone() } == *other;
        if !found.iter().any(same) {
            found.push(calibration);
        }
    }
    found
}

/// One data set: what is stated for each K, the largest of it, and whether it is that of the true K.
struct Case {
    stated: Vec<(usize, f64)>,
    truth: usize,
    largest: f64,
    right: bool,
}

impl Case {
    fn new(stated: Vec<(usize, f64)>, truth: usize) -> Self {
        let larger = |best: (usize, f64), other: (usize, f64)| if other.1 > best.1 { other } else { best };
        let (k, largest) = stated.iter().copied().reduce(larger).unwrap_or((0, 0.0));
        Self { stated, truth, largest, right: k == truth }
    }

    /// The probability stated for one K; 0 of a K that has none.
    fn of(&self, components: usize) -> f64 {
        self.stated.iter().find(|(k, _)| *k == components).map_or(0.0, |(_, probability)| *probability)
    }

    /// Σ_k ([k true] − P_k)², less its mean under P and with its variance there.
    fn brier(&self) -> (f64, f64) {
        let power = |n: i32| self.stated.iter().map(|(_, p)| p.powi(n)).sum::<f64>();
        let (squares, cubes) = (power(2), power(3));
        // Of 1 − 2 P_true + Σ P², P_true alone is random, with mean Σ P² and variance Σ P³ − (Σ P²)².
        (2.0 * (squares - self.of(self.truth)), 4.0 * (cubes - squares * squares).max(0.0))
    }
}

impl Calibration {
    /// `None` for a rule that states no probability for any set.
    fn new(rule: SelectionRule, cases: &[Case]) -> Option<Self> {
        if cases.is_empty() {
            return None;
        }
        let n = cases.len();
        let mean = |cases: &[&Case]| cases.iter().map(|case| case.largest).sum::<f64>() / cases.len() as f64;
        let found = |cases: &[&Case]| cases.iter().filter(|case| case.right).count();
        let all: Vec<&Case> = cases.iter().collect();
        let bins = BINS.iter().enumerate().filter_map(|(index, &from)| {
            let to = BINS.get(index + 1).copied().unwrap_or(1.0);
            let is_last = index + 1 == BINS.len();
            let inside = |case: &&&Case| from <= case.largest && (case.largest < to || is_last);
            let members: Vec<&Case> = all.iter().filter(inside).copied().collect();
            let tally = Tally { n: members.len(), found: found(&members), ..Tally::default() };
            (!members.is_empty()).then(|| Bin { from, to, stated: mean(&members), tally })
        });
        // A probability that is zero in double precision counts as the smallest number above zero.
        let log = |case: &Case| libm::log(case.of(case.truth).max(f64::MIN_POSITIVE));
        Some(Self {
            rule,
            n,
            found: found(&all),
            stated: mean(&all),
            log_score: Mean::from_values(&cases.iter().map(log).collect::<Vec<_>>()),
            bins: bins.collect(),
            of_each: of_each(cases),
            brier: {
                let (excess, variance) =
                    cases.iter().map(Case::brier).fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
                excess / variance.sqrt()
            },
        })
    }

    /// The share of sets whose K is found.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.found as f64 / self.n as f64
    }
}

/// Every K that is stated anywhere or true.
fn of_each(cases: &[Case]) -> Vec<OfOne> {
    let stated = cases.iter().flat_map(|case| case.stated.iter().map(|(k, _)| *k));
    let every: BTreeSet<usize> = stated.chain(cases.iter().map(|case| case.truth)).collect();
    let n = cases.len() as f64;
    let of_one = |components: usize| {
        let stated: Vec<f64> = cases.iter().map(|case| case.of(components)).collect();
        let sum: f64 = stated.iter().sum();
        let variance: f64 = stated.iter().map(|p| p * (1.0 - p)).sum();
        let true_of = cases.iter().filter(|case| case.truth == components).count() as f64;
        OfOne { components, stated: sum / n, share: true_of / n, z: (true_of - sum) / variance.sqrt() }
    };
    every.into_iter().map(of_one).collect()
}

/// The probability that a rule states for each K of a data set. BIC's are its weights, exp(−BIC / 2) up to a factor: what is often
/// taken for them.
fn stated(rule: SelectionRule, spec: &SuiteSpec, set: &Set, outcome: &Outcome) -> Option<Vec<(usize, f64)>> {
    let rankings = outcome.rankings(rule.prior, set.n_observations);
    let of_each = |found: Probabilities| {
        found.of_each.iter().map(|entry| (entry.model.components, entry.probability)).collect()
    };
    match rule.rule {
        Rule::Answer => rule.answer(spec, &rankings)?.probabilities.map(of_each),
        Rule::Best(criterion) => {
            let ranking = rankings.iter().find(|ranking| ranking.criterion == criterion)?;
            match criterion.scale() {
                Scale::Evidence => Probabilities::new(spec.model.components_prior, ranking).map(of_each),
                _ if criterion == Criterion::Bic => Some(weights(ranking)),
                _ => None,
            }
        }
        Rule::Simplest(_) => None,
    }
}

fn weights(ranking: &Ranking) -> Vec<(usize, f64)> {
    let rows = ranking.comparison.rows.iter().filter(|row| row.estimate.is_finite());
    rows.map(|row| (row.model.components, row.weight)).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn probabilities_are_held_against_what_was_right() {
        let rule = SelectionRule { prior: 0, rule: Rule::Answer };
        let cases = [
            Case::new(vec![(1, 0.2), (2, 0.8)], 2),
            Case::new(vec![(1, 0.25), (2, 0.75)], 1),
            Case::new(vec![(1, 1.0), (2, 0.0)], 1),
            Case::new(vec![(1, 0.995)], 3),
        ];
        let found = Calibration::new(rule, &cases).unwrap();
        assert_eq!((found.n, found.found), (4, 2));
        assert!((found.stated - (0.8 + 0.75 + 1.0 + 0.995) / 4.0).abs() < 1e-15);
        let log_score = (0.8f64.ln() + 0.25f64.ln() + f64::MIN_POSITIVE.ln()) / 4.0;
        assert!((found.log_score.mean - log_score).abs() < 1e-12);
        let bins: Vec<(f64, f64, usize, usize)> =
            found.bins.iter().map(|bin| (bin.from, bin.to, bin.tally.n, bin.tally.found)).collect();
        assert_eq!(bins, [(0.7, 0.9, 2, 1), (0.99, 1.0, 2, 1)]);
        assert!((found.bins[0].stated - 0.775).abs() < 1e-15);
        assert_eq!(Calibration::new(rule, &[]), None);
    }

    /// Drawn from the stated probabilities themselves, and from others.
    #[test]
    fn probabilities_that_are_right_stand_every_test_and_others_do_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut cases = |sharpened: f64| {
            let case = |_| {
                let raw = [(); 3].map(|()| rng.random::<f64>());
                let total: f64 = raw.iter().sum();
                let p = raw.map(|x| x / total);
                let unit: f64 = rng.random();
                let truth = if unit < p[0] {
                    1
                } else if unit < p[0] + p[1] {
                    2
                } else {
                    3
                };
                let total: f64 = p.iter().map(|p| p.powf(sharpened)).sum();
                let stated = (1..).zip(p).map(|(k, p)| (k, p.powf(sharpened) / total));
                Case::new(stated.collect(), truth)
            };
            (0..20_000).map(case).collect::<Vec<_>>()
        };
        let rule = SelectionRule { prior: 0, rule: Rule::Answer };
        let right = Calibration::new(rule, &cases(1.0)).unwrap();
        assert!(right.brier.abs() < 4.0, "{}", right.brier);
        assert!(right.of_each.iter().all(|one| one.z.abs() < 4.0), "{:?}", right.of_each);
        let too_sure = Calibration::new(rule, &cases(2.0)).unwrap();
        assert!(too_sure.brier > 10.0, "{}", too_sure.brier);
        let too_timid = Calibration::new(rule, &cases(0.5)).unwrap();
        assert!(too_timid.brier < -10.0, "{}", too_timid.brier);
    }

    #[test]
    fn a_k_that_is_never_stated_has_its_share() {
        let rule = SelectionRule { prior: 0, rule: Rule::Answer };
        let found =
            Calibration::new(rule, &[Case::new(vec![(1, 0.5), (2, 0.5)], 1), Case::new(vec![(1, 1.0)], 3)]);
        let of_each = found.unwrap().of_each;
        assert_eq!(
            of_each.iter().map(|one| (one.components, one.stated, one.share)).collect::<Vec<_>>(),
            [(1, 0.75, 0.5), (2, 0.25, 0.0), (3, 0.0, 0.5),]
        );
        assert!((of_each[0].z + 1.0).abs() < 1e-15 && of_each[2].z == f64::INFINITY);
    }
}
