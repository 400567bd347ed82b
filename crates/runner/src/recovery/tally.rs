//! How often each criterion, and the program's answer, finds the true number of components.

use gmm_scoring::{Basis, Criterion, Scale};

use super::outcome::{Outcome, priors};
use crate::scores::answer::Answer;
use crate::scores::criterion_title::title;
use crate::scores::ranking::Ranking;
use crate::study::design::Set;
use crate::study::spec::ModelSpec;
use crate::study::spec::suite::{Levels, SuiteSpec, Truth};

/// A rule that selects a K for each data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionRule {
    /// 0: `model.prior`; 1: `suite.contrast`.
    pub prior: usize,
    pub rule: Rule,
}

/// How a K is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// As the program answers.
    Answer,
    /// The K of the best value.
    Best(Criterion),
    /// The smallest K indistinguishable from the best of a predictive criterion.
    Simplest(Criterion),
}

/// The K that a rule selects, if it selects one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick(pub Option<usize>);

impl SelectionRule {
    /// All rules of a suite: the answer, then every criterion asked for.
    #[must_use]
    pub fn all(spec: &SuiteSpec) -> Vec<Self> {
        let mut rules = Vec::new();
        for prior in 0..priors(spec).len() {
            rules.push(Self { prior, rule: Rule::Answer });
            for criterion in
                Criterion::ALL.into_iter().filter(|criterion| spec.scoring.criteria.contains(criterion))
            {
                // What no prior enters is the same under both.
                if prior > 0 && criterion.basis() == Basis::Maximum {
                    continue;
                }
                rules.push(Self { prior, rule: Rule::Best(criterion) });
                if criterion.scale() == Scale::Prediction {
                    rules.push(Self { prior, rule: Rule::Simplest(criterion) });
                }
            }
        }
        rules
    }

    /// The name in print.
    #[must_use]
    pub fn name(&self, spec: &SuiteSpec) -> String {
        let scoring = &spec.scoring;
        let rule = match self.rule {
            Rule::Answer => "answer".to_owned(),
            Rule::Best(criterion) if criterion.scale() == Scale::Prediction => {
                format!("{}, best", title(criterion, scoring))
            }
            Rule::Best(criterion) => title(criterion, scoring),
            Rule::Simplest(criterion) => format!("{}, simplest", title(criterion, scoring)),
        };
        if self.prior == 0 { rule } else { format!("{rule} (contrast)") }
    }

    /// The program's answer under this rule's prior.
    #[must_use]
    pub fn answer(&self, spec: &SuiteSpec, rankings: &[Ranking]) -> Option<Answer> {
        let model = ModelSpec { prior: priors(spec)[self.prior].clone(), ..spec.model.clone() };
        Answer::new(&model, rankings, &[])
    }

    /// What it selects for one data set.
    #[must_use]
    pub fn pick(&self, spec: &SuiteSpec, set: &Set, outcome: &Outcome) -> Pick {
        let rankings = outcome.rankings(self.prior, set.n_observations);
        let of = |wanted: Criterion| {
            let ranking = rankings.iter().find(|ranking| ranking.criterion == wanted);
            ranking.and_then(|ranking| ranking.verdict.as_ref())
        };
        Pick(match self.rule {
            Rule::Answer => self.answer(spec, &rankings).map(|answer| answer.model.components),
            Rule::Best(criterion) => of(criterion).map(|verdict| verdict.best.components),
            Rule::Simplest(criterion) => of(criterion).map(|verdict| verdict.smallest.components),
        })
    }
}

/// How often a rule selects the true K of some data sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub n: usize,
    pub found: usize,
    pub too_small: usize,
    pub too_large: usize,
    /// Sets for which it selects no K.
    pub no_answer: usize,
}

impl Tally {
    /// Of picks beside the true K.
    #[must_use]
    pub fn from_picks(picks: impl IntoIterator<Item = (Pick, usize)>) -> Self {
        let mut tally = Self::default();
        for (Pick(picked), truth) in picks {
            tally.n += 1;
            match picked {
                None => tally.no_answer += 1,
                Some(k) if k == truth => tally.found += 1,
                Some(k) if k < truth => tally.too_small += 1,
                Some(_) => tally.too_large += 1,
            }
        }
        tally
    }

    /// The share of sets whose K is found; NaN of none.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.found as f64 / self.n as f64
    }

    /// Its standard error, √(p (1 − p) / n).
    #[must_use]
    pub fn se(&self) -> f64 {
        (self.share() * (1.0 - self.share()) / self.n as f64).sqrt()
    }

    /// A 95 % interval that stays within 0 and 1 and has a width where all or none are found: Wilson (1927).
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        const Z: f64 = 1.959_963_984_540_054;
        let (n, p) = (self.n as f64, self.share());
        let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        (middle - half, middle + half)
    }
}

/// Two rules on the same data sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    pub n: usize,
    /// Sets whose K the first finds and the second does not.
    pub first_alone: usize,
    pub second_alone: usize,
}

impl Paired {
    #[must_use]
    pub fn from_outcomes(found: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut paired = Self { n: 0, first_alone: 0, second_alone: 0 };
        for (first, second) in found {
            paired.n += 1;
            paired.first_alone += usize::from(first && !second);
            paired.second_alone += usize::from(second && !first);
        }
        paired
    }

    /// The first's share less the second's.
    #[must_use]
    pub fn difference(&self) -> f64 {
        (self.first_alone as f64 - self.second_alone as f64) / self.n as f64
    }

    /// Its standard error, from the pairs.
    #[must_use]
    pub fn se(&self) -> f64 {
        let (discordant, n) = ((self.first_alone + self.second_alone) as f64, self.n as f64);
        ((discordant / n - self.difference().powi(2)) / n).sqrt()
    }

    /// Two-sided p-value of McNemar's (1947) test, exact: of the sets on which the rules part, each is as likely to find K.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        let n = self.first_alone + self.second_alone;
        let fewer = self.first_alone.min(self.second_alone);
        // Binomial(n, ½), from the top of its lower tail down, on the log scale.
        let log_choose = |k: usize| {
            libm::lgamma(n as f64 + 1.0) - libm::lgamma(k as f64 + 1.0) - libm::lgamma((n - k) as f64 + 1.0)
        };
        let tail: f64 =
            (0..=fewer).map(|k| libm::exp(log_choose(k) - n as f64 * std::f64::consts::LN_2)).sum();
        (2.0 * tail).min(1.0)
    }
}

/// One factor of the design, cut into groups of sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    pub name: &'static str,
    /// Each with its label and the indices of its sets, from 0; none is empty.
    pub groups: Vec<(String, Vec<usize>)>,
}

/// Levels up to this many are groups of their own.
const MOST_GROUPS: usize = 8;
/// Into how many a longer list or a range is cut.
const GROUPS: usize = 5;

/// The factors of a design that has more than one level of them.
#[must_use]
pub fn factors(spec: &SuiteSpec, sets: &[Set]) -> Vec<Factor> {
    let design = &spec.suite;
    let counts = |levels: &Levels<usize>| match levels {
        Levels::Listed(levels) => levels.iter().map(|&level| level as f64).collect(),
        Levels::Between { from, to } if to - from < MOST_GROUPS => {
            (*from..=*to).map(|level| level as f64).collect()
        }
        Levels::Between { .. } => Vec::new(),
    };
    let (components, overlaps) = match &design.truth {
        Truth::Mixsim { components, overlap: Levels::Listed(levels), .. } => {
            (counts(components), levels.clone())
        }
        Truth::Mixsim { components, .. } => (counts(components), Vec::new()),
        Truth::Prior => (spec.model.components.iter().map(|&k| k as f64).collect(), Vec::new()),
    };
    let all = [
        factor("N", sets, counts(&design.n_observations), true, |set| set.n_observations as f64),
        factor("D", sets, counts(&design.n_features), true, |set| set.n_features as f64),
        factor("K", sets, components, true, |set| set.components as f64),
        // A single component overlaps with nothing.
        factor(
            "overlap",
            sets,
            overlaps,
            false,
            |set| if set.components > 1 { set.overlap } else { f64::NAN },
        ),
    ];
    all.into_iter().filter(|factor| factor.groups.len() > 1).collect()
}

fn factor(
    name: &'static str,
    sets: &[Set],
    mut levels: Vec<f64>,
    whole: bool,
    of: impl Fn(&Set) -> f64,
) -> Factor {
    let within = |low: f64, high: f64| -> Vec<usize> {
        let value = |i: &usize| of(&sets[*i]);
        (0..sets.len()).filter(|i| (low..=high).contains(&value(i))).collect()
    };
    levels.sort_by(f64::total_cmp);
    let groups: Vec<(String, Vec<usize>)> = if (1..=MOST_GROUPS).contains(&levels.len()) {
        levels.iter().map(|&level| (format!("{level}"), within(level, level))).collect()
    } else {
        // Quantiles, so that groups are of one size; the sets of one value stay together.
        let mut values: Vec<f64> = sets.iter().map(&of).filter(|value| !value.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        let cut = |part: usize| values[(part * values.len() / GROUPS).min(values.len().saturating_sub(1))];
        let mut starts: Vec<f64> =
            if values.is_empty() { Vec::new() } else { (0..GROUPS).map(cut).collect() };
        starts.dedup();
        let last = values.last().copied().unwrap_or(f64::NAN);
        let ends =
            starts.iter().skip(1).map(|&next| values.iter().copied().rfind(|&v| v < next).unwrap_or(next));
        let ends: Vec<f64> = ends.chain([last]).collect();
        let written = |value: f64| if whole { format!("{value}") } else { format!("{value:.4}") };
        let label = |low: f64, high: f64| {
            if low == high { written(low) } else { format!("{}–{}", written(low), written(high)) }
        };
        starts.iter().zip(&ends).map(|(&low, &high)| (label(low, high), within(low, high))).collect()
    };
    Factor { name, groups: groups.into_iter().filter(|(_, sets)| !sets.is_empty()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_their_errors_are_counted() {
        let picks = [(Some(3), 3), (Some(2), 3), (Some(4), 3), (None, 3), (Some(3), 3)];
        let tally = Tally::from_picks(picks.map(|(picked, truth)| (Pick(picked), truth)));
        assert_eq!(tally, Tally { n: 5, found: 2, too_small: 1, too_large: 1, no_answer: 1 });
        assert!((tally.share() - 0.4).abs() < 1e-15);
        assert!((tally.se() - (0.24f64 / 5.0).sqrt()).abs() < 1e-15);
        // Wilson's interval for 0 of 10 ends at z² / (10 + z²).
        let (low, high) = Tally { n: 10, ..Tally::default() }.interval();
        assert!(low.abs() < 1e-15 && (high - 0.277_532_799_862_889).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn pairs_are_compared_by_where_they_part() {
        let found = [(true, true); 5].into_iter().chain([(true, false); 8]).chain([(false, true); 2]);
        let paired = Paired::from_outcomes(found);
        assert!((paired.difference() - 0.4).abs() < 1e-15);
        // Var = (discordant share − difference²) / n.
        assert!((paired.se() - ((10.0 / 15.0 - 0.16) / 15.0f64).sqrt()).abs() < 1e-15);
        // 2 (1 + 10 + 45) / 2¹⁰.
        assert!((paired.p_value() - 0.109_375).abs() < 1e-12);
        assert_eq!(Paired::from_outcomes([(true, true)]).p_value(), 1.0);
    }

    #[test]
    fn groups_hold_every_set_once() {
        let set = |index: usize| Set {
            index,
            n_observations: 100 + 7 * index,
            n_features: 1 + index % 10,
            components: 1 + index % 3,
            overlap: 0.001 * (1 + index) as f64,
        };
        let sets: Vec<Set> = (0..60).map(set).collect();
        for (levels, n_groups) in [(vec![], 5), ((1..=10).map(f64::from).collect(), 5)] {
            let factor = factor("D", &sets, levels, true, |set| set.n_features as f64);
            let mut members: Vec<usize> = factor.groups.iter().flat_map(|(_, sets)| sets.clone()).collect();
            members.sort_unstable();
            assert_eq!(members, (0..60).collect::<Vec<_>>());
            assert_eq!(factor.groups.len(), n_groups, "{:?}", factor.groups);
            assert_eq!(factor.groups[0].0, "1–2");
        }
        let listed = factor("K", &sets, vec![3.0, 1.0, 2.0], true, |set| set.components as f64);
        assert_eq!(
            listed.groups.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(),
            ["1", "2", "3"]
        );
        let continuous = factor("overlap", &sets, vec![], false, |set| set.overlap);
        assert_eq!(continuous.groups.iter().map(|(_, sets)| sets.len()).collect::<Vec<_>>(), [12; 5]);
    }
}
