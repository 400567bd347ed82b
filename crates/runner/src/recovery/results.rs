//! Everything that is known of a suite once its data sets are done.

use gmm_scoring::Criterion;

use super::bias::{Bias, biases};
use super::calibration::{Calibration, calibrations};
use super::missed::HIGHER;
use super::outcome::Outcome;
use super::tally::{Factor, Paired, Pick, Rule, SelectionRule, Tally, factors};
use crate::study::design::Set;
use crate::study::spec::suite::SuiteSpec;

/// Outcomes, and what rules make of them.
pub struct SuiteResults {
    pub spec: SuiteSpec,
    pub sets: Vec<Set>,
    /// In the order of the sets.
    pub outcomes: Vec<Outcome>,
    pub rules: Vec<SelectionRule>,
    /// Of every rule, in the order of the sets.
    pub picks: Vec<Vec<Pick>>,
    pub factors: Vec<Factor>,
    pub biases: Vec<Bias>,
    /// Of the rules that state probabilities.
    pub calibrations: Vec<Calibration>,
}

impl SuiteResults {
    #[must_use]
    pub fn new(spec: SuiteSpec, sets: Vec<Set>, outcomes: Vec<Outcome>) -> Self {
        let rules = SelectionRule::all(&spec);
        let of_rule = |rule: &SelectionRule| {
            sets.iter().zip(&outcomes).map(|(set, outcome)| rule.pick(&spec, set, outcome)).collect()
        };
        let picks = rules.iter().map(of_rule).collect();
        let (factors, biases) = (factors(&spec, &sets), biases(&outcomes));
        let calibrations = calibrations(&spec, &rules, &sets, &outcomes);
        Self { spec, sets, outcomes, rules, picks, factors, biases, calibrations }
    }

    #[must_use]
    pub fn picks(&self, rule: SelectionRule) -> &[Pick] {
        let position = self.rules.iter().position(|other| *other == rule);
        &self.picks[position.expect("every rule of a suite has its picks")]
    }

    /// Of some sets, by their index from 0, or of all.
    #[must_use]
    pub fn tally(&self, rule: SelectionRule, only: Option<&[usize]>) -> Tally {
        let picks = self.picks(rule);
        let of = |i: usize| (picks[i], self.sets[i].components);
        match only {
            Some(indices) => Tally::from_picks(indices.iter().map(|&i| of(i))),
            None => Tally::from_picks((0..self.sets.len()).map(of)),
        }
    }

    /// A rule beside BIC, whose components have full covariances like the model's.
    #[must_use]
    pub fn against_bic(&self, rule: SelectionRule) -> Option<Paired> {
        let bic = SelectionRule { prior: 0, rule: Rule::Best(Criterion::Bic) };
        if rule == bic || !self.rules.contains(&bic) {
            return None;
        }
        let found = |rule: SelectionRule, i: usize| self.picks(rule)[i].0 == Some(self.sets[i].components);
        Some(Paired::from_outcomes((0..self.sets.len()).map(|i| (found(rule, i), found(bic, i)))))
    }

    /// Data sets on which a search from the truth ends at a mode with more evidence about it than any mode found, and all on which one was made.
    #[must_use]
    pub fn missed_modes(&self) -> Option<(usize, usize)> {
        let gains: Vec<f64> = self.outcomes.iter().filter_map(|outcome| outcome.gain_from_truth).collect();
        let missed = gains.iter().filter(|gain| **gain > HIGHER).count();
        (!gains.is_empty()).then_some((missed, gains.len()))
    }

    /// Sets of which something is missing, each with the reason.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failed = self.sets.iter().zip(&self.outcomes);
        failed.filter_map(|(set, outcome)| Some(format!("{set}: {}", outcome.failure.as_ref()?))).collect()
    }
}
